"""Who may change the roster and the plant's calendar, and who reads everybody's week."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from opsdesk.errors import NotAllowed
from plant.models import Person, Role, Site

CHANGES_ROSTER = (Role.IT_MANAGER, Role.IT_LEAD)
CHANGES_CALENDAR = (Role.IT_MANAGER,)
READS_ROSTER = (
    *CHANGES_ROSTER,
    Role.SUPERVISOR,
    Role.PRODUCTION_MANAGER,
    Role.MATERIALS_MANAGER,
    Role.DEPT_MANAGER,
    Role.PLANT_MANAGER,
    Role.IT_DIRECTOR,
)
"""Roles that see everybody's week; everybody else sees their own, and who is on."""


def may_change_roster(person: Person, site: Site) -> bool:
    return person.is_superuser or person.holds(*CHANGES_ROSTER, site=site)


def may_change_roster_of(person: Person, other: Person) -> bool:
    """Whether the person looks after the roster of a site that the other belongs to or holds a role for."""
    if person.is_superuser:
        return True
    held = [one for one in person.assignments if one.role in CHANGES_ROSTER]
    return any(one.site_id is None or one.site_id in other.site_ids for one in held)


def may_change_calendar(person: Person, site: Site) -> bool:
    return person.is_superuser or person.holds(*CHANGES_CALENDAR, site=site)


def may_read_reach(person: Person, site: Site) -> bool:
    """Whether the person sees what is wrong with how each other person is reached."""
    return person.is_superuser or person.holds(Role.IT_MANAGER, site=site)


def refuse_reach(by: Person, site: Site) -> None:
    """Raise NotAllowed (403) unless ``by`` looks after how people of the site are reached."""
    if not may_read_reach(by, site):
        raise NotAllowed(
            "not_your_people", _("The IT manager of the site sees who can be reached. Ask them.")
        )


def may_change_contact(person: Person, other: Person) -> bool:
    """Whether the person decides how the other is told: their own, or as IT manager of their site.

    Who works for every site is looked after by who does so too.
    """
    if person.is_superuser or person.pk == other.pk:
        return True
    held = [one for one in person.assignments if one.role == Role.IT_MANAGER]
    if other.is_superuser or other.is_corporate:
        return any(one.site_id is None for one in held)
    return any(one.site_id is None or one.site_id in other.site_ids for one in held)


def refuse_contact(by: Person, other: Person) -> None:
    """Raise NotAllowed (403) unless ``by`` may decide how ``other`` is told."""
    if not may_change_contact(by, other):
        raise NotAllowed(
            "not_your_contact", _("Each person and their IT manager decide how they are told. Ask them.")
        )


def may_read_roster(person: Person, site: Site) -> bool:
    return person.is_superuser or person.holds(*READS_ROSTER, site=site)


def refuse_roster_change(by: Person, *, of: Person | None = None, at: Site | None = None) -> None:
    """Raise NotAllowed (403) unless ``by`` may change the roster of the person or of the site."""
    allowed = may_change_roster_of(by, of) if of else bool(at and may_change_roster(by, at))
    if not allowed:
        raise NotAllowed("not_your_roster", _("The IT manager and the IT leads change the roster. Ask them."))


def refuse_calendar_change(by: Person, site: Site) -> None:
    """Raise NotAllowed (403) unless ``by`` may change when the site works."""
    if not may_change_calendar(by, site):
        raise NotAllowed("not_your_calendar", _("The IT manager changes the plant’s calendar. Ask them."))
