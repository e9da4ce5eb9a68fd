"""Which policy applies to an incident, publishing a new version of one, and taking an override back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalation.defaults import DEFAULT_CLOCKS
from escalation.models import Policy
from escalation.pace import practice_pace
from escalation.permissions import Publisher
from escalation.policy_checks import nobody_could_take_it, problems, soon_told
from escalation.policy_words import Names
from escalation.steps import CAN_TAKE, CLOCKS, SAFETY, BadPolicy, PolicyClocks, Step
from incidents.models import Category, Incident, Severity
from opsdesk.errors import Invalid, Refused, Stale
from plant.models import Area, Person, Site

DEFAULT_WHY = gettext_lazy("The policy every plant starts with")

SCOPE = ("severity", "site_id", "area_id", "category_id")
"""What all versions of one policy have in common."""

_read: dict[int, tuple[Any, PolicyClocks]] = {}
"""Versions never change, so each is read once per process; the JSON beside it guards against a reused id."""


def clocks_of(policy: Policy) -> PolicyClocks:
    """The ladders of a published version."""
    known = _read.get(policy.pk)
    if known is None or known[0] != policy.clocks:
        known = _read[policy.pk] = (
            policy.clocks,
            PolicyClocks.parse(policy.clocks, severity=policy.severity),
        )
    return known[1]


def clocks_for(policy: Policy, *, is_drill: bool) -> PolicyClocks:
    """The ladders as an incident runs them: a practice has a pace of its own."""
    clocks = clocks_of(policy)
    return practice_pace(clocks) if is_drill else clocks


@dataclass(frozen=True, slots=True)
class PolicyBook:
    """All policies in force, read in one query: the most specific one wins."""

    policies: tuple[Policy, ...]

    @classmethod
    def load(cls, severities: Iterable[str] | None = None) -> PolicyBook:
        """All of them, or those of some severities: fewer ladders to unpack."""
        found = Policy.objects.current()
        return cls(tuple(found if severities is None else found.filter(severity__in=set(severities))))

    def policy(
        self,
        severity: str,
        *,
        site_id: int | None,
        area_id: int | None = None,
        category_id: int | None = None,
    ) -> Policy:
        """Category before area before site before the default of the severity."""
        place = {"site_id": site_id, "area_id": area_id, "category_id": category_id}
        fitting = [p for p in self.policies if p.severity == severity and _fits(p, place)]
        if not fitting:
            ensure_policies()
            return Policy.objects.current().get(severity=severity, site=None, area=None, category=None)
        return max(fitting, key=_how_specific)

    def of(self, incident: Incident) -> Policy:
        return self.policy(
            incident.severity,
            site_id=incident.site_id,
            area_id=incident.area_id,
            category_id=incident.category_id,
        )


def _fits(policy: Policy, place: Mapping[str, int | None]) -> bool:
    return all(getattr(policy, name) in (None, value) for name, value in place.items())


def _how_specific(policy: Policy) -> tuple[bool, bool, bool]:
    return policy.category_id is not None, policy.area_id is not None, policy.site_id is not None


@transaction.atomic
def ensure_policies() -> None:
    """Every severity has a default policy; what somebody published is left alone. Runs after migrate."""
    there = set(
        Policy.objects.current()
        .filter(site=None, area=None, category=None)
        .values_list("severity", flat=True)
    )
    missing = [severity for severity in Severity.values if severity not in there]
    Policy.objects.bulk_create(
        [
            Policy(severity=severity, version=1, clocks=DEFAULT_CLOCKS[severity], why=str(DEFAULT_WHY))
            for severity in missing
        ],
        ignore_conflicts=True,
    )


def versions_of(policy: Policy) -> QuerySet[Policy]:
    """All versions of the same severity and place, newest first."""
    return Policy.objects.filter(**{name: getattr(policy, name) for name in SCOPE}).order_by("-version")


def names_in(found: Iterable[Policy]) -> Names:
    """The names of the people that these versions tell, in one query."""
    usernames = {name for policy in found for name in clocks_of(policy).named_people}
    return dict(Person.objects.filter(username__in=usernames).values_list("username", "name"))


@transaction.atomic
def publish(
    *,
    by: Person | None,
    severity: str,
    clocks: Mapping[str, Any],
    why: str,
    site: Site | None = None,
    area: Area | None = None,
    category: Category | None = None,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Policy:
    """Put a new version in force. Running incidents keep theirs.

    `by` is None for the installation itself. `seen_version` is the version in force when the publisher began
    (0 for none); another one by now raises Stale. NotAllowed is raised for all but the IT managers of that
    area or site, or of every site where none is named (`escalation.permissions`), and Invalid with a plain
    sentence for a policy that could leave an incident silent, for a step that can never fire, and for
    unknown people.
    """
    site = area.site if area else site
    if by is not None:
        Publisher(by).refuse_unless(site, area)
    if not why.strip():
        raise Invalid("no_reason", _("Say why."), fields={"why": [_("Say why.")]})
    found = problems(dict(clocks), severity=severity)
    if found:
        raise found[0]
    parsed = PolicyClocks.parse(dict(clocks), severity=severity)
    _refuse_unknown_people(parsed)
    _refuse_if_nobody_could_take_it(parsed)
    scope = Policy.objects.filter(severity=severity, site=site, area=area, category=category)
    list(scope.filter(is_current=True).select_for_update(of=("self",)))
    _refuse_if_stale(scope, seen_version)
    scope.filter(is_current=True).update(is_current=False)
    try:
        with transaction.atomic():
            return Policy.objects.create(
                severity=severity,
                site=site,
                area=area,
                category=category,
                version=(scope.aggregate(last=Max("version"))["last"] or 0) + 1,
                clocks={name: clocks[name] for name in (*CLOCKS, SAFETY) if name in clocks},
                published_at=now or timezone.now(),
                published_by=by,
                why=why.strip(),
            )
    except IntegrityError as error:  # two began the same override at once: there was no row to lock
        raise _stale() from error


@transaction.atomic
def withdraw(
    policy: Policy,
    *,
    by: Person | None,
    why: str,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Policy:
    """Take an override back: its place does as it would without it. Running incidents keep theirs.

    The version stays, with who took it back and why; a later override there gets the next number. NotAllowed
    is raised for who may not publish there, Refused for the policy that holds everywhere and for an override
    that would leave its place with a policy that is refused by now, Invalid without a reason, and Stale when
    this version, or `seen_version`, is not the one in force any more.
    """
    if by is not None:
        Publisher(by).refuse_unless(policy.site, policy.area)
    if not policy.is_override:
        raise Refused("holds_everywhere", _("This holds wherever nothing else is said. Change it instead."))
    if not why.strip():
        raise Invalid("no_reason", _("Say why."), fields={"why": [_("Say why.")]})
    in_force = versions_of(policy).filter(is_current=True).select_for_update(of=("self",)).first()
    if in_force is None or in_force.pk != policy.pk or seen_version not in (None, in_force.version):
        raise Stale(_("Somebody changed this or took it back meanwhile. Nothing was taken back."))
    _refuse_silence(policy_without(in_force))
    in_force.is_current = False
    in_force.withdrawn_at, in_force.withdrawn_by = now or timezone.now(), by
    in_force.withdrawn_why = why.strip()
    in_force.save(update_fields=["is_current", "withdrawn_at", "withdrawn_by", "withdrawn_why"])
    return in_force


def policy_without(override: Policy) -> Policy:
    """What holds in the place of an override when there is none."""
    book = PolicyBook.load([override.severity])
    others = PolicyBook(tuple(one for one in book.policies if not _is_same_scope(one, override)))
    return others.policy(
        override.severity,
        site_id=override.site_id,
        area_id=override.area_id,
        category_id=override.category_id,
    )


def _is_same_scope(one: Policy, other: Policy) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in SCOPE)


def _refuse_silence(policy: Policy) -> None:
    """Raise Refused for a policy that was published before a check that it would not pass now."""
    try:
        for problem in problems(policy.clocks, severity=policy.severity):
            raise problem
        _refuse_if_nobody_could_take_it(clocks_of(policy))
    except Invalid as problem:
        raise Refused(
            "would_be_silent",
            _("What would hold here then is not right: %(problem)s Change that first.")
            % {"problem": problem},
        ) from problem


def _refuse_if_stale(scope: QuerySet[Policy], seen_version: int | None) -> None:
    if seen_version is None:
        return
    in_force = scope.filter(is_current=True).values_list("version", flat=True).first() or 0
    if in_force != seen_version:
        raise _stale()


def _stale() -> Stale:
    return Stale(_("Somebody published another version or took it back. Yours is kept here, not published."))


def _refuse_unknown_people(clocks: PolicyClocks) -> None:
    """Every person a step names must be somebody who works here."""
    named = clocks.named_people
    known = set(Person.objects.active().filter(username__in=named).values_list("username", flat=True))
    for username in sorted(named - known):
        clock, n = next(place for place in _places(clocks) if username in _step(clocks, *place).people)
        sentence = _("There is nobody called “%(name)s” here.") % {"name": username}
        raise BadPolicy(sentence, clock=clock, step=n)


def _refuse_if_nobody_could_take_it(clocks: PolicyClocks) -> None:
    """Where no role is told in time that may take it, one of the people who are named there may."""
    steps = soon_told(clocks)
    if any(CAN_TAKE & set(step.roles) for step in steps):
        return
    named = {name for step in steps for name in step.people}
    takers = Person.objects.active().filter(username__in=named, role_assignments__role__in=CAN_TAKE)
    if not takers.exists():
        raise nobody_could_take_it(clocks.severity)


def _places(clocks: PolicyClocks) -> list[tuple[str, int]]:
    """(clock, number of the step from 1) of every step."""
    return [(clock, n + 1) for clock in CLOCKS for n in range(len(clocks.ladder(clock)))] + [(SAFETY, 1)]


def _step(clocks: PolicyClocks, clock: str, n: int) -> Step:
    return clocks.safety if clock == SAFETY else clocks.ladder(clock)[n - 1]
