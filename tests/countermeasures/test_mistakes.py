"""A repeat that was a wrong tap has failed a fix: that is put right, and the problem is as it was before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from countermeasures import lifecycle as fixes
from countermeasures.lifecycle import weigh_due
from countermeasures.lifecycle.mistakes import restore
from countermeasures.models import Countermeasure, Promise, Stage, Strength
from incidents import lifecycle
from incidents.models import EventKind, Impact, Incident, Status
from opsdesk.errors import Invalid, NotAllowed, Refused
from plant.models import Role
from tests.factories import NOW, Floor, fresh, plan_fix, raise_, reach

LATER = NOW + timedelta(days=10)
MINUTE = timedelta(minutes=1)


def fix_of(incident: Incident) -> Countermeasure:
    return incident.countermeasures.permanent().get()


@pytest.fixture
def old(floor: Floor) -> Incident:
    """Its fix is being proved for ten days, when a repeat is raised that was none, and fails it."""
    incident = reach(floor, Status.RESOLVED)
    lifecycle.confirm_running(incident.number, by=floor.supervisor, now=NOW)
    return incident


@pytest.fixture
def wrong(floor: Floor, old: Incident) -> Incident:
    repeat = raise_(floor, Impact.WORKAROUND, now=LATER)
    weigh_due(LATER)
    assert (fix_of(old).stage, fresh(old).status) == (Stage.NOT_EFFECTIVE, Status.REOPENED)
    return repeat


def close(floor: Floor, repeat: Incident) -> None:
    """Somebody looked, and there was nothing."""
    lifecycle.acknowledge(repeat.number, by=floor.tech, now=LATER)
    lifecycle.close(
        repeat.number, by=floor.tech, cause="Wrong tile", agreed_by=floor.supervisor, now=LATER + MINUTE
    )


def everything(incident: Incident) -> dict[str, object]:
    """The incident as the database has it, without what each change counts."""
    row = Incident.objects.filter(pk=incident.pk).values().get()
    return {name: value for name, value in row.items() if name != "version"}


def test_taken_back_in_time_the_old_one_is_as_it_was(floor: Floor, old: Incident) -> None:
    before, fix_before = everything(old), Countermeasure.objects.filter(incident=old).values()
    known = list(fix_before)
    repeat = raise_(floor, Impact.WORKAROUND, now=LATER)
    weigh_due(LATER)
    assert everything(old) != before
    lifecycle.take_back(repeat.number, by=floor.operator, now=LATER + MINUTE)
    weigh_due(LATER + MINUTE)
    assert everything(old) == before
    left = {row["id"]: {**row, "exposed": 0} for row in Countermeasure.objects.filter(incident=old).values()}
    assert left == {row["id"]: {**row, "exposed": 0} for row in known}


def test_its_line_never_stood_still_for_it(floor: Floor, old: Incident, wrong: Incident) -> None:
    assert old.downtimes.filter(ended_at=None).exists()
    lifecycle.take_back(wrong.number, by=floor.operator, now=LATER + MINUTE)
    weigh_due(LATER + MINUTE)
    began = old.downtimes.get(started_at=LATER)
    assert began.ended_at == began.started_at


def test_the_timeline_says_all_of_it(floor: Floor, old: Incident, wrong: Incident) -> None:
    lifecycle.take_back(wrong.number, by=floor.operator, now=LATER + MINUTE)
    weigh_due(LATER + MINUTE)
    put_back, restored = old.events.order_by("-id")[:2]
    assert (restored.kind, restored.data["did"]) == (EventKind.COUNTERMEASURE, "restored")
    assert restored.data["changed"]["stage"] == ["not_effective", "checking"]
    assert (put_back.kind, put_back.data["to"]) == (EventKind.HOLDS_AFTER_ALL, "resolved")
    assert put_back.words == f"{wrong.code} was a wrong tap and was taken back."


def test_closed_as_a_mistake_somebody_says_so_with_a_reason(
    floor: Floor, old: Incident, wrong: Incident
) -> None:
    close(floor, wrong)
    found = restore(fix_of(old).pk, by=floor.supervisor, reason="It was the neighbour's", now=LATER + MINUTE)
    assert (found.stage, found.placed_by, found.checked_by) == (Stage.CHECKING, floor.tech, None)
    assert (fresh(old).status, fresh(old).floor_confirmed_by) == (Status.RESOLVED, floor.supervisor)
    assert fresh(old).reopen_count == 0
    promise = Promise.objects.open().get(subject=f"check:{found.pk}")
    assert promise.person == floor.supervisor
    assert restore(found.pk, by=floor.supervisor, reason="Again", now=LATER + MINUTE).stage == Stage.CHECKING
    assert old.events.filter(kind=EventKind.HOLDS_AFTER_ALL).count() == 1


def test_the_window_goes_on_where_it_was(floor: Floor, old: Incident, wrong: Incident) -> None:
    since = fix_of(old).checking_from
    close(floor, wrong)
    restore(fix_of(old).pk, by=floor.supervisor, reason="Wrong tile", now=LATER + MINUTE)
    assert fix_of(old).checking_from == since
    assert fix_of(old).days_proved(LATER) == 10


def test_a_managers_word_for_a_weak_one_stands_again(floor: Floor) -> None:
    old = reach(floor, Status.CONTAINED)
    weak = plan_fix(floor, old, strength=Strength.WARN)
    fixes.waive(weak.pk, by=floor.manager, reason="No part before June", now=NOW)
    fixes.put_in_place(weak.pk, by=floor.tech, evidence="Sign is up", now=NOW)
    lifecycle.resolve(old.number, by=floor.tech, now=NOW)
    wrong = raise_(floor, Impact.WORKAROUND, now=LATER)
    weigh_due(LATER)
    assert fix_of(old).waived_by is None
    close(floor, wrong)
    restore(weak.pk, by=floor.supervisor, reason="Wrong tile", now=LATER + MINUTE)
    assert (fix_of(old).waived_by, fix_of(old).waived_reason) == (floor.manager, "No part before June")


def test_what_people_did_meanwhile_is_left_as_it_is(floor: Floor, old: Incident, wrong: Incident) -> None:
    lifecycle.contain(old.number, by=floor.tech, what="Spare printer again", now=LATER)
    close(floor, wrong)
    restore(fix_of(old).pk, by=floor.supervisor, reason="Wrong tile", now=LATER + MINUTE)
    assert (fix_of(old).stage, fresh(old).status) == (Stage.CHECKING, Status.CONTAINED)


def refused(floor: Floor, fix: Countermeasure, by: Role = Role.SUPERVISOR, reason: str = "Wrong tile") -> str:
    with pytest.raises(Refused) as refusal:
        restore(fix.pk, by=floor.who(by), reason=reason, now=LATER + MINUTE)
    return refusal.value.code


def test_it_is_refused_while_the_repeat_is_open(floor: Floor, old: Incident, wrong: Incident) -> None:
    assert refused(floor, fix_of(old)) == "repeat_is_open"


def test_it_needs_a_reason_and_somebody_who_may_sign_off(
    floor: Floor, old: Incident, wrong: Incident
) -> None:
    close(floor, wrong)
    with pytest.raises(Invalid):
        restore(fix_of(old).pk, by=floor.supervisor, reason=" ", now=LATER)
    for person, code in ((floor.tech, "own_work"), (floor.operator, "wrong_role")):
        with pytest.raises(NotAllowed) as refusal:
            restore(fix_of(old).pk, by=person, reason="Wrong tile", now=LATER)
        assert refusal.value.code == code


def test_promised_again_it_is_too_late(floor: Floor, old: Incident, wrong: Incident) -> None:
    close(floor, wrong)
    fixes.start(fix_of(old).pk, by=floor.tech, due_on=LATER.date(), now=LATER)
    assert refused(floor, fix_of(old)) == "no_repeat"


def test_what_a_person_measured_is_no_mistake_of_a_repeat(floor: Floor, old: Incident) -> None:
    fixes.check(fix_of(old).pk, by=floor.supervisor, effective=False, measured="Two stops", now=LATER)
    assert refused(floor, fix_of(old), Role.IT_LEAD) == "no_repeat"


def test_the_page_offers_it_and_programs_call_the_same(
    floor: Floor, old: Incident, wrong: Incident, client: Client
) -> None:
    close(floor, wrong)
    fix = fix_of(old)
    client.force_login(floor.supervisor)
    assert f'id="m-{fix.pk}-restore"' in client.get(fix.get_absolute_url()).content.decode()
    program = APIClient()
    program.force_authenticate(floor.supervisor)
    assert program.post(f"/api/v1/countermeasures/{fix.pk}/restore/", {"reason": ""}).status_code == 400
    answer = client.post(reverse("countermeasure-act", args=[fix.pk, "restore"]), {"reason": "Wrong tile"})
    assert answer.status_code == 302
    said = program.post(f"/api/v1/countermeasures/{fix.pk}/restore/", {"reason": "Wrong tile"})
    assert (said.status_code, said.json()["status"]) == (200, "checking")
