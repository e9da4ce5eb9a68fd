"""Fixes, bandages, checks and promises over weeks, through the engine (domain §3)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from countermeasures import bandages
from countermeasures import lifecycle as fixes
from countermeasures.models import Countermeasure, Kind, Stage, Strength
from escalation.engine import tick
from escalation.models import Chase, Notification, Reason, TimerState
from incidents import lifecycle
from incidents.models import Incident, Status
from opsdesk.errors import Refused
from plant.models import SiteCalendar
from tests.factories import DETROIT

MINUTE = timedelta(minutes=1)


def local(month: int, day: int, hour: int = 8, minute: int = 0) -> datetime:
    return datetime(2025, month, day, hour, minute, tzinfo=DETROIT)


def asked(moment: datetime) -> set[str]:
    """Who is asked about a promise by a turn of the engine at that moment."""
    before = set(Notification.objects.values_list("pk", flat=True))
    tick(now=moment)
    new = Notification.objects.filter(reason=Reason.PROMISE).exclude(pk__in=before)
    return set(new.values_list("person__username", flat=True))


def waits(moment: datetime) -> Chase:
    """The one question that is armed after a turn at that moment."""
    tick(now=moment)
    return Chase.objects.get(state=TimerState.ARMED)


def taken(world: Any, impact: str = "stopped") -> Incident:
    incident: Incident = world.raise_it(impact)
    return lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)


def add(
    world: Any, incident: Incident, *, strength: Strength = Strength.PREVENT, **said: Any
) -> Countermeasure:
    said = {
        "due_on": world.now.date(),
        "metric": "Stops",
        "target": "None",
        "checker": world["jimenez"],
        **said,
    }
    return fixes.add(
        incident.number,
        by=world["vela"],
        kind=Kind.PERMANENT,
        what="Pin the driver of the print server",
        owner=world["vela"],
        strength=strength,
        now=world.now,
        **said,
    )


def being_proved(world: Any, fix: Countermeasure) -> None:
    fixes.put_in_place(fix.pk, by=world["vela"], evidence="Seen", now=world.now)
    lifecycle.resolve(fix.incident.number, by=world["vela"], now=world.now)


def fixed(world: Any, impact: str = "stopped") -> Incident:
    incident = taken(world, impact)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    being_proved(world, add(world, incident))
    return incident


# --- a bandage that ends on a holiday ---


def bandage(world: Any, impact: str) -> Countermeasure:
    """It ends with the day before Thanksgiving, which is a holiday here as is the day after."""
    SiteCalendar.objects.create(site=world.site, country="US", subdivision="MI")
    world.now = local(11, 24, 10)
    incident = taken(world, impact)
    lifecycle.contain(
        incident.number, by=world["vela"], what="Spare printer", expires_on=date(2025, 11, 26), now=world.now
    )
    return incident.countermeasures.containment().get()


def test_a_small_bandage_that_ends_on_a_holiday_is_asked_about_when_the_plant_works_again(plant: Any) -> None:
    one = bandage(plant, "workaround")
    armed = waits(local(11, 27, 0, 1))
    assert (armed.due_at, armed.waits_for) == (local(12, 1, 5), "Thanksgiving Day")
    assert asked(local(11, 27, 8)) == set()
    shown = bandages.register(Countermeasure.objects.for_cards().filter(pk=one.pk), local(11, 27, 9))[0]
    assert (shown.is_expired, shown.waits_for) == (True, "Thanksgiving Day")
    assert asked(local(12, 1, 5)) == {"vela"}


def test_product_that_stopped_runs_on_it_so_the_holiday_does_not_count(plant: Any) -> None:
    bandage(plant, "stopped")
    assert waits(local(11, 27, 0, 1)).waits_for == ""
    assert asked(local(11, 27, 8)) == {"vela"}


# --- promises over a weekend ---


def test_what_was_promised_for_friday_is_asked_about_on_monday_and_goes_up_a_full_day_later(
    plant: Any,
) -> None:
    plant.now = local(11, 13, 10)
    add(plant, taken(plant, "workaround"), due_on=date(2025, 11, 14))
    armed = waits(local(11, 14, 23))
    assert (armed.planned_at, armed.due_at, armed.waits_for) == (local(11, 15), local(11, 17, 5), "Weekend")
    assert asked(local(11, 15)) == asked(local(11, 16)) == set()
    assert asked(local(11, 17, 5)) == {"vela"}
    assert asked(local(11, 17, 23)) == set()
    assert asked(local(11, 18, 5)) == {"vela", "brandt"}


# --- accepted without a fix ---


def accepted(world: Any) -> Incident:
    world.now = local(11, 4, 10)
    incident = taken(world)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    fixes.take_off(incident.countermeasures.get().pk, by=world["vela"], now=world.now)
    return lifecycle.accept_no_fix(
        incident.number,
        by=world["tillery"],
        reason="The maker is gone",
        review_on=date(2025, 11, 20),
        now=world.now,
    )


def test_who_accepted_that_there_is_no_fix_is_asked_on_the_day_of_the_review(plant: Any) -> None:
    closed = accepted(plant)
    assert closed.status == Status.CLOSED
    assert asked(local(11, 18)) == set()
    assert asked(local(11, 19)) == {"tillery"}
    assert asked(local(11, 21)) == {"tillery"}


def test_accepted_until_a_later_day_it_is_asked_about_on_that_one(plant: Any) -> None:
    closed = accepted(plant)
    tick(now=local(11, 19))
    later = date(2025, 12, 11)
    lifecycle.review(
        closed.number, by=plant["tillery"], reason="Still gone", review_on=later, now=local(11, 19, 9)
    )
    assert asked(local(11, 21)) == set()
    assert asked(local(12, 12)) == {"tillery"}


def test_opened_again_there_is_nothing_to_review(plant: Any) -> None:
    closed = accepted(plant)
    tick(now=plant.now)
    lifecycle.reopen(closed.number, by=plant["tillery"], reason="Blank again", now=local(11, 10))
    assert asked(local(11, 21)) == set()


# --- repeats ---


@pytest.mark.parametrize(
    ("at", "status"),
    [(local(12, 3, 23, 59), Status.REOPENED), (local(12, 4, 0, 1), Status.RESOLVED)],
    ids=["a minute before its end", "a minute after it"],
)
def test_one_minute_decides_at_the_end_of_the_window(world: Any, at: datetime, status: Status) -> None:
    """Thirty days and thirty shift starts from 4 November: over at midnight on the plant's calendar."""
    old = fixed(world)
    tick(now=world.now)
    world.now = at
    again = world.raise_it("workaround")
    tick(now=at)
    old.refresh_from_db()
    assert (again.repeat_of, old.status) == (old, status)
    told = Notification.objects.filter(incident=old, reason=Reason.DID_NOT_HOLD).count()
    assert told == (2 if status == Status.REOPENED else 0)


