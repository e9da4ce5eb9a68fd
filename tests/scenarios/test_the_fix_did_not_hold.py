"""The same again while the fix is being proved: the old one reopens, and both managers hear why."""

from __future__ import annotations

from datetime import timedelta

import pytest

from countermeasures import lifecycle as fixes
from countermeasures.lifecycle import relapses
from countermeasures.models import Kind, Stage, Strength
from escalation.engine import tick, ticking
from escalation.gsm7 import septets
from escalation.models import Delivery, Notification, Reason, Timer, Unread
from incidents import lifecycle
from incidents.models import EventKind, Incident, Status, UnweighedRepeat

FIX = "Pin the driver of the print server"


def being_proved(world, advance, impact: str = "stopped", *, is_resolved: bool = True) -> Incident:
    """Raised, taken, moving, fixed: its fix is being proved, whether or not its owner called it resolved."""
    incident = world.raise_it(impact)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    fix = fixes.add(
        incident.number,
        by=world["vela"],
        kind=Kind.PERMANENT,
        what=FIX,
        owner=world["vela"],
        due_on=world.now.date(),
        strength=Strength.PREVENT,
        metric="Stops",
        target="None",
        checker=world["jimenez"],
        now=world.now,
    )
    fixes.put_in_place(fix.pk, by=world["vela"], evidence="Pinned", now=world.now)
    if is_resolved:
        lifecycle.resolve(incident.number, by=world["vela"], now=world.now)
    advance(minutes=1)
    return incident


def told(incident: Incident) -> list[str]:
    found = Notification.objects.filter(incident=incident, reason=Reason.DID_NOT_HOLD)
    return sorted(found.values_list("person__username", flat=True))


def test_the_repeat_reopens_the_old_one_and_tells_both_managers_once(world, advance):
    old = being_proved(world, advance)
    world.now += timedelta(days=9)
    again = world.raise_it("workaround")
    advance(minutes=1)
    old.refresh_from_db()
    assert old.status == Status.REOPENED
    assert old.countermeasures.permanent().get().stage == Stage.NOT_EFFECTIVE
    assert told(old) == ["prewitt", "tillery"]
    assert not Notification.objects.filter(
        incident=old, reason=Reason.TOLD_REOPENED, person__username="tillery"
    ).exists()
    advance(minutes=30)
    assert told(old) == ["prewitt", "tillery"]
    assert told(again) == []


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_text_says_which_fix_did_not_hold_in_one_segment(world, advance, language):
    world["tillery"].language = language
    world["tillery"].save()
    old = being_proved(world, advance)
    world.now += timedelta(days=9)
    world.raise_it("stopped")
    advance(minutes=1)
    sent = Delivery.objects.get(
        notification__incident=old,
        notification__reason=Reason.DID_NOT_HOLD,
        notification__person=world["tillery"],
        channel="sms",
    )
    said = {"en": ("THE FIX DID NOT HOLD", "It was: Pin"), "es": ("EL ARREGLO NO AGUANTO", "Era: Pin")}
    assert sent.text.startswith(f"{old.code} {said[language][0]}")
    assert said[language][1] in sent.text
    assert septets(sent.text) <= 160


def test_a_check_that_fails_by_hand_tells_the_managers_too_but_not_who_found_it(world, advance):
    old = being_proved(world, advance)
    fix = old.countermeasures.permanent().get()
    fixes.check(fix.pk, by=world["tillery"], effective=False, measured="3 stops", now=world.now)
    advance(minutes=1)
    assert told(old) == ["prewitt"]


def test_after_its_window_nobody_is_woken_for_the_old_one(world, advance):
    old = being_proved(world, advance)
    world.now += timedelta(days=31)
    again = world.raise_it("workaround")
    advance(minutes=1)
    old.refresh_from_db()
    assert again.repeat_of == old
    assert (old.status, told(old)) == (Status.RESOLVED, [])


def test_practice_tells_nobody_that_a_fix_did_not_hold(world, advance):
    old = being_proved(world, advance)
    world.now += timedelta(days=9)
    lifecycle.raise_incident(
        by=None,
        category=world.category,
        impact="stopped",
        station=world.station,
        is_drill=True,
        now=world.now,
    )
    advance(minutes=1)
    old.refresh_from_db()
    assert (old.status, told(old)) == (Status.RESOLVED, [])


# --- the repeat was a wrong tap ---


