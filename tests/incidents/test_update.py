from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from incidents import lifecycle
from incidents.models import EventKind, Impact, Incident, Status, Update
from opsdesk.errors import Invalid, Refused, Stale
from tests.factories import NOW, Floor, fresh, raise_, reach

SAID: dict[str, Any] = {"conditions": "No labels", "actions": "Swapping the printer", "needs": "No needs"}
LATER = NOW + timedelta(minutes=20)


def test_it_is_written_once_and_kept_whole(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED).number
    incident = lifecycle.post_update(number, by=floor.tech, technical=" LBL-01 ", now=LATER, **SAID)
    said = incident.updates.get()
    assert (said.conditions, said.actions, said.needs) == ("No labels", "Swapping the printer", "No needs")
    assert (said.technical, said.by, said.at) == ("LBL-01", floor.tech, LATER)
    event = incident.events.last()
    assert event is not None and event.kind == EventKind.UPDATED
    assert (event.words, event.data["conditions"]) == ("Swapping the printer", "No labels")


NEXT_WORD = [(Impact.STOPPED, 30), (Impact.AT_RISK, 120), (Impact.WORKAROUND, 480)]


@pytest.mark.parametrize(("impact", "minutes"), NEXT_WORD)
def test_the_next_word_is_promised_by_itself(floor: Floor, impact: Impact, minutes: int) -> None:
    number = reach(floor, Status.ACKNOWLEDGED, impact).number
    incident = lifecycle.post_update(number, by=floor.tech, now=LATER, **SAID)
    due = LATER + timedelta(minutes=minutes)
    assert incident.next_update_due == incident.updates.get().next_update_at == due


def test_a_minor_thing_promises_nothing_unless_its_owner_does(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED, Impact.NONE).number
    assert lifecycle.post_update(number, by=floor.tech, now=LATER, **SAID).next_update_due is None
    promise = LATER + timedelta(days=2)
    promised = lifecycle.post_update(number, by=floor.tech, now=LATER, next_update_at=promise, **SAID)
    assert promised.next_update_due == promise


def test_an_owner_may_promise_sooner(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED).number
    soon = LATER + timedelta(minutes=5)
    assert (
        lifecycle.post_update(number, by=floor.tech, now=LATER, next_update_at=soon, **SAID).next_update_due
        == soon
    )


@pytest.mark.parametrize(("impact", "minutes"), [(Impact.STOPPED, 31), (Impact.AT_RISK, 121)])
def test_nobody_promises_later_than_the_rule_when_it_is_serious(
    floor: Floor, impact: Impact, minutes: int
) -> None:
    number = reach(floor, Status.ACKNOWLEDGED, impact).number
    late = LATER + timedelta(minutes=minutes)
    with pytest.raises(Invalid) as refusal:
        lifecycle.post_update(number, by=floor.tech, now=LATER, next_update_at=late, **SAID)
    assert refusal.value.code == "bad_promise"
    owed = (late - timedelta(minutes=1)).astimezone(floor.site.tz)
    assert f"{owed:%H:%M}" in str(refusal.value)


def test_a_small_thing_may_take_longer(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED, Impact.WORKAROUND).number
    late = LATER + timedelta(days=1)
    assert (
        lifecycle.post_update(number, by=floor.tech, now=LATER, next_update_at=late, **SAID).next_update_due
        == late
    )


def test_a_promise_in_the_past_is_refused(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED).number
    with pytest.raises(Invalid) as refusal:
        lifecycle.post_update(number, by=floor.tech, now=LATER, next_update_at=LATER, **SAID)
    assert refusal.value.fields is not None and "next_update_at" in refusal.value.fields


@pytest.mark.parametrize("missing", ["conditions", "actions", "needs"])
def test_all_three_answers_are_needed(floor: Floor, missing: str) -> None:
    number = reach(floor, Status.ACKNOWLEDGED).number
    with pytest.raises(Invalid) as refusal:
        lifecycle.post_update(number, by=floor.tech, **{**SAID, missing: "  "})
    assert refusal.value.fields is not None and list(refusal.value.fields) == [missing]
    assert not Update.objects.exists()


def test_word_forgives_what_was_missed(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    Incident.objects.filter(pk=incident.pk).update(missed_updates=1)
    assert lifecycle.post_update(incident.number, by=floor.tech, now=LATER, **SAID).missed_updates == 0


def test_while_nobody_owns_it_word_is_welcome_but_nothing_is_owed(floor: Floor) -> None:
    incident = lifecycle.post_update(raise_(floor).number, by=floor.tech, now=LATER, **SAID)
    assert (incident.status, incident.owner, incident.next_update_due) == (Status.RAISED, None, None)


@pytest.mark.parametrize("status", [Status.CONTAINED, Status.RESOLVED])
def test_once_product_moves_word_is_owed_only_when_promised(floor: Floor, status: Status) -> None:
    number = reach(floor, status).number
    assert lifecycle.post_update(number, by=floor.tech, now=LATER, **SAID).next_update_due is None
    promise = LATER + timedelta(days=1)
    again = lifecycle.post_update(number, by=floor.tech, now=LATER, next_update_at=promise, **SAID)
    assert again.next_update_due == promise


def test_a_closed_incident_gets_no_more_updates(floor: Floor) -> None:
    with pytest.raises(Refused) as refusal:
        lifecycle.post_update(reach(floor, Status.CLOSED).number, by=floor.tech, **SAID)
    assert refusal.value.code == "wrong_status"


def test_a_stale_screen_sends_nothing(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    with pytest.raises(Stale):
        lifecycle.post_update(incident.number, by=floor.tech, seen_version=1, **SAID)
    assert not Update.objects.exists()
    assert fresh(incident).version == incident.version