def test_after_a_repeat_a_waiver_is_lost_and_asked_for_again(world: Any) -> None:
    incident = taken(world)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    weak = add(world, incident, strength=Strength.WARN)
    fixes.waive(weak.pk, by=world["tillery"], reason="No part before June", now=world.now)
    being_proved(world, weak)
    world.now += timedelta(days=9)
    world.raise_it("workaround")
    tick(now=world.now)
    weak.refresh_from_db()
    assert (weak.stage, weak.waived_by) == (Stage.NOT_EFFECTIVE, None)
    fixes.start(weak.pk, by=world["vela"], due_on=world.now.date(), now=world.now)
    with pytest.raises(Refused) as refusal:
        fixes.put_in_place(weak.pk, by=world["vela"], evidence="Sign is up", now=world.now)
    assert refusal.value.code == "too_weak"
    fixes.waive(weak.pk, by=world["tillery"], reason="Still no part", now=world.now)
    again = fixes.put_in_place(weak.pk, by=world["vela"], evidence="Sign is up", now=world.now)
    assert (again.stage, again.checking_from) == (Stage.CHECKING, world.now)


def test_what_a_repeat_opens_again_is_without_product_from_then_on(
    world: Any, advance: Any, told: Any
) -> None:
    """The containment ladder and the owner's words count from the repeat; nobody is asked to take it."""
    old = fixed(world)
    advance(minutes=1)
    world.now += timedelta(days=9)
    world.raise_it("workaround")
    advance()
    came_back = world.now
    armed = {timer.clock: timer for timer in old.timers.armed()}
    assert set(armed) == {"containment", "update", "closure", "lapse"}
    assert armed["containment"].due_at == came_back + 15 * MINUTE
    assert armed["update"].due_at == came_back + 30 * MINUTE
    advance(minutes=15)
    assert [(minute, name) for minute, name in told(old, clock="containment") if name == "brandt"]
