"""The ladder on the screens: who was told, who is next, how long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalation import ladder
from escalation.answering import answer
from escalation.engine import tick
from escalation.models import Notification, Timer
from escalation.preview import preview
from incidents import lifecycle
from incidents.models import Impact, Incident
from plant.duty import DutyBook
from plant.models import Roster

pytestmark = pytest.mark.django_db


def next_of(world, incident) -> ladder.NextStep:
    incident = Incident.objects.get(pk=incident.pk)
    return ladder.next_steps([incident], DutyBook.load(world.now), world.now)[incident.pk]


def test_the_next_step_says_who_is_told_and_when(world, advance):
    incident = world.raise_it("stopped")
    advance(minutes=2)
    step = next_of(world, incident)
    assert (step.clock, step.due_at) == ("response", incident.raised_at + timedelta(minutes=5))
    assert [person.username for person in step.people] == ["brandt", "kowal"]
    assert step.roles == ("it_lead", "it_specialist")
    assert step.channels == ("sms",)
    assert step.fraction == pytest.approx(0.4)


def test_before_the_engine_has_looked_the_first_step_is_foreseen(world):
    step = next_of(world, world.raise_it("stopped"))
    assert [person.username for person in step.people] == ["vela", "jimenez"]
    assert step.due_at == world.now


def test_the_steps_that_were_taken_are_marked_on_the_fuse(world, advance):
    incident = world.raise_it("at_risk")
    advance(minutes=20)
    assert next_of(world, incident).marks == pytest.approx((0.5,))


@pytest.mark.parametrize(
    ("impact", "minutes", "state"),
    [("at_risk", 2, "calm"), ("at_risk", 12, "soon"), ("stopped", 2, "soon"), ("stopped", 12, "late")],
)
def test_a_clock_is_calm_then_soon_and_late_when_its_ladder_is_used_up(
    world, advance, impact, minutes, state
):
    incident = world.raise_it(impact)
    advance(minutes=minutes)
    assert next_of(world, incident).state == state


def test_a_used_up_ladder_says_that_all_are_told_again(world, advance):
    incident = world.raise_it("stopped")
    advance(minutes=12)
    step = next_of(world, incident)
    assert step.is_used_up
    assert len(step.people) == 7


def test_a_step_that_is_overdue_is_late(world, advance):
    incident = world.raise_it("at_risk")
    advance(minutes=1)
    world.now += timedelta(minutes=20)
    assert next_of(world, incident).state == "late"


def test_a_paused_clock_says_until_when(world, advance):
    incident = world.raise_it("workaround")
    advance(minutes=1)
    until = world.now + timedelta(hours=3)
    lifecycle.shelve(incident.number, by=world["tillery"], until=until, reason="Shutdown", now=world.now)
    advance(minutes=0)
    step = next_of(world, incident)
    assert (step.state, step.due_at) == ("paused", until)


def test_the_people_are_those_on_duty_when_it_is_due(world, advance):
    world.now = world.at("13:58")
    Roster.objects.filter(person__username="brandt").update(crew=world["ishida"].rosters.get().crew)
    incident = world.raise_it("at_risk")
    advance(minutes=0)
    assert [person.username for person in next_of(world, incident).people] == ["brandt"]
    assert next_of(world, incident).gaps == ()


def test_a_gap_that_is_coming_is_shown(world, advance):
    world.now = world.at("21:50")
    incident = world.raise_it("at_risk")
    advance(minutes=0)
    assert "Nobody on shift as IT lead" in next_of(world, incident).gaps[0]


def test_many_incidents_take_as_many_queries_as_few(world, advance):
    def queries(incidents) -> int:
        book = DutyBook.load(world.now)
        with CaptureQueriesContext(connection) as seen:
            ladder.next_steps(incidents, book, world.now)
        return len(seen)

    found = [world.raise_it("stopped") for _unused in range(20)]
    tick(now=world.now)
    assert queries(found[:2]) == queries(found) <= 4


def test_the_ladder_of_one_incident_shows_everybody_told_and_what_comes(world, advance):
    incident = world.raise_it("stopped")
    advance(minutes=6)
    shown = ladder.for_incident(Incident.objects.get(pk=incident.pk), DutyBook.load(world.now), world.now)
    assert [line.person.username for line in shown.told] == ["vela", "jimenez", "brandt", "kowal"]
    assert {line.state for line in shown.told} == {"delivered"}
    assert shown.told[0].role == "IT technician"
    assert shown.next is not None
    assert [(step.clock, len(step.people)) for step in shown.upcoming] == [
        ("response", 3),
        ("response", 7),
        ("closure", 3),
        ("closure", 3),
    ]


@pytest.mark.parametrize("is_taken", [False, True], ids=["nobody has it", "picked up"])
@pytest.mark.parametrize("impact", ["stopped", "workaround"])
def test_where_nobody_is_on_shift_what_comes_is_what_the_preview_says(world, impact, is_taken):
    Roster.objects.all().delete()
    steps = preview(world.station, world.category, Impact(impact), world.now)
    incident = world.raise_it(impact)
    if is_taken:
        incident = lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    shown = ladder.for_incident(incident, DutyBook.load(world.now), world.now).upcoming
    clocks = {step.clock for step in shown}
    assert ("containment" in clocks) is is_taken
    foreseen = [(one.at, one.clock, one.step, one.waits_for) for one in steps if one.clock in clocks]
    assert [(one.due_at, one.clock, one.step, one.waits_for) for one in shown] == foreseen[: len(shown)]


def test_a_closed_incident_has_a_past_and_no_future(world, advance):
    incident = world.raise_it("none")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(hours=200)
    lifecycle.close(incident.number, by=world["vela"], cause="Jam", agreed_by=world["jimenez"], now=world.now)
    advance(minutes=0)
    shown = ladder.for_incident(Incident.objects.get(pk=incident.pk), DutyBook.load(world.now), world.now)
    assert shown.told
    assert shown.next is None
    assert shown.upcoming == ()
    assert ladder.next_steps([shown.told[0].notification.about], DutyBook.load(world.now), world.now) == {}


def test_of_an_incident_that_repeats_for_months_a_page_reads_a_bounded_number_of_messages(
    world, advance, monkeypatch
):
    monkeypatch.setattr(ladder, "TOLD_READ", 3)
    incident = world.raise_it("stopped")
    advance(minutes=1)
    answer(Notification.objects.get(person=world["jimenez"]).token, now=world.now)
    advance(minutes=59)
    book = DutyBook.load(world.now)
    everything = ladder.for_incident(incident, book, world.now, everything=True).told
    some = ladder.for_incident(incident, book, world.now).told
    people = {line.person for line in everything}
    assert len(everything) > 20
    assert some[-3:] == everything[-3:]
    assert {line.person for line in some} == people
    assert len(some) <= 3 + 2 * len(people)
    firsts = {person: next(line.at for line in everything if line.person == person) for person in people}
    assert all(next(line.at for line in some if line.person == who) == at for who, at in firsts.items())
    assert "answered" in {line.state for line in some if line.person == world["jimenez"]}


def test_silence_is_no_rung_of_the_ladder(world, advance):
    """The clock that takes it back tells nobody itself: it is said beside the ladder, not on it."""
    incident = world.raise_it("stopped")
    advance(minutes=3)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=58)
    armed = Timer.objects.armed().filter(incident=incident).order_by("due_at").first()
    assert armed is not None and armed.clock == "lapse", "it is what happens next"
    found = ladder.for_incident(Incident.objects.get(pk=incident.pk), DutyBook.load(world.now), world.now)
    assert found.lapses_at == armed.due_at
    assert found.next is not None and found.next.clock != "lapse"
    assert not {step.clock for step in found.upcoming} & {"lapse", "help"}
