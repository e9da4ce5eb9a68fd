"""The outbox: claimed once, asked again, handed over, marked; and what happens when it fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from escalation import messages, outbox
from escalation.channels import ChannelDown, OptedOut, PermanentFailure, Receipt, TemporaryFailure
from escalation.engine import tick
from escalation.inbound import opting_out
from escalation.models import Delivery, DeliveryState, Notification, Rank, Reason, Timer
from escalation.outbox import fallback, sending
from escalation.outbox.claims import claim, release, slot, take_back_expired
from incidents import lifecycle, readings
from incidents.models import EventKind
from plant.models import Person

pytestmark = pytest.mark.django_db


class Fake:
    """A channel that does as it is told for each address and keeps what went out."""

    def __init__(self) -> None:
        self.sent: list[Delivery] = []
        self.at_once = 1
        self.fails: Callable[[Delivery], Exception | None] = lambda delivery: None

    def __enter__(self) -> Fake:
        return self

    def __exit__(self, *_unused: object) -> None:
        return None

    def send(self, delivery: Delivery) -> Receipt:
        error = self.fails(delivery)
        if error is not None:
            raise error
        self.sent.append(delivery)
        return Receipt("fake", f"fake-{delivery.pk}")


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> dict[str, Fake]:
    found = {"sms": Fake(), "email": Fake()}
    monkeypatch.setattr(sending, "open_channel", lambda channel: found[channel])
    sending._down_until.clear()
    return found


def raised(world, impact: str = "stopped") -> Any:
    incident = world.raise_it(impact)
    tick(now=world.now)
    return incident


def states(incident) -> list[tuple[str, str, str]]:
    rows = Delivery.objects.filter(notification__incident=incident).order_by("id")
    return [(one.notification.person.username, one.channel, str(one.state)) for one in rows]


# --- handing over ---


def _note(seen: list[int], number: int, failure: Exception | None = None) -> Exception | None:
    """Write down that the provider was asked, and answer with the failure."""
    seen.append(number)
    return failure


def test_a_message_is_handed_over_once_with_its_words(world, fakes):
    incident = raised(world)
    assert outbox.deliver_due("sms", world.now).sent == 2
    assert outbox.deliver_due("sms", world.now).sent == 0
    assert states(incident) == [("vela", "sms", "sent"), ("jimenez", "sms", "sent")]
    kept = Delivery.objects.all()[0]
    assert kept.text.startswith(f"INC-{incident.number}")
    assert (kept.provider, kept.provider_ref) == ("fake", f"fake-{kept.pk}")
    assert kept.sent_at == world.now
    assert kept.lease_until is None


def test_the_sandbox_counts_as_delivered(world):
    incident = raised(world)
    outbox.drain(world.now)
    assert {state for _who, _channel, state in states(incident)} == {"delivered"}


def test_the_most_urgent_goes_first(world, fakes):
    for impact in ("workaround", "stopped", "safety"):
        world.raise_it(impact)
    tick(now=world.now)
    outbox.deliver_due("sms", world.now, limit=2)
    outbox.deliver_due("sms", world.now + timedelta(minutes=10), limit=2)  # the quiet one is over the budget
    ranks = [one.rank for one in fakes["sms"].sent]
    assert ranks == sorted(ranks)
    assert {Rank.SAFETY, Rank.URGENT, Rank.QUIET} == set(ranks)


def test_nothing_is_sent_inside_a_transaction(world, fakes, django_db_blocker, monkeypatch):
    """The claim and the marks are statements of their own; the sender holds no lock while it talks."""
    raised(world)
    from django.db import connection

    depth = len(connection.savepoint_ids)
    seen: list[int] = []
    fakes["sms"].fails = lambda delivery: _note(seen, len(connection.savepoint_ids))
    outbox.deliver_due("sms", world.now)
    assert seen == [depth, depth]


def test_what_cannot_be_worded_goes_out_with_the_bare_facts(world, fakes, monkeypatch):
    incident = raised(world)

    def breaks(*_unused: object, **_named: object) -> None:
        raise KeyError("words")

    monkeypatch.setattr(messages, "render", breaks)
    outbox.deliver_due("sms", world.now)
    assert len(fakes["sms"].sent) == 2
    assert fakes["sms"].sent[0].text.startswith(f"INC-{incident.number} S1")


# --- asked again ---


def test_nobody_is_texted_about_what_was_answered_a_second_ago(world, fakes):
    incident = raised(world)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    done = outbox.deliver_due("sms", world.now)
    assert (done.sent, done.dropped) == (0, 2)
    assert {state for _who, _channel, state in states(incident)} == {"dropped"}


def test_an_answer_in_the_middle_of_a_batch_stops_the_rest(world, fakes):
    incident = raised(world)

    def taken(delivery: Delivery) -> None:
        lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)

    fakes["sms"].fails = taken
    done = outbox.deliver_due("sms", world.now)
    assert (done.sent, done.dropped) == (1, 1)


def test_safety_is_told_whoever_has_answered(world, fakes):
    incident = raised(world, "safety")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    assert outbox.deliver_due("sms", world.now).dropped == 0


def test_news_that_is_overtaken_is_not_sent(world, fakes, advance):
    incident = raised(world)
    outbox.drain(world.now)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    tick(now=world.now)
    lifecycle.reopen(incident.number, by=world["jimenez"], reason="Blank again", now=world.now)
    outbox.drain(world.now)
    moving = Delivery.objects.filter(notification__reason=Reason.TOLD_MOVING)
    assert {one.state for one in moving} == {DeliveryState.DROPPED}


# --- failing ---


def test_a_busy_provider_is_asked_again_later_and_not_at_once(world, fakes):
    raised(world, "workaround")
    fakes["sms"].fails = lambda delivery: TemporaryFailure("busy")
    outbox.deliver_due("sms", world.now)
    waiting = Delivery.objects.get()
    assert (waiting.state, waiting.attempt, waiting.error) == (DeliveryState.QUEUED, 1, "busy")
    assert timedelta(seconds=8) <= waiting.not_before - world.now <= timedelta(seconds=12)
    assert outbox.deliver_due("sms", world.now).sent == 0
    fakes["sms"].fails = lambda delivery: None
    assert outbox.deliver_due("sms", world.now + timedelta(seconds=13)).sent == 1


def test_it_visibly_fails_in_the_end(world, fakes, monkeypatch):
    raised(world, "workaround")
    fakes["sms"].fails = lambda delivery: TemporaryFailure("busy")
    at = world.now
    for _unused in range(sending.ATTEMPTS[Rank.QUIET]):
        outbox.deliver_due("sms", at)
        at += timedelta(minutes=20)
    failed = Delivery.objects.get()
    assert failed.state == DeliveryState.FAILED
    assert failed.failed_at is not None


def test_an_urgent_message_that_fails_goes_by_the_next_channel_at_once(world, fakes):
    incident = raised(world)
    fakes["sms"].fails = lambda delivery: PermanentFailure(f"unknown number {delivery.address}")
    outbox.drain(world.now)
    assert states(incident) == [
        ("vela", "sms", "failed"),
        ("jimenez", "sms", "failed"),
        ("vela", "email", "sent"),
        ("jimenez", "email", "sent"),
    ]
    said = [event.data for event in incident.events.filter(kind=EventKind.NOT_REACHED)]
    assert [(one["name"], one["tried"], one["instead"]) for one in said] == [
        ("Vela", "sms", "channel"),
        ("Jimenez", "sms", "channel"),
    ]
    assert {one["error"] for one in said} == {"unknown number …"}


def test_somebody_who_cannot_be_reached_at_all_brings_the_next_level_now(world, fakes, advance, told):
    incident = raised(world)
    vela = world["vela"]
    for fake in fakes.values():
        fake.fails = lambda d: PermanentFailure("gone") if d.notification.person_id == vela.pk else None
    advance(minutes=0)
    assert told(incident)[2:] == [(0, "brandt"), (0, "kowal")]
    assert "Vela could not be reached" in Notification.objects.get(person=world["brandt"]).note
    assert [e.data["instead"] for e in incident.events.filter(kind=EventKind.NOT_REACHED)] == [
        "channel",
        "level",
    ]


def test_a_person_without_any_address_is_not_skipped_quietly(world, advance, told):
    Person.objects.filter(username="vela").update(mobile="", email="")
    incident = raised(world)
    advance(minutes=0)
    assert ("vela", "sms", "failed") in states(incident)
    assert (0, "brandt") in told(incident)


def test_at_the_end_of_the_ladder_somebody_else_is_told_instead(world, fakes, advance, told):
    incident = raised(world, "workaround")
    incident_two = raised(world, "stopped")
    lifecycle.acknowledge(incident_two.number, by=world["vela"], now=world.now)
    for _word in range(4):
        advance(minutes=29)
        world.say(incident_two)
    advance(minutes=3)
    director = world["fairbanks"]
    for fake in fakes.values():
        fake.fails = lambda d: PermanentFailure("gone") if d.notification.person_id == director.pk else None
    advance(minutes=2)
    assert [who for _minute, who in told(incident_two, reason=Reason.FALLBACK)] == ["brandt"]
    instead = Notification.objects.get(reason=Reason.FALLBACK)
    assert "Fairbanks could not be reached" in instead.note
    assert incident.notifications.filter(reason=Reason.FALLBACK).count() == 0


def test_each_stand_in_who_cannot_be_reached_is_replaced_by_somebody_new(world, fakes, advance, told):
    incident = raised(world)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    unreachable(fakes, world["hutchins"], world["brandt"])
    lifecycle.ask_help(incident.number, by=world["vela"], who=world["hutchins"], now=world.now)
    advance(minutes=0)
    assert told(incident, reason=Reason.FALLBACK) == [(0, "brandt"), (0, "tillery")]


def test_what_nobody_needs_is_dropped_also_while_the_channel_is_down(world, fakes):
    incident = raised(world)
    fakes["sms"].fails = lambda delivery: ChannelDown("no gateway")
    outbox.deliver_due("sms", world.now)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    outbox.deliver_due("sms", world.now + timedelta(seconds=3))
    assert {state for _who, channel, state in states(incident) if channel == "sms"} == {"dropped"}


def test_a_channel_that_is_down_hands_everything_urgent_to_the_other(world, fakes):
    incidents = [world.raise_it("stopped") for _unused in range(3)]
    tick(now=world.now)
    fakes["sms"].fails = lambda delivery: ChannelDown("no gateway")
    outbox.drain(world.now)
    for incident in incidents:
        assert [s for _who, channel, s in states(incident) if channel == "email"] == ["sent", "sent"]
    assert Delivery.objects.filter(channel="sms", state=DeliveryState.QUEUED).count() == 6


def test_a_channel_that_is_down_is_not_asked_for_every_message(world, fakes):
    for _unused in range(3):
        world.raise_it("stopped")
    tick(now=world.now)
    asked: list[int] = []
    fakes["sms"].fails = lambda delivery: _note(asked, delivery.pk, ChannelDown("no gateway"))
    outbox.deliver_due("sms", world.now, limit=2)
    assert len(asked) == 1


def test_who_dies_before_another_way_is_found_leaves_nobody_skipped(world, fakes, monkeypatch):
    incident = raised(world)
    fakes["sms"].fails = lambda delivery: PermanentFailure("no such number")
    with monkeypatch.context() as killed:
        killed.setattr(fallback, "_record", breaks)
        outbox.deliver_due("sms", world.now)
    assert states(incident) == [("vela", "sms", "queued"), ("jimenez", "sms", "queued")]
    later = world.now + timedelta(seconds=5)
    outbox.deliver_due("sms", later)
    outbox.deliver_due("email", later)
    assert ("vela", "sms", "failed") in states(incident)
    assert ("vela", "email", "sent") in states(incident)


def test_a_batch_of_emails_goes_out_when_who_is_next_cannot_be_read(world, fakes, monkeypatch):
    raised(world)
    fakes["sms"].fails = lambda delivery: PermanentFailure("no such number")
    outbox.deliver_due("sms", world.now)
    monkeypatch.setattr(messages, "contexts_of", breaks)
    assert outbox.deliver_due("email", world.now).sent == 2


def test_news_of_who_was_not_reached_is_not_sent_once_it_is_closed(world, fakes):
    incident = raised(world)
    about = Notification.objects.filter(incident=incident)[0]
    Notification.objects.filter(pk=about.pk).update(reason=Reason.FALLBACK, timer=None)
    lifecycle.take_back(incident.number, by=incident.raised_by, now=world.now)
    assert outbox.deliver_due("sms", world.now).sent == 0


def breaks(*_unused: object, **_named: object) -> None:
    raise OperationalError("canceling statement due to lock timeout")


def test_a_channel_that_breaks_in_an_unknown_way_does_not_stop_the_others(world, fakes):
    raised(world)
    first = Delivery.objects.order_by("id")[0].pk
    fakes["sms"].fails = lambda delivery: ZeroDivisionError() if delivery.pk == first else None
    assert outbox.deliver_due("sms", world.now).sent == 1
    assert Delivery.objects.get(pk=first).error == "ZeroDivisionError"


def test_trouble_that_is_no_messages_fault_gives_the_claims_back(world, fakes, monkeypatch):
    raised(world)

    def breaks(*_unused: object) -> None:
        raise OperationalError("given up")

    monkeypatch.setattr(sending, "load", breaks)
    with pytest.raises(OperationalError):
        outbox.deliver_due("sms", world.now)
    monkeypatch.undo()
    assert {one.state for one in Delivery.objects.all()} == {DeliveryState.QUEUED}
    assert outbox.drain(world.now + timedelta(seconds=6)).sent == 2


def in_the_air(fakes, trouble: threading.Event) -> Fake:
    """A gateway that takes eight texts together, and says so only after the trouble has come."""
    gateway = fakes["sms"]
    gateway.at_once = 8
    gateway.fails = lambda delivery: None if trouble.wait(10) else ZeroDivisionError("no trouble came")
    return gateway


def test_trouble_with_one_message_sends_none_of_those_in_the_air_again(world, fakes, monkeypatch):
    trouble = threading.Event()
    gateway = in_the_air(fakes, trouble)
    for _unused in range(4):
        raised(world)
    third = Delivery.objects.filter(channel="sms").order_by("id")[2].pk
    waits = gateway.fails
    gateway.fails = lambda delivery: OptedOut("STOP") if delivery.pk == third else waits(delivery)

    def stop(*_unused: object, **_named: object) -> None:
        trouble.set()
        raise OperationalError("deadlock detected")

    monkeypatch.setattr(opting_out, "stop", stop)
    assert outbox.deliver_due("sms", world.now).sent == 7
    outbox.drain(world.now + timedelta(minutes=1))
    handed_over = [one.pk for one in gateway.sent]
    assert len(handed_over) == len(set(handed_over)) == 7


def test_trouble_in_a_turn_is_raised_after_what_was_in_the_air_is_noted(world, fakes, monkeypatch):
    trouble = threading.Event()
    gateway = in_the_air(fakes, trouble)
    for _unused in range(4):
        raised(world)
    asked: list[int] = []
    real = sending.is_still_needed

    def is_still_needed(*given: Any) -> bool:
        asked.append(1)
        if len(asked) == 6:
            trouble.set()
            raise OperationalError("canceling statement due to statement timeout")
        return real(*given)

    monkeypatch.setattr(sending, "is_still_needed", is_still_needed)
    with pytest.raises(OperationalError):
        outbox.deliver_due("sms", world.now)
    texts = Delivery.objects.filter(channel="sms")
    assert sorted(texts.values_list("state", flat=True)) == ["queued"] * 3 + ["sent"] * 5
    outbox.drain(world.now + timedelta(seconds=6))
    assert sorted(one.pk for one in gateway.sent) == sorted(texts.values_list("pk", flat=True))


# --- claims ---


def test_only_what_one_holds_oneself_is_given_back(world):
    raised(world)
    ids = claim("sms", limit=10, now=world.now)
    Delivery.objects.filter(pk=ids[0]).update(lease_by="somebody else")
    release(ids, not_before=world.now)
    assert Delivery.objects.get(pk=ids[0]).state == DeliveryState.SENDING
    assert Delivery.objects.get(pk=ids[1]).state == DeliveryState.QUEUED


def test_a_claim_is_taken_once(world):
    raised(world)
    assert len(claim("sms", limit=10, now=world.now)) == 2
    assert claim("sms", limit=10, now=world.now) == []


def test_a_lease_ends_after_a_minute_and_a_half_and_gives_the_message_back(world):
    raised(world)
    ids = claim("sms", limit=10, now=world.now)
    assert take_back_expired(world.now + timedelta(seconds=89)) == 0
    later = world.now + timedelta(seconds=90)
    assert take_back_expired(later) == 2
    assert sorted(claim("sms", limit=10, now=later)) == sorted(ids)


def test_a_dead_sender_is_noticed_before_its_lease_ends(world):
    raised(world)
    claim("sms", limit=10, now=world.now)
    Delivery.objects.update(lease_by="999999 1700000000.000000")
    assert tick(now=world.now + timedelta(seconds=1)).took_back == 2


def test_a_mark_that_comes_too_late_changes_nothing(world, fakes):
    raised(world)
    first = Delivery.objects.order_by("id")[0]

    def slow(delivery: Delivery) -> None:
        Delivery.objects.filter(pk=delivery.pk).update(lease_by="somebody else")

    fakes["sms"].fails = lambda delivery: slow(delivery) if delivery.pk == first.pk else None
    outbox.deliver_due("sms", world.now)
    first.refresh_from_db()
    assert (first.state, first.lease_by) == (DeliveryState.SENDING, "somebody else")


def test_only_so_many_send_on_one_channel(world):
    with slot("sms") as one, slot("sms") as two, slot("email") as other:
        assert one
        assert other
        assert two  # the same session may take the same lock again: real processes are tested elsewhere


def test_a_timer_that_nobody_needs_leaves_no_message(world, fakes):
    incident = raised(world)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    tick(now=world.now)
    assert not Timer.objects.armed().filter(clock="response").exists()


def test_an_incident_whose_words_cannot_be_read_does_not_hold_up_the_others(world, monkeypatch):
    sick, well = raised(world), raised(world)
    real = readings.attach

    def broken(incidents):
        if sick in incidents:
            raise ValueError("unreadable")
        real(incidents)

    monkeypatch.setattr(readings, "attach", broken)
    outbox.deliver_due("sms", world.now)
    waiting = Delivery.objects.filter(channel="sms", notification__incident__in=[sick, well])
    assert not waiting.exclude(state=DeliveryState.DELIVERED).exists()
    assert all(sick.code in one.text for one in waiting.filter(notification__incident=sick))


# --- while the alerts are paused ---


def unreachable(fakes, *people: Person) -> None:
    gone = {person.pk for person in people}
    for fake in fakes.values():
        fake.fails = lambda d: PermanentFailure("gone") if d.notification.person_id in gone else None


def paused(world, advance, minutes: int) -> Any:
    """Raised, told, and paused before the messages went out."""
    incident = raised(world)
    until = world.now + timedelta(minutes=minutes)
    lifecycle.shelve(incident.number, by=world["okafor"], until=until, reason="Being cleaned", now=world.now)
    advance(minutes=0)
    return incident


def not_reached(incident) -> list[tuple[str, bool]]:
    found = incident.events.filter(kind=EventKind.NOT_REACHED).order_by("id")
    return [(event.data["instead"], "until" in event.data) for event in found]


def test_in_a_pause_whoever_was_not_reached_is_tried_by_their_other_channel(world, fakes, advance):
    fakes["sms"].fails = lambda d: (
        PermanentFailure("gone") if d.notification.person == world["vela"] else None
    )
    incident = paused(world, advance, minutes=3)
    assert ("vela", "email", "sent") in states(incident)
    assert not_reached(incident) == [("channel", False)]


def test_a_pause_holds_the_next_level_back_until_it_ends(world, fakes, advance, told):
    unreachable(fakes, world["vela"])
    incident = paused(world, advance, minutes=3)
    assert told(incident) == [(0, "vela"), (0, "jimenez")]
    assert not_reached(incident) == [("channel", False), ("level", True)]
    advance(minutes=3)
    assert told(incident)[2:] == [(3, "brandt"), (3, "kowal")]  # planned for minute 5
    assert "Vela could not be reached" in Notification.objects.get(person=world["brandt"]).note


def test_a_pause_that_is_lifted_lets_the_next_level_hear_at_once(world, fakes, advance, told):
    unreachable(fakes, world["vela"])
    incident = paused(world, advance, minutes=4)
    advance(minutes=1)
    lifecycle.unshelve(incident.number, by=world["okafor"], now=world.now)
    advance(minutes=0)
    assert told(incident)[2:] == [(1, "brandt"), (1, "kowal")]


def test_a_pause_that_is_prolonged_holds_it_back_longer(world, fakes, advance, told):
    unreachable(fakes, world["vela"])
    incident = paused(world, advance, minutes=2)
    until = world.now + timedelta(minutes=4)
    lifecycle.shelve(incident.number, by=world["okafor"], until=until, reason="Still cleaning", now=world.now)
    advance(minutes=3)
    assert len(told(incident)) == 2
    advance(minutes=1)
    assert told(incident)[2:] == [(4, "brandt"), (4, "kowal")]


def test_a_step_brought_forward_in_the_moment_of_the_pause_waits_too(world, fakes, advance, told):
    unreachable(fakes, world["vela"])
    incident = raised(world)
    outbox.drain(now=world.now)  # the next level is due now, and nothing has ticked
    until = world.now + timedelta(minutes=3)
    lifecycle.shelve(incident.number, by=world["okafor"], until=until, reason="Being cleaned", now=world.now)
    advance(minutes=2)
    assert len(told(incident)) == 2
    advance(minutes=1)
    assert told(incident)[2:] == [(3, "brandt"), (3, "kowal")]


def test_in_a_pause_nobody_stands_in_at_the_end_of_the_ladder(world, fakes, advance, told):
    incident = world.raise_it("stopped")
    advance(minutes=9)
    unreachable(fakes, world["tillery"])
    world.now += timedelta(minutes=1)
    tick(now=world.now)
    until = world.now + timedelta(minutes=60)
    lifecycle.shelve(incident.number, by=world["okafor"], until=until, reason="Being cleaned", now=world.now)
    advance(minutes=1)
    assert told(incident, reason=Reason.FALLBACK) == []
    assert not_reached(incident) == [("pause", True)]


def test_safety_is_never_held_back(world, fakes, advance, told):
    unreachable(fakes, world["vela"])
    incident = raised(world, "safety")
    advance(minutes=0)
    assert (0, "brandt") in told(incident)
