"""When people of a site are asked about their promises: read, and changed by its IT manager."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from countermeasures.models import Promise
from escalation.models import ChaseRule
from opsdesk.errors import Invalid, NotAllowed
from plant.models import Person, Role, Site

FIELDS = ("before", "lead_after", "it_manager_after", "managers_after", "again_every")
"""Hours, in the order in which people are asked."""

UPWARD = ("lead_after", "it_manager_after", "managers_after")


def may_change(person: Person, site: Site) -> bool:
    return person.is_superuser or person.holds(Role.IT_MANAGER, site=site)


def refuse_unless_changer(by: Person, site: Site) -> None:
    """Raise NotAllowed (403) unless ``by`` looks after when people of the site are asked."""
    if not may_change(by, site):
        raise NotAllowed("not_your_schedule", _("The IT manager of the site changes this. Ask them."))


def schedule_of(site: Site) -> ChaseRule:
    """As it is at the site; the built-in one, not saved, where nobody has changed it."""
    return ChaseRule.objects.filter(site=site).first() or ChaseRule(site=site)


@transaction.atomic
def change_schedule(site: Site, *, by: Person, hours: Mapping[str, int]) -> ChaseRule:
    """Ask sooner or later. What is promised already is planned anew by the engine's next turn.

    ``hours`` by field name. Raises Invalid (`not_upward`) when the managers would hear before the lead.
    """
    refuse_unless_changer(by, site)
    steps = [hours[name] for name in UPWARD]
    if steps != sorted(set(steps)):
        sentence = _("Each of these has to come later than the one before it.")
        raise Invalid("not_upward", sentence, fields={"managers_after": [sentence]})
    kept, _new = ChaseRule.objects.update_or_create(
        site=site, defaults={name: hours[name] for name in FIELDS}
    )
    Promise.objects.open().filter(site=site).update(is_unread=True)
    return kept
