"""Reading a policy from JSON: what cannot work is refused in words."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from escalation.defaults import DEFAULT_CLOCKS
from escalation.steps import CHANNELS, OWNER, ROLES, PolicyClocks
from opsdesk.errors import Invalid
from plant.models import Channel, Role

STEP = {"after": 0, "roles": ["it_tech"], "people": [], "channels": ["sms"], "repeat": None, "answer": False}


def changed(**clocks: Any) -> dict[str, Any]:
    return {**copy.deepcopy(DEFAULT_CLOCKS["S1"]), **clocks}


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ([], "set of clocks"),
        (changed(reponse=[STEP]), "reponse"),
        (changed(response=[]), "Nobody would hear"),
        (changed(closure=[]), "stay open in silence"),
        (changed(response="now"), "list of at most"),
        (changed(response=[STEP] * 21), "list of at most"),
        (changed(response=["it_tech"]), "is not a step"),
        (changed(response=[STEP, STEP]), "could never be next"),
        (changed(response=[{**STEP, "after": 5}, {**STEP, "after": 3}]), "could never be next"),
        (changed(response=[{**STEP, "roles": []}]), "tells nobody"),
        (changed(response=[{**STEP, "roles": ["boss"]}]), "no role “boss”"),
        (changed(response=[{**STEP, "roles": ["owner"]}]), "nobody owns it yet"),
        (changed(response=[{**STEP, "roles": "it_tech"}]), "as a list"),
        (changed(response=[{**STEP, "channels": []}]), "no channel"),
        (changed(response=[{**STEP, "channels": ["fax"]}]), "no channel “fax”"),
        (changed(response=[{**STEP, "after": -1}]), "whole minutes"),
        (changed(response=[{**STEP, "after": 1.5}]), "whole minutes"),
        (changed(response=[{**STEP, "after": True}]), "whole minutes"),
        (changed(response=[{**STEP, "after": None}]), "whole minutes"),
        (changed(response=[{**STEP, "after": 10**9}]), "whole minutes"),
        (changed(response=[{**STEP, "repeat": 1}]), "too often"),
        (changed(response=[{**STEP, "colour": "red"}]), "unknown part"),
        (changed(safety=[{**STEP, "after": 5}]), "at once"),
        (changed(safety=[STEP, {**STEP, "after": 5}]), "at once"),
    ],
)
def test_a_policy_that_cannot_work_is_refused_in_words(raw, says):
    with pytest.raises(Invalid) as refused:
        PolicyClocks.parse(raw, severity="S1")
    assert says in str(refused.value)
    assert refused.value.fields is not None


@pytest.mark.parametrize("severity", ["", "S0", "S5"])
def test_a_policy_is_for_a_known_severity(severity):
    with pytest.raises(Invalid):
        PolicyClocks.parse(DEFAULT_CLOCKS["S1"], severity=severity)


@pytest.mark.parametrize("severity", list(DEFAULT_CLOCKS))
def test_the_default_policies_can_be_read(severity):
    assert PolicyClocks.parse(DEFAULT_CLOCKS[severity], severity=severity).response


def test_without_a_safety_step_the_plant_manager_is_still_told_at_once():
    raw = {name: steps for name, steps in DEFAULT_CLOCKS["S1"].items() if name != "safety"}
    first = PolicyClocks.parse(raw, severity="S1").ladder("response", is_safety=True)[0]
    assert "plant_manager" in first.roles
    assert not first.after


def test_safety_comes_first_when_the_ladder_starts_later():
    raw = changed(response=[{**STEP, "after": 5}])
    first, second = PolicyClocks.parse(raw, severity="S1").ladder("response", is_safety=True)
    assert first.roles == ("plant_manager",)
    assert second.roles == ("it_tech",)


def test_the_rules_know_every_role_and_channel_of_the_plant():
    assert set(ROLES) == {*Role.values, OWNER}
    assert set(CHANNELS) == set(Channel.values)
