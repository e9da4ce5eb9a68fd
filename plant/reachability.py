"""Whether people can be reached: what is wrong with each, and what to do about it.

An alert that goes to a number nobody ever tried is a hope. So every person whom a duty could call is looked
at: each night, whenever somebody saves them, and on the page *Who can be reached*. Judging is pure; reading
is four queries for a site. What only the sending side knows (a message that came back, people that a policy
names) is handed in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import models
from django.db.models import Prefetch, Q
from django.utils.translation import gettext_lazy as _

from plant.models import SHIFT_ROLES, Channel, Person, Role, RoleAssignment, Roster, Site

NOBODY: Mapping[int, frozenset[str]] = {}


class Level(models.TextChoices):
    """An error: a way that alerts take is missing. A warning: it may work, and nobody has made sure."""

    ERROR = "error", _("Cannot be reached as planned")
    WARNING = "warning", _("May not be reached")


class Fault(models.TextChoices):
    """What is wrong, worst first. The label goes into a sentence after the name."""

    SWITCHED_OFF = "switched_off", _("login switched off, and still named in a policy or for the site")
    NO_MOBILE = "no_mobile", _("no mobile number")
    SMS_STOPPED = "sms_stopped", _("asked for no more text messages")
    NO_EMAIL = "no_email", _("no email address")
    SMS_CAME_BACK = "sms_came_back", _("the last text message did not arrive")
    EMAIL_CAME_BACK = "email_came_back", _("the last email did not arrive")
    NOT_ON_ROSTER = "not_on_roster", _("on no roster, so never on shift")
    LEFT_ON_ROSTER = "left_on_roster", _("login switched off, and still on the roster")
    MOBILE_UNVERIFIED = "mobile_unverified", _("mobile number not verified")
    EMAIL_UNVERIFIED = "email_unverified", _("email address not verified")

    @property
    def level(self) -> Level:
        return Level.ERROR if self in _ERRORS else Level.WARNING

    @property
    def to_do(self) -> str:
        """What to do about it, as a sentence in the language in force."""
        return str(_TO_DO[self])


_ERRORS = frozenset({Fault.SWITCHED_OFF, Fault.NO_MOBILE, Fault.SMS_STOPPED, Fault.NO_EMAIL})

_TO_DO = {
    Fault.SWITCHED_OFF: _("Name somebody else there, or switch the login on."),
    Fault.NO_MOBILE: _("Enter their mobile number."),
    Fault.SMS_STOPPED: _("Ask them to text START to the number that texts them."),
    Fault.NO_EMAIL: _("Enter their email address."),
    Fault.SMS_CAME_BACK: _("Check the number with them."),
    Fault.EMAIL_CAME_BACK: _("Check the address with them."),
    Fault.NOT_ON_ROSTER: _("Put them into a crew."),
    Fault.LEFT_ON_ROSTER: _("End their roster."),
    Fault.MOBILE_UNVERIFIED: _("Send them a code, or ask them to do it under their settings."),
    Fault.EMAIL_UNVERIFIED: _("Send them the link, or ask them to do it under their settings."),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known about how a person is reached.

    ``is_named``: a policy or the site names them. ``came_back``: channels whose last message failed.
    """

    person: Person
    roles: frozenset[str]
    is_on_roster: bool
    is_named: bool = False
    came_back: frozenset[str] = frozenset()

    @property
    def role_labels(self) -> str:
        """The roles they hold, in the order of the ladder, in the language in force."""
        return ", ".join(str(role.label) for role in Role if role in self.roles)


@dataclass(frozen=True, slots=True)
class Judged:
    """A person and what is wrong with how they are reached, worst first; nothing when all is well."""

    standing: Standing
    faults: tuple[Fault, ...]

    @property
    def person(self) -> Person:
        return self.standing.person

    @property
    def level(self) -> Level | None:
        """The worst of its faults."""
        levels = {fault.level for fault in self.faults}
        return next((level for level in Level if level in levels), None)

    @property
    def what(self) -> str:
        """ "no mobile number, email address not verified" in the language in force."""
        return ", ".join(str(fault.label) for fault in self.faults)


def judge(standing: Standing) -> tuple[Fault, ...]:
    """What is wrong, worst first. Nobody calls who holds no role and is not named, so nothing is there."""
    found = set(_faults(standing))
    return tuple(fault for fault in Fault if fault in found)


