"""Who sees whose promises one by one: themselves, their lead, and the managers (domain §6)."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from countermeasures.promises.models import Outcome, PromiseQuerySet
from plant.models import Person, Role, RoleAssignment, Site

SEE_ALL = (
    Role.PRODUCTION_MANAGER,
    Role.MATERIALS_MANAGER,
    Role.IT_MANAGER,
    Role.PLANT_MANAGER,
    Role.IT_DIRECTOR,
)
IT_TEAM = (Role.IT_TECH, Role.IT_SPECIALIST, Role.IT_LEAD)
IT = (*IT_TEAM, Role.IT_MANAGER, Role.IT_DIRECTOR)
FLOOR = (Role.TEAM_LEADER, Role.SUPERVISOR)


def sees_all(reader: Person, site: Site) -> bool:
    return reader.holds(*SEE_ALL, site=site)


def people_seen(reader: Person, site: Site) -> QuerySet[Person]:
    """Those whose own numbers this person may look at, at this site; always themselves."""
    here = Person.objects.at_site(site)
    if sees_all(reader, site):
        return Person.objects.filter(Q(pk=reader.pk) | Q(pk__in=here.values("pk")))
    return Person.objects.filter(Q(pk=reader.pk) | Q(pk__in=_team(reader, site))).distinct()


def _team(reader: Person, site: Site) -> set[int]:
    """A lead's technicians and specialists; a supervisor's floor, in the areas that are theirs."""
    found: set[int] = set()
    if reader.holds(Role.IT_LEAD, site=site):
        found |= set(_holding(site, IT_TEAM).values_list("person_id", flat=True))
    for held in reader.assignments:
        if held.role == Role.SUPERVISOR and held.site_id in (None, site.pk):
            found |= _floor(site, held)
    return found


def _holding(site: Site, roles: tuple[Role, ...]) -> QuerySet[RoleAssignment]:
    return RoleAssignment.objects.filter(Q(site=site) | Q(site=None), role__in=roles)


def _floor(site: Site, held: RoleAssignment) -> set[int]:
    leaders = _holding(site, (Role.TEAM_LEADER,))
    if held.area_ids:
        leaders = leaders.filter(Q(areas__in=held.area_ids))
    found = set(leaders.values_list("person_id", flat=True))
    if not held.area_ids:
        without_role = Person.objects.filter(site=site, role_assignments=None)
        found |= set(without_role.values_list("pk", flat=True))
    return found


def without_others_late(found: PromiseQuerySet, reader: Person, sites: Iterable[Site]) -> PromiseQuerySet:
    """Everybody reads what is open and what was kept. What ended late stands by name only before who may see
    that person's row, because a list of it would be the row, and before whom it was promised to."""
    for site in sites:
        if not sees_all(reader, site):
            others = ~Q(person__in=people_seen(reader, site).values("pk")) & ~Q(given_to=reader)
            found = found.exclude(others, site=site, outcome=Outcome.LATE)
    return found


def may_see(reader: Person, person: Person, site: Site) -> bool:
    return people_seen(reader, site).filter(pk=person.pk).exists()
