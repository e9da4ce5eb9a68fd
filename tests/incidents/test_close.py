from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.translation import override

from countermeasures import lifecycle as fixes
from countermeasures.models import Kind
from incidents import lifecycle
from incidents.lifecycle.closing import what_is_missing
from incidents.models import EventKind, Impact, Incident, Status
from opsdesk.errors import Invalid, Refused, Stale
from plant.models import Role
from tests.factories import (
    NOW,
    Floor,
    fresh,
    give_role,
    make_person,
    make_site,
    place_fix,
    plan_fix,
    prove,
    reach,
)

FIX_FIRST = "The fix must be in place and proved first."
NO_FIX = "A countermeasure that stops it coming back is missing."
BANDAGE = "The bandage “Spare printer” is still on."
NOT_PROVED = "“Pin the driver of the print server” is not proved yet."
NO_ROOT = "Why it happened is not written yet."
NO_ESCAPE = "Why nothing caught it is not written yet."
NO_FLOOR = "Somebody from the floor has to confirm that production runs."


def proved(floor: Floor) -> Incident:
    """Everything but the floor's word is there."""
    incident = reach(floor, Status.RESOLVED)
    prove(floor, incident)
    return fresh(incident)


def refusal_of(incident: Incident, **asked: object) -> Refused:
    with pytest.raises(Refused) as refusal:
        lifecycle.close(incident.number, **asked)  # type: ignore[arg-type]
    return refusal.value


def missing(refusal: Refused) -> list[str]:
    assert refusal.code == "not_ready_to_close" and refusal.status == 409
    assert refusal.fields is not None
    return [str(sentence) for sentence in refusal.fields["missing"]]


def test_somebody_from_the_floor_closes_what_is_proved(floor: Floor) -> None:
    done = NOW + timedelta(days=92)
    incident = lifecycle.close(proved(floor).number, by=floor.supervisor, now=done)
    assert (incident.status, incident.closed_at) == (Status.CLOSED, done)
    assert (incident.floor_confirmed_by, incident.floor_confirmed_at) == (floor.supervisor, done)
    event = incident.events.last()
    assert event is not None and event.kind == EventKind.CLOSED


def test_once_the_floor_has_confirmed_it_may_close(floor: Floor) -> None:
    number = proved(floor).number
    lifecycle.confirm_running(number, by=floor.operator)
    incident = lifecycle.close(number, by=floor.tech)
    assert (incident.status, incident.floor_confirmed_by) == (Status.CLOSED, floor.operator)


def test_it_alone_does_not_close_without_the_floor(floor: Floor) -> None:
    assert missing(refusal_of(proved(floor), by=floor.tech)) == [NO_FLOOR]


def test_an_owner_from_the_floor_does_not_confirm_by_closing(floor: Floor) -> None:
    give_role(floor.tech, Role.SUPERVISOR, site=floor.site)
    assert missing(refusal_of(proved(floor), by=floor.tech)) == [NO_FLOOR]


@pytest.mark.parametrize(
    ("status", "lacking"),
    [
        (Status.RAISED, [FIX_FIRST, NO_FIX, NO_ROOT, NO_ESCAPE]),
        (Status.ACKNOWLEDGED, [FIX_FIRST, NO_FIX, NO_ROOT, NO_ESCAPE]),
        (Status.CONTAINED, [FIX_FIRST, NO_FIX, BANDAGE, NO_ROOT, NO_ESCAPE]),
        (Status.REOPENED, [FIX_FIRST, NO_FIX, BANDAGE, NO_ROOT, NO_ESCAPE]),
        (Status.RESOLVED, [BANDAGE, NOT_PROVED, NO_ROOT, NO_ESCAPE]),
    ],
)
def test_the_refusal_says_exactly_what_is_missing(floor: Floor, status: Status, lacking: list[str]) -> None:
    incident = reach(floor, status)
    refusal = refusal_of(incident, by=floor.supervisor)
    assert missing(refusal) == lacking
    assert str(refusal) == f"{incident.code} cannot be closed yet. {' '.join(lacking)}"
    assert missing(refusal_of(incident, by=floor.tech)) == [*lacking, NO_FLOOR]


def test_one_thing_after_the_other_leaves_the_list(floor: Floor) -> None:
    incident = reach(floor, Status.RESOLVED)
    bandage, fix = incident.countermeasures.order_by("id")
    lacking = [BANDAGE, NOT_PROVED, NO_ROOT, NO_ESCAPE]

    def left() -> list[str]:
        return what_is_missing(fresh(incident), by=floor.supervisor)

    assert left() == lacking
    fixes.take_off(bandage.pk, by=floor.tech)
    assert left() == [NOT_PROVED, NO_ROOT, NO_ESCAPE]
    fixes.write_cause(incident.number, by=floor.tech, root_cause="Drivers update", escape_cause="")
    assert left() == [NOT_PROVED, NO_ESCAPE]
    fixes.write_cause(incident.number, by=floor.tech, root_cause="", escape_cause="No test print")
    assert left() == [NOT_PROVED]
    done = NOW + timedelta(days=31)
    fixes.check(fix.pk, by=floor.supervisor, effective=True, measured="None", now=done)
    assert left() == []


def test_every_countermeasure_counts_but_those_given_up(floor: Floor) -> None:
    incident = proved(floor)
    second = plan_fix(floor, incident)
    assert missing(refusal_of(incident, by=floor.supervisor)) == [NOT_PROVED]
    fixes.withdraw(second.pk, by=floor.tech, reason="The first one is enough")
    assert lifecycle.close(incident.number, by=floor.supervisor).status == Status.CLOSED


