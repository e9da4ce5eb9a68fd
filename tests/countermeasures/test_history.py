"""Full history: every change of a countermeasure is kept with who, when, and each field before and after."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.forms.models import model_to_dict
from django.test import Client
from django.utils import translation

from countermeasures import lifecycle as fixes
from countermeasures.history import events_of, history
from countermeasures.lifecycle.moves import kept
from countermeasures.models import Cause, Countermeasure, Kind, Stage
from incidents.models import EventKind, Status
from plant.models import Role
from tests.api.calls import get, program
from tests.factories import NOW, Floor, place_fix, plan_fix, reach

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=100)


def row(found: Countermeasure) -> dict[str, Any]:
    """Every column, people by name."""
    fresh = Countermeasure.objects.get(pk=found.pk)
    return {name: kept(getattr(fresh, name)) for name in model_to_dict(fresh) if name != "incident"}


def bandage(floor: Floor) -> Countermeasure:
    return reach(floor, Status.CONTAINED).countermeasures.get()


def fix(floor: Floor) -> Countermeasure:
    return plan_fix(floor, reach(floor, Status.CONTAINED))


def placed(floor: Floor) -> Countermeasure:
    return place_fix(floor, reach(floor, Status.CONTAINED))


def failed(floor: Floor) -> Countermeasure:
    found = placed(floor)
    return fixes.check(found.pk, by=floor.supervisor, effective=False, measured="Twice", now=NOW)


def weak(floor: Floor) -> Countermeasure:
    return plan_fix(floor, reach(floor, Status.CONTAINED), strength="train")


VERBS: dict[str, tuple[Callable[[Floor], Countermeasure], Callable[[Floor, int], Any]]] = {
    "a new owner and day": (
        fix,
        lambda floor, pk: fixes.start(
            pk,
            by=floor.tech,
            owner=floor.who(Role.IT_LEAD),
            due_on=NOW.date() + timedelta(days=20),
            reason="No part",
            now=NOW,
        ),
    ),
    "promised again after it failed": (
        failed,
        lambda floor, pk: fixes.start(pk, by=floor.tech, due_on=LATER.date(), now=NOW),
    ),
    "another check": (
        fix,
        lambda floor, pk: fixes.plan_check(
            pk,
            by=floor.tech,
            metric="Stops",
            target="One",
            baseline="9",
            checker=floor.manager,
            window_days=14,
            window_exposure=60,
            exposure_unit="shift starts",
            now=NOW,
        ),
    ),
    "somebody else checks": (
        placed,
        lambda floor, pk: fixes.name_checker(pk, by=floor.tech, checker=floor.manager, now=NOW),
    ),
    "said to be stronger": (
        weak,
        lambda floor, pk: fixes.say_strength(pk, by=floor.tech, strength="prevent", now=NOW),
    ),
    "put in place": (fix, lambda floor, pk: fixes.put_in_place(pk, by=floor.tech, evidence="Seen", now=NOW)),
    "accepted though weak": (
        weak,
        lambda floor, pk: fixes.waive(pk, by=floor.manager, reason="A part is coming", now=NOW),
    ),
    "held": (
        placed,
        lambda floor, pk: fixes.check(pk, by=floor.supervisor, effective=True, measured="None", now=LATER),
    ),
    "did not hold": (
        placed,
        lambda floor, pk: fixes.check(pk, by=floor.supervisor, effective=False, measured="Two", now=NOW),
    ),
    "given up": (fix, lambda floor, pk: fixes.withdraw(pk, by=floor.tech, reason="No budget", now=NOW)),
    "somebody else looks after it": (
        bandage,
        lambda floor, pk: fixes.name_owner(pk, by=floor.tech, owner=floor.supervisor, now=NOW),
    ),
    "longer": (
        bandage,
        lambda floor, pk: fixes.extend(
            pk, by=floor.manager, expires_on=date(2026, 3, 20), reason="Waits for a part", now=NOW
        ),
    ),
    "taken off": (bandage, lambda floor, pk: fixes.take_off(pk, by=floor.tech, now=NOW)),
}


@pytest.mark.parametrize("name", VERBS)
def test_what_a_verb_changes_is_in_the_history_field_by_field(floor: Floor, name: str) -> None:
    make, act = VERBS[name]
    found = make(floor)
    before, known = row(found), events_of(found).count()
    act(floor, found.pk)
    after = row(found)

    really = {field: (before[field], after[field]) for field in after if before[field] != after[field]}
    told: dict[str, tuple[Any, Any]] = {}
    for event in events_of(found).order_by("pk")[known:]:
        assert event.by is not None
        for field, (was, now) in event.data["changed"].items():
            told[field] = (told[field][0] if field in told else was, now)
    assert really
    assert told == really


def test_what_was_said_when_it_was_added_is_there(floor: Floor) -> None:
    found = fix(floor)
    (event,) = events_of(found)
    assert event.data["changed"]["owner"] == [None, floor.tech.name]
    assert event.data["changed"]["checker"] == [None, floor.supervisor.name]
    assert event.data["changed"]["due_on"] == [None, (NOW.date() + timedelta(days=7)).isoformat()]


def test_the_history_of_a_bandage_begins_when_it_was_put_on(floor: Floor) -> None:
    (first,) = history(bandage(floor))
    assert (first.who, first.did, first.words) == (
        floor.tech.name,
        "put the bandage on",
        "Spare printer",
    )


def test_two_of_one_incident_do_not_mix(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    one, other = plan_fix(floor, incident), plan_fix(floor, incident)
    fixes.withdraw(one.pk, by=floor.tech, reason="Doubled", now=NOW)
    assert [entry.did for entry in history(one)] == ["gave it up", "added it"]
    assert [entry.did for entry in history(other)] == ["added it"]


def test_it_reads_in_the_words_of_the_screen(floor: Floor) -> None:
    found = fix(floor)
    day = NOW.date() + timedelta(days=20)
    fixes.start(found.pk, by=floor.tech, due_on=day, reason="No part", now=NOW)
    newest = history(found)[0]
    (change,) = newest.changes
    assert (change.label, change.was, change.now) == ("Promised for", "Mon 9 Mar 2026", "Sun 22 Mar 2026")
    with translation.override("es"):
        assert history(found)[0].changes[0].now != change.now
        added = {change.label: change.now for change in history(found)[-1].changes}
        assert added["Veces de qué"] == "inicios de turno"


def test_the_causes_keep_what_they_were(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    for why in ("A loose plug", "A plug nobody screws on"):
        fixes.write_cause(incident.number, by=floor.tech, root_cause=why, escape_cause="", now=NOW)
    newest = incident.events.filter(kind=EventKind.CAUSE).latest("pk")
    assert newest.data["changed"] == {"root_cause": ["A loose plug", "A plug nobody screws on"]}


def test_programs_read_the_same_oldest_first(floor: Floor) -> None:
    found = placed(floor)
    said = get(floor.tech, f"countermeasures/{found.pk}/history/").json()["results"]
    assert [one["data"]["did"] for one in said] == ["added", "in_place", "checking"]
    assert said[1]["data"]["changed"]["stage"] == ["in_work", "in_place"]


# -- nothing is deleted, only withdrawn with a reason


def test_the_database_refuses_to_remove_one(floor: Floor) -> None:
    found = fix(floor)
    sql = "DELETE FROM countermeasures_countermeasure WHERE id = %s"
    with pytest.raises(DatabaseError, match="never deleted"), transaction.atomic():
        connection.cursor().execute(sql, [found.pk])
    with pytest.raises(DatabaseError, match=r"never deleted|protected"), transaction.atomic():
        found.delete()


def test_no_program_removes_one(floor: Floor) -> None:
    found = fix(floor)
    answer = program(floor.who(Role.IT_MANAGER)).delete(f"/api/v1/countermeasures/{found.pk}/")
    assert answer.status_code == 405
    assert Countermeasure.objects.filter(pk=found.pk).exists()


def test_no_administrator_removes_or_changes_one(floor: Floor, client: Client) -> None:
    found = fix(floor)
    manager = floor.who(Role.IT_MANAGER)
    manager.is_staff = manager.is_superuser = True
    manager.save(update_fields=["is_staff", "is_superuser"])
    client.force_login(manager)
    page = f"/admin/countermeasures/countermeasure/{found.pk}/"
    assert client.post(page + "delete/", {"post": "yes"}).status_code == 403
    assert client.post(page + "change/", {"what": "Another"}).status_code == 403
    picked = {"action": "delete_selected", "_selected_action": [found.pk], "post": "yes"}
    client.post("/admin/countermeasures/countermeasure/", picked)
    assert Countermeasure.objects.get(pk=found.pk).what == found.what


def test_what_is_given_up_stays_with_its_reason(floor: Floor) -> None:
    found = fix(floor)
    fixes.withdraw(found.pk, by=floor.tech, reason="No budget", now=NOW)
    assert Countermeasure.objects.get(pk=found.pk).stage == Stage.WITHDRAWN
    assert history(found)[0].words == "No budget"
    assert found.kind == Kind.PERMANENT
    assert not Cause.objects.exists()
