"""The policies a plant starts with: domain §4 and `escalation_policies` of the demo plant, completed.

Where those give no number, these are used; every one of them can be changed by publishing a new version:
the `update` ladder of S3 has twice the patience of S2; `repeat`, the time after which a used-up ladder
tells everybody again, is the ladder's last gap, but 15 minutes for the response to a stopped line (its last
gap, 5 minutes, would be an SMS every 5 minutes to seven people), 60 minutes for S1 containment, 2 h for S2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Clocks = dict[str, list[dict[str, Any]]]

_BOTH = ["production_manager", "materials_manager"]


def _step(
    after: int,
    roles: Sequence[str],
    channels: Sequence[str],
    *,
    repeat: int | None = None,
    people: Sequence[str] = (),
) -> dict[str, Any]:
    return {
        "after": after,
        "roles": list(roles),
        "people": list(people),
        "channels": list(channels),
        "repeat": repeat,
        "answer": False,
    }


def _closure(hours: int, roles: Sequence[str], channels: Sequence[str]) -> list[dict[str, Any]]:
    return [_step(hours * 60, roles, channels, repeat=hours * 60)]


SAFETY = [_step(0, ["plant_manager"], ["sms", "email"])]

DEFAULT_CLOCKS: dict[str, Clocks] = {
    "S1": {
        "response": [
            _step(0, ["it_tech", "supervisor"], ["push", "sms"]),
            _step(5, ["it_lead", "it_specialist"], ["sms"]),
            _step(10, ["it_manager", *_BOTH], ["sms", "email"], repeat=15),
        ],
        "containment": [
            _step(15, ["it_specialist", "it_lead"], ["sms"]),
            _step(30, ["it_manager", *_BOTH], ["sms", "email"]),
            _step(60, ["plant_manager"], ["sms", "email"]),
            _step(120, ["it_director"], ["sms", "email"], repeat=60),
        ],
        "update": [
            _step(0, ["owner"], ["sms"]),
            _step(10, ["it_lead"], ["sms"]),
            _step(20, ["it_manager"], ["sms", "email"], repeat=30),
        ],
        "closure": _closure(8, ["it_manager", *_BOTH], ["email"]),
        "safety": SAFETY,
    },
    "S2": {
        "response": [
            _step(0, ["it_tech"], ["push"]),
            _step(15, ["it_lead"], ["sms"]),
            _step(30, ["it_manager", "supervisor"], ["sms"], repeat=30),
        ],
        "containment": [
            _step(60, ["it_manager", "supervisor"], ["sms"]),
            _step(120, _BOTH, ["sms", "email"]),
            _step(240, ["plant_manager"], ["email"], repeat=120),
        ],
        "update": [
            _step(0, ["owner"], ["sms"]),
            _step(30, ["it_lead"], ["sms"], repeat=120),
        ],
        "closure": _closure(24, ["it_manager", *_BOTH], ["email"]),
    },
    "S3": {
        "response": [
            _step(0, ["it_tech"], ["push"]),
            _step(60, ["it_lead"], ["email"], repeat=240),
        ],
        "containment": [_step(480, ["it_manager"], ["email"], repeat=480)],
        "update": [
            _step(0, ["owner"], ["email"]),
            _step(60, ["it_lead"], ["email"], repeat=480),
        ],
        "closure": _closure(72, ["it_manager"], ["digest"]),
    },
    "S4": {
        "response": [_step(480, ["it_lead"], ["digest"], repeat=1440)],
        "containment": [],
        "update": [],
        "closure": _closure(168, ["it_lead"], ["digest"]),
    },
}


def asking_for_answers(clocks: Mapping[str, Any], clock: str, n: int) -> Clocks:
    """The same clocks, with everybody on the n-th step (from 0) of one of them asked to answer."""
    steps = [{**step, "answer": step["answer"] or m == n} for m, step in enumerate(clocks[clock])]
    return {**clocks, clock: steps}


def with_safety_people(clocks: Mapping[str, Any], usernames: Iterable[str]) -> Clocks:
    """The same clocks, with these people told at once about safety beside the plant manager."""
    step = dict((clocks.get("safety") or SAFETY)[0])
    step["people"] = list(dict.fromkeys([*step["people"], *usernames]))
    return {**clocks, "safety": [step]}
