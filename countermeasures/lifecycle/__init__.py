"""Every verb that changes a countermeasure. The incident row is locked first: it locks its family."""

from countermeasures.lifecycle.bandages import extend, name_owner, take_off
from countermeasures.lifecycle.causes import write_cause
from countermeasures.lifecycle.elsewhere import (
    applies_elsewhere,
    choose_system,
    does_not_apply_elsewhere,
    done_elsewhere,
)
from countermeasures.lifecycle.measuring import log_measurement
from countermeasures.lifecycle.mistakes import restore
from countermeasures.lifecycle.planning import add, name_checker, plan_check, say_strength, start, withdraw
from countermeasures.lifecycle.proving import check, did_not_hold, put_in_place, waive
from countermeasures.lifecycle.relapses import weigh, weigh_due

__all__ = [
    "add",
    "applies_elsewhere",
    "check",
    "choose_system",
    "did_not_hold",
    "does_not_apply_elsewhere",
    "done_elsewhere",
    "extend",
    "log_measurement",
    "name_checker",
    "name_owner",
    "plan_check",
    "put_in_place",
    "restore",
    "say_strength",
    "start",
    "take_off",
    "waive",
    "weigh",
    "weigh_due",
    "withdraw",
    "write_cause",
]
