"""One promise: kept, another date, what is in the way. By a link without login, or signed in.

Opening it changes nothing; each button carries a nonce that was made for this person and promise.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core import signing
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from countermeasures.models import Promise
from countermeasures.promises import doing, lifecycle
from countermeasures.promises.access import without_others_late
from countermeasures.promises.models import InTheWay, PromiseKind
from countermeasures.promises.rules import day_that_ends
from escalation.messages.notices.promise import day_of
from escalation.models import Notification, Reason, TimerState
from escalation.views import answer as one
from incidents.permissions import Action, can
from opsdesk.errors import Invalid, Missing, NotAllowed, Refused
from plant.context import Shell
from plant.models import Person
from plant.working_time import said_why

SALT = "promise"
LASTS = 12 * 60 * 60
"""Seconds that the buttons of a drawn page work."""


@csrf_exempt
@one.private
@require_http_methods(["GET", "HEAD", "POST"])
def promise(request: HttpRequest, token: str) -> HttpResponseBase:
    """Kept, another date, or what is in the way; by whoever the link was sent to."""
    rows = Notification.objects.select_related("person").filter(token=token, reason=Reason.PROMISE)
    told = rows.filter(person__is_active=True).first()
    if told is None:
        return one.unknown(request) if one.GUESSED.allows(one.address_of(request)) else one.too_many(request)
    if not one.OPENED.allows(str(told.pk)):
        return one.too_many(request)
    found = Promise.objects.with_people().get(pk=told.data["promise"])
    Shell.of(request).is_about(found.site)
    with translation.override(told.person.language), timezone.override(found.site.tz):
        return _shown(request, found, told.person, redirect("promise-link", token))


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The same page for who is signed in: reached from "My work" and the ledger."""
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    found = Promise.objects.with_people().filter(pk=pk).first()
    if found is None or not person.sees_site(found.site_id):
        raise Missing("unknown_promise", _("There is no such promise."))
    if not without_others_late(Promise.objects.filter(pk=pk), person, [found.site]).exists():
        raise NotAllowed("not_your_team", _("Only they, their lead and managers see this."))
    with timezone.override(found.site.tz):
        return _shown(request, found, person, redirect("promise", pk))


def _shown(request: HttpRequest, found: Promise, person: Person, done: HttpResponseBase) -> HttpResponseBase:
    if request.method == "POST":
        return _answered(request, found, person, done)
    return _page(request, found, person)


def _answered(
    request: HttpRequest, found: Promise, person: Person, done: HttpResponseBase
) -> HttpResponseBase:
    """Do it and show the page afresh; a refusal keeps the words that were typed."""
    try:
        drawn_for = signing.loads(request.POST.get("nonce", ""), salt=SALT, max_age=LASTS)
    except signing.BadSignature:
        drawn_for = None
    try:
        if drawn_for != [found.pk, person.pk]:
            sentence = _("This page was open for long. Press the button once more.")
            raise Refused("old_page", sentence, status=403)
        _do(request, found, person)
    except Refused as refusal:
        return _page(request, found, person, refusal=refusal)
    return done


def _do(request: HttpRequest, found: Promise, by: Person) -> None:
    given = request.POST
    why, words = given.get("in_the_way", ""), given.get("words", "")
    if given.get("answer") == "kept":
        doing.keep(found, by=by, words=words)
    elif given.get("answer") == "why":
        lifecycle.say_why(found.pk, by=by, in_the_way=why, words=words)
    else:
        day = _day(given.get("due_on", ""))
        if day is None:
            sentence = _("Say by which day.")
            raise Invalid("no_day", sentence, fields={"due_on": [sentence]})
        reason = words or (str(InTheWay(why).label) if why in InTheWay.values else "")
        doing.agree_new_date(found, by=by, due_on=day, reason=reason, in_the_way=why)


def _day(text: str) -> Any:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _dates_before(found: Promise) -> list[tuple[date, str]]:
    """The days it was promised for before, oldest first, and why each was moved."""
    moved = found.changes.exclude(was_due_at=F("due_at"))
    return [(day_that_ends(one.was_due_at, found.site.tz), one.reason) for one in moved]


def _next_question(found: Promise) -> tuple[Any, str] | None:
    """When it is asked about next, and what that waits for; None when nobody is to be asked."""
    armed = found.chases.filter(state=TimerState.ARMED).first()
    return (armed.due_at, said_why(armed.waits_for)) if armed is not None else None


def _may_change(person: Person, found: Promise) -> bool:
    """Whether the buttons would do anything for this person: a review is decided by managers alone."""
    if found.kind == PromiseKind.REVIEW and found.incident is not None:
        return can(person, Action.ACCEPT_NO_FIX, found.incident)
    return lifecycle.may_change(person, found)


def _page(
    request: HttpRequest, found: Promise, person: Person, *, refusal: Refused | None = None
) -> HttpResponse:
    now = timezone.now()
    context = {
        "promise": found,
        "person": person,
        "day": day_of(found, now),
        "has_passed": found.has_passed(now),
        "asks_evidence": found.kind in doing.WITH_EVIDENCE,
        "is_check": found.kind == PromiseKind.CHECK,
        "is_review": found.kind == PromiseKind.REVIEW,
        "may_change": _may_change(person, found),
        "next": _next_question(found),
        "dates_before": _dates_before(found),
        "reasons": InTheWay.choices,
        "given": request.POST,
        "nonce": signing.dumps([found.pk, person.pk], salt=SALT),
        "refusal": refusal,
    }
    return render(request, "escalation/promise_link.html", context, status=refusal.status if refusal else 200)
