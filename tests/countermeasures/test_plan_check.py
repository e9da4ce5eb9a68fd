from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from countermeasures import lifecycle as fixes
from countermeasures.models import Countermeasure, Kind
from incidents.models import Status
from opsdesk.errors import Invalid, Refused
from plant.models import Role
from tests.factories import NOW, Floor, make_person, make_site, place_fix, reach


@pytest.fixture
def planned(floor: Floor) -> Countermeasure:
    incident = reach(floor, Status.CONTAINED)
    return fixes.add(
        incident.number, by=floor.tech, kind=Kind.PERMANENT, what="Pin the driver", owner=floor.tech, now=NOW
    )


def test_metric_target_window_and_checker(floor: Floor, planned: Countermeasure) -> None:
    found = fixes.plan_check(
        planned.pk,
        by=floor.tech,
        metric=" Stops ",
        baseline=" 3 a week ",
        target=" None ",
        checker=floor.supervisor,
        window_days=60,
        window_exposure=90,
        exposure_unit="shift starts",
    )
    assert (found.metric, found.baseline, found.target) == ("Stops", "3 a week", "None")
    assert (found.window_days, found.window_exposure, found.exposure_unit) == (60, 90, "shift starts")
    assert found.checker == floor.supervisor and found.is_planned_check_complete
    event = found.incident.events.last()
    assert event is not None and event.data["did"] == "check_planned"


def test_the_window_comes_from_the_severity(floor: Floor, planned: Countermeasure) -> None:
    found = fixes.plan_check(planned.pk, by=floor.tech, metric="x", target="y", checker=floor.supervisor)
    assert found.window_days == 30


def test_the_checker_is_never_the_owner(floor: Floor, planned: Countermeasure) -> None:
    with pytest.raises(Invalid) as refusal:
        fixes.plan_check(planned.pk, by=floor.tech, metric="x", target="y", checker=floor.tech)
    assert refusal.value.code == "own_work"


def test_the_checker_works_here(floor: Floor, planned: Countermeasure) -> None:
    stranger = make_person("Away", roles=[Role.IT_LEAD], site=make_site())
    with pytest.raises(Invalid):
        fixes.plan_check(planned.pk, by=floor.tech, metric="x", target="y", checker=stranger)


@pytest.mark.parametrize("missing", ["metric", "target"])
def test_metric_and_target_are_needed(floor: Floor, planned: Countermeasure, missing: str) -> None:
    asked: dict[str, Any] = {"metric": "x", "target": "y", missing: " "}
    with pytest.raises(Invalid) as refusal:
        fixes.plan_check(planned.pk, by=floor.tech, checker=floor.supervisor, **asked)
    assert refusal.value.fields is not None and list(refusal.value.fields) == [missing]


def test_once_the_fix_is_in_the_check_is_not_moved(floor: Floor) -> None:
    found = place_fix(floor, reach(floor, Status.CONTAINED))
    with pytest.raises(Refused) as refusal:
        fixes.plan_check(found.pk, by=floor.tech, metric="x", target="y", checker=floor.supervisor)
    assert refusal.value.code == "too_late"


def test_after_a_failure_it_may_be_planned_better(floor: Floor) -> None:
    found = place_fix(floor, reach(floor, Status.CONTAINED))
    later = NOW + timedelta(days=3)
    fixes.check(found.pk, by=floor.supervisor, effective=False, measured="3 stops", now=later)
    planned = fixes.plan_check(found.pk, by=floor.tech, metric="Jams", target="0", checker=floor.supervisor)
    assert planned.metric == "Jams"