def _faults(standing: Standing) -> Iterator[Fault]:
    person = standing.person
    if not person.is_active:
        if standing.is_named:
            yield Fault.SWITCHED_OFF
        if standing.is_on_roster:
            yield Fault.LEFT_ON_ROSTER
        return
    if not (standing.roles or standing.is_named):
        return
    yield from _of_mobile(standing)
    yield from _of_email(standing)
    if standing.roles & SHIFT_ROLES and not standing.is_on_roster:
        yield Fault.NOT_ON_ROSTER


def _of_mobile(standing: Standing) -> Iterator[Fault]:
    if not standing.person.mobile:
        yield Fault.NO_MOBILE
    elif standing.person.wants_no_texts:
        yield Fault.SMS_STOPPED
    elif Channel.SMS in standing.came_back:
        yield Fault.SMS_CAME_BACK
    elif standing.person.mobile_verified_at is None:
        yield Fault.MOBILE_UNVERIFIED


def _of_email(standing: Standing) -> Iterator[Fault]:
    if not standing.person.email:
        yield Fault.NO_EMAIL
    elif Channel.EMAIL in standing.came_back:
        yield Fault.EMAIL_CAME_BACK
    elif standing.person.email_verified_at is None:
        yield Fault.EMAIL_UNVERIFIED


# --- reading ------------------------------------------------------------------------------------------------


def judged_at(
    site: Site,
    now: datetime,
    *,
    named: Collection[str] = (),
    came_back: Mapping[int, frozenset[str]] = NOBODY,
    only_home: bool = False,
) -> list[Judged]:
    """Everybody whom a duty or a policy could call about this site, those with errors first, then by name.

    ``named``: usernames in policies. ``only_home`` leaves out who belongs to another site and helps here: a
    report about them goes to where they belong. Four queries.
    """
    today = now.astimezone(site.tz).date()
    last_resort = Q(pk=site.last_resort_id or 0)
    held = RoleAssignment.objects.filter(Q(site=site) | Q(site=None)).values("person")
    here = Roster.objects.filter(_runs(today), crew__pattern__site=site).values("person")
    called = Q(is_active=True) & (Q(pk__in=held) | last_resort | Q(username__in=named))
    gone = Q(is_active=False) & (Q(pk__in=here) | last_resort | Q(username__in=named))
    found = Person.objects.filter(called | gone)
    if only_home:
        found = found.filter(Q(site=site) | Q(site=None))
    standings = (
        _standing(
            person,
            site=site,
            is_named=person.pk == site.last_resort_id or person.username in named,
            came_back=came_back.get(person.pk, frozenset()),
        )
        for person in _with_rosters(found, today)
    )
    judged = [Judged(standing, judge(standing)) for standing in standings]
    return sorted(judged, key=_worst_first)


def judged_now(people: Collection[Person], now: datetime) -> list[Judged]:
    """The same for some people, wherever they work, as they are in the database: asked after saving them.

    Four queries. Only who has something wrong is returned.
    """
    ids = {person.pk for person in people}
    resorts = set(Site.objects.filter(last_resort__in=ids).values_list("last_resort_id", flat=True))
    found = []
    for person in _with_rosters(Person.objects.filter(pk__in=ids), now.date()):
        standing = _standing(person, site=None, is_named=person.pk in resorts)
        if faults := judge(standing):
            found.append(Judged(standing, faults))
    return sorted(found, key=_worst_first)


def _worst_first(judged: Judged) -> tuple[int, str, int]:
    order = {Level.ERROR: 0, Level.WARNING: 1, None: 2}
    return order[judged.level], judged.person.name.casefold(), judged.person.pk


def _runs(day: date) -> Q:
    """Rosters that hold then or later: who starts next week is on the roster."""
    return Q(last_day=None) | Q(last_day__gte=day)


def _with_rosters(people: models.QuerySet[Person], day: date) -> models.QuerySet[Person]:
    rosters = Prefetch("rosters", queryset=Roster.objects.filter(_runs(day)), to_attr="running_rosters")
    return people.select_related("site").prefetch_related("role_assignments__areas", rosters).order_by("name")


def _standing(
    person: Person, *, site: Site | None, is_named: bool, came_back: frozenset[str] = frozenset()
) -> Standing:
    held = [row for row in person.assignments if site is None or row.site_id in (None, site.pk)]
    return Standing(
        person,
        frozenset(row.role for row in held),
        is_on_roster=bool(getattr(person, "running_rosters", ())),
        is_named=is_named,
        came_back=came_back,
    )
