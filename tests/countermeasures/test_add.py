from __future__ import annotations

from datetime import date

import pytest

from countermeasures import lifecycle as fixes
from countermeasures.models import Kind, Stage
from incidents.models import EventKind, Impact, Status
from opsdesk.errors import Invalid, Refused, Stale
from tests.factories import NOW, Floor, fresh, make_person, make_site, plan_fix, reach

DUE = date(2026, 3, 9)


def test_without_an_owner_and_a_day_it_is_to_be_agreed(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    found = fixes.add(incident.number, by=floor.tech, kind=Kind.PERMANENT, what=" Pin the driver ", now=NOW)
    assert (found.stage, found.what, found.owner, found.due_on) == (
        Stage.PLANNED,
        "Pin the driver",
        None,
        None,
    )
    assert (found.created_by, found.created_at) == (floor.tech, NOW)


@pytest.mark.parametrize(
    ("owned", "due_on", "stage"),
    [(True, DUE, Stage.IN_WORK), (True, None, Stage.PLANNED), (False, DUE, Stage.PLANNED)],
)
def test_with_both_it_is_promised(floor: Floor, owned: bool, due_on: date | None, stage: Stage) -> None:
    found = fixes.add(
        reach(floor, Status.ACKNOWLEDGED).number,
        by=floor.tech,
        kind=Kind.PERMANENT,
        what="x",
        owner=floor.tech if owned else None,
        due_on=due_on,
    )
    assert found.stage == stage


WINDOWS = [(Impact.STOPPED, 30), (Impact.AT_RISK, 60), (Impact.WORKAROUND, 90), (Impact.NONE, 90)]


@pytest.mark.parametrize(("impact", "days"), WINDOWS)
def test_the_window_comes_from_the_severity(floor: Floor, impact: Impact, days: int) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED, impact)
    found = fixes.add(incident.number, by=floor.tech, kind=Kind.PERMANENT, what="x")
    assert found.window_days == days
    named = fixes.add(incident.number, by=floor.tech, kind=Kind.PERMANENT, what="x", window_days=5)
    assert named.window_days == 5


def test_it_leaves_its_line_on_the_timeline(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    found = plan_fix(floor, incident)
    event = incident.events.last()
    assert event is not None and (event.kind, event.by) == (EventKind.COUNTERMEASURE, floor.tech)
    assert event.data == {
        "countermeasure": found.pk,
        "did": "added",
        "what": found.what,
        "owner": str(floor.tech),
        "due_on": "2026-03-09",
        "changed": {
            "owner": [None, str(floor.tech)],
            "due_on": [None, "2026-03-09"],
            "strength": [None, "prevent"],
            "metric": [None, "Label queue stops"],
            "target": [None, "None"],
            "window_days": [None, 30],
            "window_exposure": [None, 30],
            "exposure_unit": [None, "shift starts"],
            "checker": [None, str(floor.supervisor)],
        },
    }
    assert fresh(incident).version == event.version == incident.version + 1


def test_the_checker_is_never_the_owner(floor: Floor) -> None:
    with pytest.raises(Invalid) as refusal:
        plan_fix(floor, reach(floor, Status.ACKNOWLEDGED), checker=floor.tech)
    assert refusal.value.code == "own_work"


@pytest.mark.parametrize("who", ["owner", "checker"])
def test_nobody_is_named_who_could_not_open_the_incident(floor: Floor, who: str) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    for stranger in (
        make_person("Away", site=make_site()),
        make_person("Gone", site=floor.site, is_active=False),
    ):
        with pytest.raises(Invalid) as refusal:
            plan_fix(floor, incident, **{who: stranger})  # type: ignore[arg-type]
        assert refusal.value.fields is not None and list(refusal.value.fields) == [who]


def test_a_bandage_ends_however_it_is_added(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED).number
    bandage = fixes.add(number, by=floor.tech, kind=Kind.CONTAINMENT, what="Paper", now=NOW)
    assert bandage.expires_on == DUE
    with pytest.raises(Invalid) as refusal:
        fixes.add(
            number,
            by=floor.tech,
            kind=Kind.CONTAINMENT,
            what="Paper",
            expires_on=date(2026, 3, 10),
            now=NOW,
        )
    assert refusal.value.code == "bandage_too_long"


def test_only_a_bandage_ends(floor: Floor) -> None:
    assert plan_fix(floor, reach(floor, Status.ACKNOWLEDGED), expires_on=DUE).expires_on is None


def test_it_needs_to_be_said_what_is_done(floor: Floor) -> None:
    with pytest.raises(Invalid) as refusal:
        fixes.add(reach(floor, Status.ACKNOWLEDGED).number, by=floor.tech, kind=Kind.PERMANENT, what=" ")
    assert refusal.value.code == "empty"


def test_a_closed_incident_gets_no_more(floor: Floor) -> None:
    with pytest.raises(Refused) as refusal:
        plan_fix(floor, reach(floor, Status.CLOSED))
    assert refusal.value.code == "wrong_status"


def test_a_stale_screen_adds_nothing(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    with pytest.raises(Stale):
        plan_fix(floor, incident, seen_version=1)
    assert not incident.countermeasures.exists()
