"""What of the plant a person sees: their sites, what is shared, and corporate roles all of it."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from plant.models import Cover, Person, Role, RoleAssignment, Site

M = TypeVar("M", bound=Model)

READS_CONTACTS = (
    Role.IT_TECH,
    Role.IT_SPECIALIST,
    Role.IT_LEAD,
    Role.IT_MANAGER,
    Role.IT_DIRECTOR,
    Role.SUPERVISOR,
    Role.PRODUCTION_MANAGER,
    Role.MATERIALS_MANAGER,
    Role.DEPT_MANAGER,
    Role.PLANT_MANAGER,
)
"""Roles that see how others are reached, and why somebody is away; everybody sees their own."""


def of_sites(found: QuerySet[M], *, reader: Person, by: str, shared: bool = False) -> QuerySet[M]:
    """Rows of the reader's sites. ``by`` leads to the site; with ``shared``, rows of no site are seen too."""
    if reader.is_corporate:
        return found
    seen = Q(**{f"{by}__in": reader.site_ids})
    return found.filter(seen | Q(**{by: None}) if shared else seen)


def people_seen_by(reader: Person) -> QuerySet[Person]:
    """Active people of the reader's sites, those who hold a role for one of them, and corporate people."""
    people = Person.objects.active()
    if reader.is_corporate:
        return people
    at_home = RoleAssignment.objects.filter(Q(site__in=reader.site_ids) | Q(site=None))
    return people.filter(Q(site__in=reader.site_ids) | Q(pk__in=at_home.values("person")) | Q(pk=reader.pk))


def people_of_site(site: Site) -> QuerySet[Person]:
    """Active people who work at the site or hold a role for it, by name."""
    holders = RoleAssignment.objects.filter(site=site).values("person")
    return Person.objects.active().filter(Q(site=site) | Q(pk__in=holders)).order_by("name")


def cover_seen_by(reader: Person) -> QuerySet[Cover]:
    return Cover.objects.filter(absent__in=people_seen_by(reader))


def may_read_contacts(reader: Person) -> bool:
    return reader.is_superuser or reader.holds(*READS_CONTACTS)