def test_a_preventive_one_has_to_be_proved_too(floor: Floor) -> None:
    incident = proved(floor)
    fixes.add(incident.number, by=floor.tech, kind=Kind.PREVENTIVE, what="Look at the others")
    assert missing(refusal_of(incident, by=floor.supervisor)) == ["“Look at the others” is not proved yet."]


def test_the_list_is_said_in_the_readers_language(floor: Floor) -> None:
    with override("es"):
        assert all(isinstance(sentence, str) for sentence in what_is_missing(proved(floor)))


def test_closing_twice_is_harmless_even_from_an_old_screen(floor: Floor) -> None:
    incident = proved(floor)
    once = lifecycle.close(incident.number, by=floor.supervisor, seen_version=incident.version)
    twice = lifecycle.close(incident.number, by=floor.supervisor, seen_version=incident.version)
    assert twice.version == once.version


def test_a_stale_screen_closes_nothing(floor: Floor) -> None:
    incident = proved(floor)
    with pytest.raises(Stale):
        lifecycle.close(incident.number, by=floor.supervisor, seen_version=1)
    assert fresh(incident).is_open


def test_nothing_is_left_running_on_a_closed_incident(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED, Impact.WORKAROUND)
    number, later = incident.number, NOW + timedelta(hours=1)
    lifecycle.stop_line(number, by=floor.supervisor, at=NOW, now=NOW)
    lifecycle.wait_on(number, by=floor.tech, on="part", name="Spare", until=later, now=NOW)
    lifecycle.shelve(number, by=floor.manager, until=later, reason="Lunch", now=NOW)
    lifecycle.assign(number, by=floor.who(Role.IT_LEAD), to=floor.who(Role.IT_SPECIALIST))
    closed = lifecycle.close(number, by=floor.tech, cause="Cable", agreed_by=floor.supervisor, now=later)
    assert closed.downtimes.get().ended_at == later
    assert (closed.next_update_due, closed.waiting_on, closed.shelved_until) == (None, "", None)
    assert (closed.assigned_to, closed.missed_updates) == (None, 0)


# --- small things stay small --------------------------------------------------------------------------------


@pytest.mark.parametrize("impact", [Impact.WORKAROUND, Impact.NONE])
@pytest.mark.parametrize("status", [Status.ACKNOWLEDGED, Status.CONTAINED, Status.REOPENED])
def test_a_small_thing_closes_with_a_cause_and_who_agrees(
    floor: Floor, impact: Impact, status: Status
) -> None:
    number = reach(floor, status, impact).number
    incident = lifecycle.close(
        number, by=floor.tech, cause=" Loose cable ", agreed_by=floor.supervisor, now=NOW
    )
    assert (incident.status, incident.closed_at) == (Status.CLOSED, NOW)
    assert (incident.closed_cause, incident.closed_agreed_by) == ("Loose cable", floor.supervisor)
    event = incident.events.last()
    assert event is not None and event.words == "Loose cable"


@pytest.mark.parametrize("impact", [Impact.SAFETY, Impact.STOPPED, Impact.AT_RISK])
def test_a_serious_thing_does_not(floor: Floor, impact: Impact) -> None:
    incident = reach(floor, Status.CONTAINED, impact)
    refusal = refusal_of(incident, by=floor.tech, cause="Cable", agreed_by=floor.supervisor)
    assert refusal.code == "not_small"


def test_what_a_floor_call_made_small_is_small(floor: Floor) -> None:
    number = reach(floor, Status.CONTAINED).number
    lifecycle.change_severity(number, by=floor.manager, severity="S3", reason="A spare line runs")
    assert not lifecycle.close(number, by=floor.tech, cause="Cable", agreed_by=floor.supervisor).is_open


@pytest.mark.parametrize("status", [Status.RAISED, Status.RESOLVED])
def test_somebody_has_to_have_it_and_no_proof_is_cut_short(floor: Floor, status: Status) -> None:
    incident = reach(floor, status, Impact.WORKAROUND)
    refusal = refusal_of(incident, by=floor.tech, cause="Cable", agreed_by=floor.supervisor)
    assert refusal.code == "wrong_status"


def test_without_a_cause_it_stays_open(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED, Impact.NONE)
    refusal = refusal_of(incident, by=floor.tech, cause=" ", agreed_by=floor.supervisor)
    assert isinstance(refusal, Invalid) and refusal.code == "no_cause"


def test_nobody_agrees_with_themselves(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED, Impact.NONE)
    for agreed_by in (None, floor.tech):
        refusal = refusal_of(incident, by=floor.tech, cause="Cable", agreed_by=agreed_by)
        assert isinstance(refusal, Invalid) and refusal.code == "nobody_agrees"


def test_who_agrees_works_here_and_still_does(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED, Impact.NONE)
    for stranger in (
        make_person("Away", site=make_site()),
        make_person("Gone", site=floor.site, is_active=False),
    ):
        refusal = refusal_of(incident, by=floor.tech, cause="Cable", agreed_by=stranger)
        assert refusal.code == "nobody_agrees"


def test_a_small_thing_without_a_cause_needs_the_whole_proof(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED, Impact.NONE)
    place_fix(floor, incident)
    assert missing(refusal_of(incident, by=floor.supervisor))[0] == FIX_FIRST