def heard(incident: Incident, reason: Reason = Reason.TOLD_HOLDS) -> list[str]:
    found = Notification.objects.filter(incident=incident, reason=reason)
    return sorted(found.values_list("person__username", flat=True))


@pytest.mark.parametrize("language", ["en", "es"])
def test_taken_back_whoever_was_told_hears_once_that_it_holds_after_all(world, advance, language):
    world["tillery"].language = language
    world["tillery"].save()
    old = being_proved(world, advance)
    world.now += timedelta(days=9)
    again = world.raise_it("workaround")
    advance(minutes=1)
    assert told(old) == ["prewitt", "tillery"]
    lifecycle.take_back(again.number, by=world["petty"], now=world.now)
    advance(minutes=30)
    old.refresh_from_db()
    assert (old.status, old.reopened_at) == (Status.RESOLVED, None)
    assert {"prewitt", "tillery", "vela"} <= set(heard(old))
    assert len(heard(old)) == len(set(heard(old)))
    text = Delivery.objects.get(
        notification__reason=Reason.TOLD_HOLDS, notification__person=world["tillery"], channel="sms"
    ).text
    said = {"en": "IT HOLDS AFTER ALL", "es": "SI AGUANTA"}[language]
    assert text.startswith(f"{old.code} {said}")
    assert again.code in text
    assert septets(text) <= 160


def test_failed_and_put_right_between_two_turns_nobody_hears_of_either(world, advance):
    old = being_proved(world, advance)
    world.now += timedelta(days=9)
    again = world.raise_it("workaround")
    fixes.weigh_due(world.now)
    lifecycle.take_back(again.number, by=world["petty"], now=world.now)
    fixes.weigh_due(world.now)
    advance(minutes=1)
    assert (told(old), heard(old)) == ([], [])


@pytest.mark.parametrize("is_resolved", [True, False], ids=["resolved", "contained"])
def test_put_back_its_clocks_are_those_of_a_fix_that_is_being_proved(world, advance, is_resolved):
    old = being_proved(world, advance, is_resolved=is_resolved)
    world.now += timedelta(days=9)
    again = world.raise_it("workaround")
    advance(minutes=1)
    assert set(old.timers.armed().values_list("clock", flat=True)) >= {"containment", "update"}
    lifecycle.take_back(again.number, by=world["petty"], now=world.now)
    advance(minutes=1)
    assert set(old.timers.armed().values_list("clock", flat=True)) == {"closure"}


@pytest.mark.parametrize("days", [9, 12], ids=["still to come", "passed meanwhile"])
def test_put_back_the_word_that_was_promised_is_owed_again(world, advance, days):
    old = being_proved(world, advance, is_resolved=False)
    promised = world.now + timedelta(days=10)
    lifecycle.post_update(
        old.number,
        by=world["vela"],
        conditions="It runs",
        actions="We watch it",
        needs="No needs",
        next_update_at=promised,
        now=world.now,
    )
    world.now += timedelta(days=days)
    again = world.raise_it("workaround")
    advance(minutes=1)
    lifecycle.take_back(again.number, by=world["petty"], now=world.now)
    advance(minutes=1)
    put_back = old.events.get(kind=EventKind.HOLDS_AFTER_ALL).at
    old.refresh_from_db()
    assert old.next_update_due == max(promised, put_back)


def test_a_storm_of_repeats_never_holds_up_what_is_due(world, advance, monkeypatch):
    """Each costs a look back: before it, whatever changed is read and whatever is due has fired."""
    being_proved(world, advance)
    world.now += timedelta(days=9)  # its reminders are due, too
    again = [world.raise_it("stopped") for _n in range(3)]
    real, waited = relapses.weigh, []

    def weigh(pk, *, now):
        waited.append(Timer.objects.due(now).exists() or Unread.objects.exists())
        return real(pk, now=now)

    monkeypatch.setattr(relapses, "weigh", weigh)
    monkeypatch.setattr(relapses, "AT_ONCE", -1)  # one at a time, whatever the clock says
    tick(now=world.now)
    assert waited == [False] * len(again)


def test_repeats_are_weighed_also_by_a_turn_that_never_comes_to_rest(world, advance, monkeypatch):
    being_proved(world, advance)
    world.raise_it("stopped")
    monkeypatch.setattr(ticking, "LONGEST", -1)  # its time is up before anything is done
    tick()
    assert not UnweighedRepeat.objects.exists()
