"""What may be done next with a countermeasure, and by whom. Screens ask before they show a button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise

from countermeasures.models import BEFORE, Countermeasure, Kind, Stage
from incidents.models import Incident
from incidents.permissions import Action, can
from plant.models import Person


@dataclass(frozen=True, slots=True)
class Offer:
    """One verb: its name in the address, its words on the button, and whether it fits now.

    `asks`: it opens a form, because a rule needs more than the tap.
    """

    verb: str
    label: StrPromise
    fits: Callable[[Countermeasure], bool]
    action: Action
    asks: bool = True


def _is_bandage(found: Countermeasure) -> bool:
    return found.kind == Kind.CONTAINMENT


def _is_worn(found: Countermeasure) -> bool:
    return _is_bandage(found) and found.removed_at is None and found.stage != Stage.WITHDRAWN


def _can_come_off(found: Countermeasure) -> bool:
    return _is_worn(found) and found.stage == Stage.IN_PLACE


def _can_be_proved(found: Countermeasure) -> bool:
    return not _is_bandage(found) and found.stage in (Stage.IN_PLACE, Stage.CHECKING)


def _was_failed_by_a_repeat(found: Countermeasure) -> bool:
    return found.stage == Stage.NOT_EFFECTIVE and found.checked_by_id is None


def _lacks_strength(found: Countermeasure) -> bool:
    """It was never said, or something stronger is needed and can still be chosen."""
    if _is_bandage(found):
        return False
    if found.stage in BEFORE:
        return not (found.strength and found.is_strong_enough)
    return not (found.strength or found.is_strong_enough)


def _lacks_check(found: Countermeasure) -> bool:
    return not _is_bandage(found) and found.stage in BEFORE


OFFERS: tuple[Offer, ...] = (
    Offer("start", _("Promise it"), lambda c: c.stage in (Stage.PLANNED, Stage.NOT_EFFECTIVE), Action.PLAN),
    Offer("new-date", _("Agree a new date"), lambda c: c.stage == Stage.IN_WORK, Action.PLAN),
    Offer("plan-check", _("Plan the check"), _lacks_check, Action.PLAN),
    Offer("strength", _("Say how strong it is"), _lacks_strength, Action.PLAN),
    Offer("in-place", _("It is in place"), lambda c: c.stage in (Stage.PLANNED, Stage.IN_WORK), Action.PLAN),
    Offer("check", _("Does it hold?"), _can_be_proved, Action.CHECK),
    Offer("checker", _("Name another checker"), lambda c: c.stage == Stage.CHECKING, Action.PLAN),
    Offer("restore", _("The repeat was a mistake"), _was_failed_by_a_repeat, Action.CHECK),
    Offer("waive", _("A weaker one is enough"), lambda c: not c.is_strong_enough, Action.WAIVE),
    Offer("extend", _("Let it stay longer"), _is_worn, Action.EXTEND),
    Offer("take-off", _("It is off"), _can_come_off, Action.PLAN, False),
    Offer("owner", _("Somebody else looks after it"), _can_come_off, Action.PLAN),
    Offer("withdraw", _("Give it up"), lambda c: c.stage in BEFORE, Action.PLAN),
)
"""In the order in which they are shown."""

OF_WORN = tuple(offer for offer in OFFERS if offer.verb in ("extend", "take-off", "owner"))
"""A problem may be closed without a fix while its bandage is on: somebody still takes it off on its day."""


def offers(found: Countermeasure, person: Person) -> list[Offer]:
    """What this person may do with it now; of a closed incident only with what is still owed."""
    fitting = [offer for offer in _open_to(found) if offer.fits(found)]
    allowed = {action for action in {offer.action for offer in fitting} if _may(action, found, person)}
    return [offer for offer in fitting if offer.action in allowed]


def _open_to(found: Countermeasure) -> tuple[Offer, ...]:
    if found.stage == Stage.WITHDRAWN:
        return ()
    if found.is_pursued:
        return OFFERS
    return OF_WORN if _is_worn(found) else ()


def _may(action: Action, found: Countermeasure, person: Person) -> bool:
    if action == Action.CHECK and found.owner_id == person.pk:
        return False  # the checker is never the owner
    is_own_promise = action == Action.PLAN and found.owner_id == person.pk
    return is_own_promise or can(person, action, found.incident)


def may_measure(found: Countermeasure, person: Person) -> bool:
    """Whether this person may write into its measurement log now."""
    if found.kind == Kind.CONTAINMENT or found.stage in (Stage.WITHDRAWN, Stage.EFFECTIVE):
        return False
    acts = can(person, Action.CHECK, found.incident) or can(person, Action.PLAN, found.incident)
    return found.is_pursued and (acts or found.owner_id == person.pk)


def may_plan(incident: Incident, person: Person) -> bool:
    """Whether this person may add a countermeasure or write the causes."""
    return incident.is_open and can(person, Action.PLAN, incident)
