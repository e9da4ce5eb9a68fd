"""Setting chat rooms and programs up: by the IT manager of the site."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from escalation.models import Listener, ListenerKind, Post, PostState
from escalation.webhooks import sending
from escalation.webhooks.calling import is_room
from escalation.webhooks.sealed import Unreadable, seal, unseal
from incidents.models import EventKind, Severity
from opsdesk.errors import Invalid, Missing, NotAllowed, Refused
from plant.models import Area, Language, Person, Role, Site

LONGEST_ADDRESS = 2000


def may_set_up(person: Person, site: Site) -> bool:
    return person.is_superuser or person.holds(Role.IT_MANAGER, site=site)


def refuse_unless_set_up(by: Person, site: Site) -> None:
    """Raise NotAllowed (403) unless ``by`` looks after who hears of the site."""
    if not may_set_up(by, site):
        raise NotAllowed(
            "not_your_listeners", _("The IT manager of the site sets up who hears of it. Ask them.")
        )


@transaction.atomic
def add(
    *,
    by: Person,
    site: Site,
    kind: str,
    name: str,
    address: str,
    area: Area | None = None,
    severities: Sequence[str] = (),
    kinds: Sequence[str] = (),
    roles: Sequence[str] = (),
    language: str = Language.EN,
    now: datetime | None = None,
) -> tuple[Listener, str]:
    """The new listener, and the secret a program checks our signature with: shown now, and never again."""
    refuse_unless_set_up(by, site)
    _check(site, area, severities, kinds, roles)
    _refuse_bad_address(kind, address)
    _refuse_twin(Listener(kind=kind, site=site, area=area, roles=list(roles)), address)
    secret = secrets.token_urlsafe(32) if kind == ListenerKind.WEBHOOK else ""
    listener = Listener.objects.create(
        kind=kind,
        site=site,
        area=area,
        name=name.strip(),
        address=seal(address),
        secret=seal(secret) if secret else "",
        severities=list(severities),
        kinds=list(kinds),
        roles=list(roles),
        language=language,
        created_at=now or timezone.now(),
        created_by=by,
    )
    return listener, secret


@transaction.atomic
def change(
    pk: int,
    *,
    by: Person,
    name: str,
    area: Area | None = None,
    severities: Sequence[str] = (),
    kinds: Sequence[str] = (),
    roles: Sequence[str] = (),
    language: str = Language.EN,
    address: str = "",
) -> Listener:
    """What it is called and what it hears; an empty address keeps the one that is sealed."""
    listener = _locked(pk, by)
    _check(listener.site, area, severities, kinds, roles)
    heard_of = listener.area, set(listener.roles)
    listener.name, listener.area, listener.language = name.strip(), area, language
    listener.severities, listener.kinds, listener.roles = list(severities), list(kinds), list(roles)
    if address:
        _refuse_bad_address(listener.kind, address)
    if address or heard_of != (area, set(roles)):
        _refuse_twin(listener, address or _address_of(listener))
    if address:
        listener.address = seal(address)
    listener.save(update_fields=["name", "area", "language", "severities", "kinds", "roles", "address"])
    return listener


@transaction.atomic
def switch(pk: int, *, by: Person, on: bool) -> Listener:
    """On: it hears what happens from now on. Off: nothing more, and what waits is dropped. Repeatable."""
    listener = _locked(pk, by)
    listener.is_active = on
    listener.switched_off_at = listener.failing_since = listener.paused_until = None
    listener.failures, listener.last_error = 0, ""
    fields = ["is_active", "switched_off_at", "failing_since", "paused_until", "failures", "last_error"]
    listener.save(update_fields=fields)
    if not on:
        Post.objects.filter(listener=listener).queued().update(state=PostState.DROPPED)
    return listener


@transaction.atomic
def new_secret(pk: int, *, by: Person) -> str:
    """Another secret; the one before signs nothing any more."""
    listener = _locked(pk, by)
    if listener.kind != ListenerKind.WEBHOOK:
        raise Refused("no_secret", _("A chat room has no secret of ours."))
    secret = secrets.token_urlsafe(32)
    listener.secret = seal(secret)
    listener.save(update_fields=["secret"])
    return secret


def try_out(pk: int, *, by: Person) -> Post:
    """A test goes out now, and what came of it comes back. Waits for the other end, ten seconds at most."""
    return sending.try_out(find(pk, by=by))


@transaction.atomic
def resend(pk: int, post_id: int, *, by: Person, now: datetime | None = None) -> Post:
    """What was posted goes out once more, with the same event id. What still waits goes anyway."""
    now = now or timezone.now()
    listener = _locked(pk, by)
    post = Post.objects.select_for_update().filter(listener=listener, pk=post_id).first()
    if post is None or post.event_id is None:
        raise Missing("unknown_post", _("There is no such message."))
    if not listener.is_active:
        raise Refused("switched_off", _("Switch it on first."))
    if post.state not in (PostState.QUEUED, PostState.SENDING):
        post.state, post.attempt, post.queued_at, post.not_before = PostState.QUEUED, 0, now, now
        post.sent_at = None
        post.save(update_fields=["state", "attempt", "queued_at", "not_before", "sent_at"])
    return post


def find(pk: int, *, by: Person) -> Listener:
    """Raises Missing (404) for what is not there, NotAllowed (403) for whoever may not see it."""
    listener = Listener.objects.select_related("site", "area").filter(pk=pk).first()
    if listener is None:
        raise Missing("unknown_listener", _("There is no such room or program."))
    refuse_unless_set_up(by, listener.site)
    return listener


def _locked(pk: int, by: Person) -> Listener:
    find(pk, by=by)
    return Listener.objects.select_for_update(of=("self",)).select_related("site").get(pk=pk)


def _check(
    site: Site, area: Area | None, severities: Sequence[str], kinds: Sequence[str], roles: Sequence[str]
) -> None:
    if area is not None and area.site_id != site.pk:
        raise Invalid(
            "wrong_area", _("This area is at another site."), {"area": [_("Choose one of this site.")]}
        )
    known = ((severities, Severity.values), (kinds, EventKind.values), (roles, Role.values))
    if any(not set(given) <= set(values) for given, values in known):
        raise Invalid("unknown_choice", _("It cannot hear that."))


def _refuse_bad_address(kind: str, address: str) -> None:
    fault = _fault_of(kind, address)
    if fault:
        raise Invalid("bad_address", fault, {"address": [fault]})


def _fault_of(kind: str, address: str) -> str:
    """Only http and https for a program. Machines in the plant are meant, so private addresses are fine."""
    if len(address) > LONGEST_ADDRESS:
        return _("The address is too long.")
    if kind == ListenerKind.CHAT:
        said = _("This is no address of a room that Apprise knows, such as slack://, msteams:// or tgram://.")
        return "" if is_room(address) else said
    try:
        parts = urlsplit(address)
        is_fine = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
    except ValueError:
        is_fine = False
    return "" if is_fine else _("The address of a program starts with https:// or http://.")


def _refuse_twin(listener: Listener, address: str) -> None:
    """One address hears the same of a place once: a form sent twice would have it told everything twice."""
    Site.objects.select_for_update(no_key=True).get(pk=listener.site_id)  # who comes at the same time waits
    known = Listener.objects.filter(kind=listener.kind, site=listener.site, area=listener.area)
    for one in known.exclude(pk=listener.pk):
        if address and set(one.roles) == set(listener.roles) and _address_of(one) == address:
            raise Refused(
                "heard_already",
                _("“%(name)s” has this address and hears of the same place already. Change that one.")
                % {"name": one.name},
            )


def _address_of(listener: Listener) -> str:
    """Empty where it cannot be read any more."""
    try:
        return unseal(listener.address)
    except Unreadable:
        return ""
