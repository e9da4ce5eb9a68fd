"""Silence is not ownership (domain §4): two words missed in a row, and it goes back to everybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from escalation import answering
from escalation.engine import tick
from escalation.models import Delivery, DeliveryState, Notification, Reason, Timer
from incidents import lifecycle
from incidents.models import Event, EventKind, Incident, SeverityRule, Status
from tests.factories import fresh


def lapses(incident: Incident) -> list[int]:
    """Minutes after it was raised at which it lapsed."""
    events = Event.objects.filter(incident=incident, kind=EventKind.LAPSED).order_by("at")
    return [int((event.at - incident.raised_at).total_seconds() // 60) for event in events]


def taken(world: Any, impact: str = "stopped") -> Incident:
    incident: Incident = world.raise_it(impact)
    return lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)


def sms(incident: Incident, person: Any, **which: Any) -> str:
    sent = Delivery.objects.filter(
        notification__incident=incident, notification__person=person, channel="sms"
    )
    return sent.filter(**{f"notification__{name}": value for name, value in which.items()}).latest("pk").text


def test_a_silent_owner_loses_a_stopped_line_and_everybody_hears_who_had_it(world, advance, told):
    incident = taken(world)
    advance(minutes=59)
    assert fresh(incident).owner == world["vela"]
    advance(minutes=1)
    lost = fresh(incident)
    assert (lost.status, lost.owner, lost.clocks_from) == (Status.RAISED, None, world.now)
    assert told(incident, clock="response") == [(60, "vela"), (60, "jimenez")]
    assert "LINE DOWN 1 h: " in sms(incident, world["jimenez"], clock="response")
    assert "Vela had it; no word since 10:00." in sms(incident, world["jimenez"], clock="response")
    advance(minutes=11)
    later = [(65, "brandt"), (65, "kowal"), (70, "hutchins"), (70, "tillery"), (70, "prewitt")]
    assert told(incident, clock="response")[2:] == later
    assert "Vela had it; no word since 10:00." in sms(incident, world["tillery"], clock="response")


def test_who_had_it_is_told_urgently_and_once(world, advance, told):
    incident = taken(world)
    advance(minutes=66)
    assert told(incident, reason=Reason.LAPSED) == [(60, "vela")]
    notification = Notification.objects.get(reason=Reason.LAPSED)
    assert notification.is_urgent
    text = sms(incident, world["vela"], reason=Reason.LAPSED)
    assert "No word from you since 10:00, so it goes back to everybody. Take it: " in text
    lifecycle.acknowledge(incident.number, by=world["kowal"], now=world.now)
    advance(minutes=1)
    assert (66, "vela") in told(incident, reason=Reason.TOLD_PICKED_UP), "who was told is told the end"


def test_their_link_lets_them_take_it_again(world, advance):
    incident = taken(world)
    advance(minutes=60)
    link = answering.answer(Notification.objects.get(reason=Reason.LAPSED).token, now=world.now)
    assert link.is_mine
    assert fresh(incident).status == Status.ACKNOWLEDGED


@pytest.mark.parametrize(("impact", "minutes"), [("stopped", 60), ("at_risk", 240), ("workaround", 960)])
def test_it_takes_two_words_of_each_severity(world, advance, impact, minutes):
    incident = taken(world, impact)
    advance(minutes=minutes + 1)
    assert lapses(incident) == [minutes]


def test_a_minor_thing_owes_no_word_and_never_lapses(world, advance):
    incident = taken(world, "none")
    advance(hours=200)
    assert lapses(incident) == []
    assert fresh(incident).owner == world["vela"]


def test_one_word_a_second_before_is_enough(world, advance):
    incident = taken(world)
    advance(minutes=59.98)
    world.say(incident)
    advance(minutes=59)
    assert lapses(incident) == []
    advance(minutes=1.5)
    assert lapses(incident) == [119]


def test_a_word_after_the_engine_planned_it_wins_over_a_timer_that_is_due(world, advance):
    incident = taken(world)
    advance(minutes=59)
    world.now += timedelta(minutes=1)
    world.say(incident)  # nobody has read it yet, and the timer is due in this very second
    tick(now=world.now)
    assert lapses(incident) == []
    assert fresh(incident).owner == world["vela"]


def test_a_second_turn_does_nothing(world, advance):
    incident = taken(world)
    advance(minutes=60)
    told_before = Notification.objects.filter(incident=incident).count()
    tick(now=world.now)
    tick(now=world.now)
    assert lapses(incident) == [60]
    assert Notification.objects.filter(incident=incident).count() == told_before


def test_it_lapses_again_from_the_next_silent_owner(world, advance, told):
    incident = taken(world)
    advance(minutes=62)
    lifecycle.acknowledge(incident.number, by=world["kowal"], now=world.now)
    advance(minutes=61)
    assert lapses(incident) == [60, 122]
    assert told(incident, reason=Reason.LAPSED) == [(60, "vela"), (122, "kowal")]
    assert "Kowal had it; no word since 11:02." in sms(incident, world["jimenez"], clock="response")


def test_what_moves_again_does_not_lapse(world, advance):
    incident = taken(world)
    advance(minutes=50)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    advance(hours=20)
    assert lapses(incident) == []


def test_waiting_on_somebody_does_not_excuse_silence(world, advance):
    incident = taken(world)
    until = world.now + timedelta(hours=5)
    lifecycle.wait_on(
        incident.number, by=world["vela"], on="vendor", name="Inkmarrow", until=until, now=world.now
    )
    advance(minutes=61)
    assert lapses(incident) == [60]


def _pause(world: Any, incident: Incident, **length: float) -> None:
    lifecycle.shelve(
        incident.number,
        by=world["tillery"],
        until=world.now + timedelta(**length),
        reason="Planned stop",
        now=world.now,
    )


def test_a_pause_holds_it_back_and_its_end_counts_as_the_first_missed_word(world, advance, told):
    incident = taken(world)
    advance(minutes=10)
    _pause(world, incident, hours=2)
    advance(minutes=120)
    assert told(incident, clock="update") == [(130, "vela")]
    advance(minutes=29)
    assert lapses(incident) == []
    advance(minutes=1)
    assert lapses(incident) == [160]


def test_a_pause_that_is_ended_early_asks_for_the_word_first(world, advance, told):
    incident = taken(world)
    advance(minutes=10)
    _pause(world, incident, hours=4)
    advance(minutes=90)
    lifecycle.unshelve(incident.number, by=world["tillery"], now=world.now)
    advance(minutes=29)
    assert (told(incident, clock="update")[0], lapses(incident)) == ((100, "vela"), [])
    advance(minutes=1)
    assert lapses(incident) == [130]


def test_another_interval_counts_from_the_next_look(world, advance):
    incident = taken(world)
    advance(minutes=40)
    SeverityRule.objects.update_or_create(severity="S1", defaults={"update_every_minutes": 45})
    advance(minutes=21)
    assert lapses(incident) == [], "30 and 45 minutes: the second word is owed 75 minutes after it was taken"
    advance(minutes=15)
    assert lapses(incident) == [75]


def test_after_an_outage_it_lapses_once(world, advance, told):
    incident = taken(world)
    advance(minutes=5)
    world.now += timedelta(hours=6)
    advance(minutes=1)
    assert lapses(incident) == [365]
    assert told(incident, clock="response") == [(365, "ishida"), (365, "boone")], "whoever is on shift by now"


def test_messages_about_the_old_owner_are_not_sent_any_more(world, advance):
    """Word was due in the same moment: it goes to nobody, since nobody has it."""
    incident = taken(world, "at_risk")
    advance(minutes=240)
    late = Delivery.objects.filter(notification__incident=incident, notification__created_at=world.now)
    clocks = set(late.exclude(state=DeliveryState.DROPPED).values_list("notification__clock", flat=True))
    assert clocks == {"", "response", "containment"}, "no update, no question to who had it"


def test_silence_does_not_put_the_plant_manager_off(world, advance, told):
    """Product has not moved for an hour, whoever had it: the upper steps keep their minutes."""
    incident = taken(world)
    advance(minutes=121)
    upper = [one for one in told(incident, clock="containment") if one[0] >= 60]
    assert upper[:2] == [(60, "okafor"), (120, "fairbanks")]


def test_the_next_owner_does_not_start_the_managers_clock_anew(world, advance, told):
    incident = taken(world)
    advance(minutes=62)
    lifecycle.acknowledge(incident.number, by=world["kowal"], now=world.now)
    advance(minutes=57)
    assert [one for one in told(incident, clock="containment") if one[0] > 60] == []
    advance(minutes=1)
    assert (120, "fairbanks") in told(incident, clock="containment")


def test_something_is_armed_at_every_moment(world, advance):
    incident = taken(world)
    for _quarter in range(9):
        advance(minutes=15)
        assert Timer.objects.armed().filter(incident=incident).exists()
    assert fresh(incident).status == Status.RAISED
