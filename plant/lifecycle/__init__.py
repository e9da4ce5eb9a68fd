"""The verbs of the roster and of the plant's calendar."""

from plant.lifecycle.calendar import add_entry, change_entry, remove_entry, set_calendar
from plant.lifecycle.contact import Choices, change_addresses, choose_ways, mark_verified
from plant.lifecycle.cover import (
    LONGEST,
    ShiftTime,
    add_cover,
    change_cover,
    end_cover,
    is_back,
    refuse_wrong_cover,
    remove_cover,
    swap_shifts,
)
from plant.lifecycle.crew import put_into_crew

__all__ = [
    "LONGEST",
    "Choices",
    "ShiftTime",
    "add_cover",
    "add_entry",
    "change_addresses",
    "change_cover",
    "change_entry",
    "choose_ways",
    "end_cover",
    "is_back",
    "mark_verified",
    "put_into_crew",
    "refuse_wrong_cover",
    "remove_cover",
    "remove_entry",
    "set_calendar",
    "swap_shifts",
]
