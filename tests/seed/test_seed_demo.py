"""The demo plant: its stories end by the rules, its clocks run, and a second run changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from countermeasures.models import Countermeasure, Kind, Measurement, Promise, Stage
from escalation.demo.seed import keep_live, seed_demo
from escalation.demo.story import load
from escalation.engine import tick
from escalation.models import (
    Clock,
    Delivery,
    DeliveryState,
    Drill,
    Notification,
    Policy,
    Reason,
    Run,
    Timer,
    Unread,
)
from incidents.models import Event, EventKind, Incident, Severity, Status
from plant.models import Person
from tests.factories import DETROIT

pytestmark = pytest.mark.django_db

OURS = ("plant", "incidents", "countermeasures", "escalation")


@pytest.fixture(scope="module")
def seeded_at(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[datetime]:
    """The moment at which the demo plant was built; it is there until the last test has run."""
    with django_db_blocker.unblock(), transaction.atomic():
        now = timezone.now().replace(microsecond=0)
        seed_demo(now=now)
        yield now
        transaction.set_rollback(True)


@pytest.fixture
def demo(seeded_at: datetime, db: None) -> datetime:
    """The demo plant as it was built; what the test does to it is undone."""
    return seeded_at


def next_due() -> datetime:
    """When the engine has something to say next."""
    return Timer.objects.armed().order_by("due_at").values_list("due_at", flat=True)[0]


def rows() -> dict[str, list[Any]]:
    """Every row of the domain, with its contents."""
    models = [model for label in OURS for model in apps.get_app_config(label).get_models()]
    return {m.__name__: list(m._default_manager.order_by("pk").values_list()) for m in models}


def test_every_story_of_the_file_stands_where_the_file_says(demo: datetime) -> None:
    for n, told in enumerate(load()["incidents"]):
        incident = Incident.objects.numbered(1001 + n)
        assert (incident.title, incident.severity, incident.status) == (
            told["title"],
            told["severity"],
            told["state"],
        )
        assert incident.owner == (Person.objects.get(username=told["owner"]) if told["owner"] else None)


def test_about_250_small_things_surround_them_and_few_stopped_a_line(demo: datetime) -> None:
    real = Incident.objects.filter(is_drill=False)
    assert real.count() == 290
    assert real.filter(severity=Severity.S1).count() < 29
    past = real.filter(number__lt=1001)
    assert set(past.values_list("status", flat=True)) == {Status.CLOSED}
    small = past.filter(severity__in=[Severity.S3, Severity.S4])
    assert not small.filter(closed_cause="").exists()
    assert not small.filter(closed_agreed_by=None).exists()
    assert past.filter(raised_at__lt=demo - timedelta(days=120)).count() > 50


def test_last_weeks_practice_found_two_people_who_did_not_answer(demo: datetime) -> None:
    drill = Drill.objects.select_related("incident").get()
    assert drill.ended_at is not None and drill.started_at < demo - timedelta(days=1)
    assert (drill.report["why"], drill.report["missed"]) == ("played", 2)
    assert drill.report["asked"] > 8 and drill.incident.status == Status.CLOSED


def test_a_line_stop_is_in_progress_and_its_next_step_is_minutes_away(demo: datetime) -> None:
    stop = Incident.objects.numbered(1036)
    assert (stop.severity, stop.status) == (Severity.S1, Status.ACKNOWLEDGED)
    assert stop.cover_until == demo + timedelta(minutes=41)
    due = stop.timers.armed().get(clock=Clock.CONTAINMENT).due_at
    assert demo < due < demo + timedelta(minutes=60)
    assert Notification.objects.filter(incident=stop, clock=Clock.CONTAINMENT, answer="seen").exists()


def test_every_open_incident_has_a_clock_and_none_is_due(demo: datetime) -> None:
    silent = Incident.objects.open().exclude(timers__in=Timer.objects.armed())
    assert not silent.exists()
    assert not Timer.objects.due(demo).exists()
    closed = Timer.objects.armed().filter(incident__status=Status.CLOSED)
    assert not closed.exists()


def test_the_engine_has_read_everything_and_has_nothing_to_say(demo: datetime) -> None:
    assert not Unread.objects.exists()
    read = dict(Run.objects.values_list("incident_id", "incident_version"))
    open_now = Incident.objects.open().values_list("pk", "version")
    assert {pk: read.get(pk) for pk, _version in open_now} == dict(open_now)
    before = Notification.objects.count()
    tick(now=min(demo + timedelta(seconds=30), next_due() - timedelta(seconds=1)))
    assert Notification.objects.count() == before


def test_nothing_is_due_to_be_sent_and_nobody_was_missed(demo: datetime) -> None:
    """What is held on purpose may wait: a budget used up, or quiet news that is kept for the morning."""
    states = Counter(Delivery.objects.values_list("state", flat=True))
    held = {DeliveryState.QUEUED}
    assert set(states) <= {DeliveryState.DELIVERED, DeliveryState.DROPPED, DeliveryState.BUNDLED} | held
    assert not Delivery.objects.queued().filter(not_before__lte=demo).exists()
    together = Delivery.objects.filter(state=DeliveryState.BUNDLED)
    assert not together.exclude(bundled_into__state__in=[DeliveryState.DELIVERED, *held]).exists()
    assert states[DeliveryState.DELIVERED] > 500
    assert not Notification.objects.filter(deliveries=None).exists()


def test_managers_heard_of_every_line_that_stood_still_for_half_an_hour(demo: datetime) -> None:
    for number in (1010, 1013, 1027, 1036):
        told = Notification.objects.filter(incident__number=number, reason=Reason.STEP)
        roles = set(told.values_list("role", flat=True))
        assert {"production_manager", "materials_manager", "it_manager"} <= roles, number


def test_nobody_was_told_late(demo: datetime) -> None:
    for timer in Timer.objects.filter(state="fired"):
        assert timer.fired_at is not None
        assert timer.fired_at - timer.due_at < timedelta(seconds=60)


def test_owners_said_what_they_owed(demo: datetime) -> None:
    assert not Notification.objects.filter(clock=Clock.UPDATE).exists()
    assert not Event.objects.filter(kind=EventKind.LAPSED).exists()


def test_a_timeline_is_in_order_of_time_and_of_versions(demo: datetime) -> None:
    for number in (1001, 1013, 1019, 1020, 1025, 1036):
        events = list(Event.objects.filter(incident__number=number).order_by("version", "pk"))
        assert [event.at for event in events] == sorted(event.at for event in events), number


def test_countermeasures_that_did_not_hold_brought_their_incidents_back(demo: datetime) -> None:
    failed = Countermeasure.objects.filter(stage=Stage.NOT_EFFECTIVE)
    assert {c.incident.number for c in failed} == {1020, 1025}
    assert Incident.objects.numbered(1020).status == Status.REOPENED
    assert Incident.objects.numbered(1025).reopen_count == 1


def test_dates_moved_for_several_reasons_and_several_checks_are_measured(demo: datetime) -> None:
    """The bars of what is in the way and the chart of a check have something to show."""
    ways = Counter(Promise.objects.exclude(in_the_way="").values_list("in_the_way", flat=True))
    assert len(ways) >= 3 and max(ways.values()) >= 2
    assert {"kept_by_agreement", "late"} <= set(
        Promise.objects.filter(kind="fix").values_list("outcome", flat=True)
    )
    lines = Counter(Measurement.objects.exclude(value=None).values_list("countermeasure", flat=True))
    assert len([pk for pk, count in lines.items() if count >= 3]) >= 5


def test_one_promised_day_has_passed_and_one_acceptance_is_to_be_looked_at_again(demo: datetime) -> None:
    passed = Promise.objects.passed(demo).filter(kind="fix").select_related("incident")
    assert [(one.incident and one.incident.number, one.in_the_way) for one in passed] == [(1018, "vendor")]
    assert passed[0].waits_on
    review = Promise.objects.open().get(kind="review")
    assert review.incident is not None and review.incident.status == Status.CLOSED
    assert review.due_on == demo.astimezone(DETROIT).date() + timedelta(days=6)
    assert not Countermeasure.objects.worn().filter(incident=review.incident).exists()


def test_weak_fixes_of_what_is_serious_or_came_back_were_accepted(demo: datetime) -> None:
    weak = [
        c
        for c in Countermeasure.objects.filter(kind=Kind.PERMANENT)
        if c.stage != Stage.NOT_EFFECTIVE and (c.waived_by_id or not c.is_strong_enough)
    ]
    assert {c.incident.number for c in weak} == {1010, 1011, 1032, 1035}
    assert all(c.waived_by and c.waived_by.username in {"tillery", "prewitt"} for c in weak)


def test_exactly_one_bandage_ends_today_and_the_others_hold_longer(demo: datetime) -> None:
    today = demo.astimezone(DETROIT).date()
    worn = Countermeasure.objects.filter(incident__in=Incident.objects.open()).worn()
    ends = {c.incident.number: c.expires_on for c in worn.select_related("incident")}
    assert ends.pop(1015) == today
    assert ends
    assert all(day is not None and day > today for day in ends.values())


def test_the_safety_lead_and_the_quality_manager_hear_of_safety_at_once(demo: datetime) -> None:
    policy = Policy.objects.current().get(severity=Severity.S1, site=None, area=None, category=None)
    assert policy.clocks["safety"][0]["people"] == ["lindqvist", "oyelaran"]
    assert policy.clocks["safety"][0]["roles"] == ["plant_manager"]


def test_a_second_run_changes_nothing_and_adds_nothing(demo: datetime) -> None:
    before = rows()
    done = seed_demo(now=demo + timedelta(minutes=1))
    assert (done.incidents, done.raised) == (0, "")
    assert rows() == before


def test_a_new_line_stop_is_raised_when_none_is_in_progress(demo: datetime) -> None:
    Incident.objects.filter(number=1036).update(status=Status.CONTAINED, contained_at=demo)
    code = keep_live(now=demo)
    assert code == "INC-1041"
    stop = Incident.objects.numbered(code)
    assert (stop.severity, stop.status, stop.raised_at) == (Severity.S1, Status.RAISED, demo)
    assert keep_live(now=demo) == ""


def test_the_next_incident_gets_the_next_number(demo: datetime) -> None:
    Incident.objects.filter(number=1036).update(status=Status.CONTAINED, contained_at=demo)
    assert keep_live(now=demo) == f"INC-{max(Incident.objects.values_list('number', flat=True))}"


def test_removing_everything_needs_debug(demo: datetime, settings: Any) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG"):
        call_command("seed_demo", reset=True)
    assert Incident.objects.exists()


@pytest.mark.nightly
@pytest.mark.parametrize("hour", range(0, 168, 5))
def test_the_demo_plant_stands_at_any_hour_of_a_week(db: None, hour: int) -> None:
    """Steps, shifts, quiet hours and weekends fall differently for each: a seed may work at noon only."""
    now = timezone.now().replace(minute=14, second=44, microsecond=0) + timedelta(hours=hour)
    seed_demo(now=now)
    for check in (
        test_every_story_of_the_file_stands_where_the_file_says,
        test_about_250_small_things_surround_them_and_few_stopped_a_line,
        test_last_weeks_practice_found_two_people_who_did_not_answer,
        test_a_line_stop_is_in_progress_and_its_next_step_is_minutes_away,
        test_every_open_incident_has_a_clock_and_none_is_due,
        test_nothing_is_due_to_be_sent_and_nobody_was_missed,
        test_managers_heard_of_every_line_that_stood_still_for_half_an_hour,
        test_nobody_was_told_late,
        test_owners_said_what_they_owed,
        test_a_timeline_is_in_order_of_time_and_of_versions,
        test_countermeasures_that_did_not_hold_brought_their_incidents_back,
        test_one_promised_day_has_passed_and_one_acceptance_is_to_be_looked_at_again,
        test_weak_fixes_of_what_is_serious_or_came_back_were_accepted,
        test_exactly_one_bandage_ends_today_and_the_others_hold_longer,
        test_the_engine_has_read_everything_and_has_nothing_to_say,
        test_a_second_run_changes_nothing_and_adds_nothing,
    ):
        check(now)
