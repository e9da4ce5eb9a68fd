"""Who is told when: the policies in force in plain words, their versions, and what changed between two."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from escalation import policy_words as words
from escalation.models import Policy
from escalation.permissions import Publisher
from escalation.policies import clocks_of, names_in, versions_of
from escalation.policy_diff import Change, diff
from escalation.policy_words import CLOCK_HELP, CLOCK_NAMES, Names
from escalation.steps import CLOCKS, SAFETY, PolicyClocks, steps_of
from incidents.models import Impact, Incident, Severity
from opsdesk.errors import Missing, NotAllowed
from opsdesk.htmx import show
from plant.models import Person, Site
from plant.permissions import may_read_roster
from plant.views.places import Where, where_of
from plant.visibility import of_sites

MOST_VERSIONS = 200
NAMED = ("site", "area__site", "category", "published_by", "withdrawn_by")


@dataclass(frozen=True, slots=True)
class SaidStep:
    """When, and who by which way."""

    when: str
    whom: str


@dataclass(frozen=True, slots=True)
class SaidClock:
    """A clock in words."""

    name: str
    help: str
    steps: list[SaidStep]


@dataclass(frozen=True, slots=True)
class SaidPolicy:
    """A version in words; for an override also how it differs from the usual."""

    policy: Policy
    clocks: list[SaidClock]
    differs: list[Change]
    may_change: bool

    @property
    def where(self) -> str:
        return scope_words(self.policy)


@dataclass(frozen=True, slots=True)
class SaidSeverity:
    """The policy that holds everywhere, and where another one does."""

    severity: Severity
    usual: SaidPolicy | None
    overrides: list[SaidPolicy]
    taken_back: list[tuple[str, Policy]]
    """Where it was different once, and the last version there."""

    @property
    def impacts(self) -> list[Impact]:
        return impacts_of(self.severity)


@login_required
@require_safe
def policies(request: HttpRequest) -> HttpResponse:
    """What is in force at a site, by severity. Always the same number of queries."""
    where = where_of(request)
    refuse_unless_reader(where.person, where.site)
    found, gone = list(_in_force(where)), list(_taken_back(where))
    people, publisher = names_in(found), Publisher(where.person)
    context = {
        "where": where,
        "severities": [_severity(one, found, gone, people, publisher) for one in Severity],
        "may_change": publisher.may(where.site),
        "may_add": publisher.may_somewhere(where.site),
    }
    with timezone.override(where.site.tz):
        return show(request, "escalation/policies/list.html", context)


@login_required
@require_safe
def policy(request: HttpRequest, pk: int) -> HttpResponse:
    """One version in words, all versions of the same policy, and what changed between two of them."""
    where = where_of(request)
    person = where.person
    found = policy_of(person, pk)
    refuse_unless_reader(person, found.site or where.site)
    versions = list(versions_of(found).select_related("published_by", "withdrawn_by")[:MOST_VERSIONS])
    new = _chosen(versions, request.GET.get("new", "")) or found
    old = _chosen(versions, request.GET.get("old", "")) or _before(versions, new)
    people = names_in([found, new, *([old] if old else [])])
    context = {
        "where": where,
        "said": said(found, people, Publisher(person)),
        "impacts": impacts_of(found.severity),
        "versions": versions,
        "old": old,
        "new": new,
        "changes": diff(clocks_of(old), clocks_of(new), people) if old else [],
    }
    with timezone.override((found.site or where.site).tz):
        return show(request, "escalation/policies/policy.html", context)


# --- shared with the editor ---------------------------------------------------------------------------------


def refuse_unless_reader(person: Person, site: Site) -> None:
    if not may_read_roster(person, site):
        raise NotAllowed("wrong_role", _("Leads and managers read who is told when. The preview is for all."))


def policy_of(person: Person, pk: int) -> Policy:
    """A version of the person's sites, or of everywhere. Raises Missing."""
    visible = of_sites(Policy.objects.all(), reader=person, by="site", shared=True)
    found = visible.select_related(*NAMED).filter(pk=pk).first()
    if found is None:
        raise Missing("unknown_policy", _("There is no such policy, or it is not for your site."))
    return found


def scope_words(policy: Policy) -> str:
    """Where it holds: "everywhere", "Final Assembly, Printer or labels"."""
    place = policy.area or policy.site
    parts = [str(part) for part in (place, policy.category) if part]
    return ", ".join(parts) or _("everywhere")


def running_under(scope: Policy) -> QuerySet[Incident]:
    """Open incidents that started under a version of this policy."""
    return Incident.objects.open().filter(
        run__policy__severity=scope.severity,
        run__policy__site=scope.site_id,
        run__policy__area=scope.area_id,
        run__policy__category=scope.category_id,
    )


def impacts_of(severity: str) -> list[Impact]:
    return [impact for impact in Impact if impact.severity == severity]


def clocks_in_words(policy: PolicyClocks, people: Names) -> list[SaidClock]:
    """Clocks without a step are left out; safety is said for S1 alone."""
    clocks = (*CLOCKS, SAFETY) if policy.severity == "S1" else CLOCKS
    return [
        SaidClock(
            str(CLOCK_NAMES[clock]),
            str(CLOCK_HELP[clock]),
            [
                SaidStep(words.when(step, clock), words.whom_and_how(step, people))
                for step in steps_of(policy, clock)
            ],
        )
        for clock in clocks
        if steps_of(policy, clock)
    ]


def said(policy: Policy, people: Names, reader: Publisher, *, usual: Policy | None = None) -> SaidPolicy:
    read = clocks_of(policy)
    return SaidPolicy(
        policy,
        clocks_in_words(read, people),
        diff(clocks_of(usual), read, people) if usual else [],
        reader.may(policy.site, policy.area),
    )


# --- the list ---


def _in_force(where: Where) -> QuerySet[Policy]:
    return _here(where, Policy.objects.current())


def _taken_back(where: Where) -> QuerySet[Policy]:
    """The newest first; what was published there again is among them."""
    return _here(where, Policy.objects.exclude(withdrawn_at=None)).order_by("-withdrawn_at")[:MOST_VERSIONS]


def _here(where: Where, found: QuerySet[Policy]) -> QuerySet[Policy]:
    visible = of_sites(found, reader=where.person, by="site", shared=True)
    here = visible.filter(site=None) | visible.filter(site=where.site)
    return here.select_related(*NAMED)


def _severity(
    severity: Severity, found: list[Policy], gone: list[Policy], people: Names, reader: Publisher
) -> SaidSeverity:
    mine = [one for one in found if one.severity == severity]
    usual = next((one for one in mine if one.site_id is None and one.category_id is None), None)
    others = [one for one in mine if one is not usual]
    return SaidSeverity(
        severity,
        said(usual, people, reader) if usual else None,
        [said(one, people, reader, usual=usual) for one in others],
        _no_more([one for one in gone if one.severity == severity], {scope_words(one) for one in others}),
    )


def _no_more(gone: Iterable[Policy], there: set[str]) -> list[tuple[str, Policy]]:
    """Each place once, with its last version; not where another override holds by now."""
    last: dict[str, Policy] = {}
    for policy in gone:
        last.setdefault(scope_words(policy), policy)
    return [(place, policy) for place, policy in last.items() if place not in there]


# --- versions ---


def _chosen(versions: Iterable[Policy], pk: str) -> Policy | None:
    return next((one for one in versions if str(one.pk) == pk), None)


def _before(versions: Iterable[Policy], policy: Policy) -> Policy | None:
    return next((one for one in versions if one.version < policy.version), None)
