"""The defaults are those of the demo plant's file."""

from __future__ import annotations

from typing import Any

import pytest

from escalation.defaults import DEFAULT_CLOCKS
from tests.messages.world import demo


def plain(steps: list[dict[str, Any]]) -> list[tuple[int, list[str], list[str]]]:
    return [(step["after"], step["roles"], step["channels"]) for step in steps]


@pytest.mark.parametrize("severity", ["S1", "S2", "S3", "S4"])
def test_the_default_policy_says_what_the_demo_plant_says(severity):
    (said,) = (one for one in demo()["escalation_policies"] if one["severity"] == severity)
    ours = DEFAULT_CLOCKS[severity]
    for clock, name in (("response", "not_acknowledged"), ("containment", "not_contained")):
        expected = [(s["after_min"], s["roles"], s["channels"]) for s in said[name]]
        assert plain(ours[clock]) == expected
    (closure,) = ours["closure"]
    assert closure["repeat"] == closure["after"] == said["not_closed"]["repeat_every_h"] * 60
    assert set(closure["roles"]) == set(said["not_closed"]["roles"])
    assert closure["channels"] == said["not_closed"]["channels"]
