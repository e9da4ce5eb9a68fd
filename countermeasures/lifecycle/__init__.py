"""Every verb that changes a countermeasure. The incident row is locked first: it locks its family."""

from countermeasures.lifecycle.bandages import extend, take_off
from countermeasures.lifecycle.measuring import log_measurement
from countermeasures.lifecycle.planning import add, plan_check, start, withdraw, write_cause
from countermeasures.lifecycle.proving import check, did_not_hold, put_in_place, waive
from countermeasures.lifecycle.relapses import weigh, weigh_due

__all__ = [
    "add",
    "check",
    "did_not_hold",
    "extend",
    "log_measurement",
    "plan_check",
    "put_in_place",
    "start",
    "take_off",
    "waive",
    "weigh",
    "weigh_due",
    "withdraw",
    "write_cause",
]
