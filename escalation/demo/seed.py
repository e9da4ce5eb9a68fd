"""The demo plant from nothing to now, and one live line stop whenever it is started again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from countermeasures import lifecycle as fixes
from countermeasures.exposure import count_shift_starts
from escalation.defaults import DEFAULT_CLOCKS, asking_for_answers, with_safety_people
from escalation.demo.cast import Cast
from escalation.demo.director import Director, analyze, next_number
from escalation.demo.past import small_things
from escalation.demo.play import play
from escalation.demo.practice import practice
from escalation.demo.story import FIRST_NUMBER, Story, load, read_stories
from escalation.models import ListenerKind, Policy, PushDevice
from escalation.policies import publish
from escalation.webhooks.lifecycle import add as add_listener
from incidents import lifecycle
from incidents.models import Impact, Incident, Severity, Status
from plant.models import Person, Site
from plant.seed import seed_plant

SITE = "MBK"
SAFETY_PEOPLE = ("lindqvist", "oyelaran")
"""Quality manager and safety lead hear of safety at once (`escalation_overrides` of the file)."""

WITH_DEVICE = "vela"
"""The technician whose tablet shows pushes, so that the outbox and the log have some."""

MANAGERS_STEP = 2
"""The step of the S1 response clock that tells the managers, after 10 minutes: here each of them answers."""

REMINDERS = timedelta(days=3)
"""So much of the past keeps its "still open" reminders: nobody reads the thousands before."""

IN_PROGRESS = (Status.RAISED, Status.ACKNOWLEDGED, Status.REOPENED)


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a run of the seed did."""

    incidents: int = 0
    raised: str = ""


def is_foreign() -> bool:
    """Whether somebody's own plant is in this database: the demo stays out of it."""
    return Site.objects.exists() and not Site.objects.filter(code=SITE).exists()


def is_there() -> bool:
    return Incident.objects.filter(site__code=SITE).exists()


def seed_demo(*, now: datetime) -> Seeded:
    """Build the demo plant in an empty database; in a seeded one, only keep a line stop in progress.

    One transaction: other processes see all of it or nothing, and a broken run leaves nothing behind.
    """
    if is_there():
        return Seeded(raised=keep_live(now=now))
    with _in_the_sandbox(), transaction.atomic():
        return Seeded(incidents=_tell_everything(now.replace(microsecond=0)))


def _tell_everything(now: datetime) -> int:
    data = load()
    seed_plant(data, now=now)
    _name_safety_people(now)
    stories, past = read_stories(data, now=now), small_things(data, now=now)
    keep_from = now - REMINDERS
    cast = Cast()
    _give_a_device(cast, now - timedelta(days=200))
    analyze()
    for story in past:
        if not _is_seen(story, keep_from):
            _tell_without_engine(story, cast)
    director = Director(keeps_reminders_from=keep_from)
    seen = [story for story in past if _is_seen(story, keep_from)] + stories
    plays = {story.number: play(story, cast) for story in seen}
    plays[FIRST_NUMBER - len(past) - 1] = practice(cast, now=now)
    director.tell(plays, until=now)
    director.tidy()
    count_shift_starts(now)
    _open_a_room(now)
    next_number(FIRST_NUMBER + len(stories))
    return len(past) + len(stories)


def _is_seen(story: Story, keep_from: datetime) -> bool:
    """Whether the engine plays along: of the last days, and where it follows what was promised for later."""
    return story.opened >= keep_from or story.accepted is not None


def _name_safety_people(now: datetime) -> None:
    if Policy.objects.current().filter(severity=Severity.S1, version__gt=1).exists():
        return
    clocks = with_safety_people(DEFAULT_CLOCKS[Severity.S1], SAFETY_PEOPLE)
    publish(
        by=None,
        severity=Severity.S1,
        clocks=asking_for_answers(clocks, "response", MANAGERS_STEP),
        why="Quality and safety hear of safety at once; each manager answers for a stopped line",
        now=now - timedelta(days=200),
    )


def _open_a_room(now: datetime) -> None:
    """A chat room that stays here, so that what a room reads can be seen without an account."""
    by = Person.objects.get(username="hutchins")
    site = Site.objects.get(code=SITE)
    add_listener(
        by=by, site=site, kind=ListenerKind.CHAT, name="IT on duty", address="sandbox://it-on-duty", now=now
    )


def _give_a_device(cast: Cast, at: datetime) -> None:
    """One technician has a tablet that shows pushes. Its address leads nowhere: it exists in the outbox."""
    PushDevice.objects.create(
        person=cast.people[WITH_DEVICE],
        name="Practice tablet (sandbox)",
        endpoint="https://push.invalid/practice-tablet",
        p256dh="BL0iL3x74hKFvGsevr-zUI7leIBIf7PrBaXwhYLvgYlk4bfUgOo5mOcMyBTaYReEKhneqASSQa3zopoena4FNOc",
        auth="cHJhY3RpY2Utb25seSEhIQ",
        created_at=at,
    )


def _tell_without_engine(story: Story, cast: Cast) -> None:
    """A small thing of weeks ago: what people did is kept, what they were sent is not."""
    next_number(story.number)
    for _moment in play(story, cast):
        pass
    fixes.weigh_due(story.opened + timedelta(seconds=1))


@contextmanager
def _in_the_sandbox() -> Iterator[None]:
    """Nobody is texted about the past, and the real engine is not woken up: it is run here by hand."""
    there = {
        "NUDGE_ENGINE": False,
        "EMAIL_URL": "sandbox://",
        "SMS_URL": "sandbox://",
        "PUSH_URL": "sandbox://",
    }
    before = {name: getattr(settings, name) for name in there}
    for name, value in there.items():
        setattr(settings, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(settings, name, value)


# --- every start again ---

LIVE_STOPS = (
    (
        *("ASM-D1-050", "hmi", "hmi_pc", "petty", "End-of-line test does not start"),
        "The test computer shows a blue screen. Line D1 is stopped.",
    ),
    (
        *("ASM-C1-030", "vision", "device", "fontaine", "Laser marker does not mark"),
        "The laser is ready and does nothing. Line C1 is stopped.",
    ),
    (
        *("PNT-L1-030", "opc", "plc_opc", "jimenez", "Robots get no colour code"),
        "The robots wait for a colour. Nothing is painted.",
    ),
    (
        *("ASM-I1-020", "torque", "device", "cruz", "Tightening results do not arrive"),
        "The tool is green, the screen waits. Line I1 is stopped.",
    ),
)
"""Station, system, category, who raises it, title and words: what can stop a line on an ordinary day."""


def keep_live(*, now: datetime) -> str:
    """Raise a line stop, now, when none is in progress. Returns its code, or nothing."""
    stopped = Incident.objects.filter(severity=Severity.S1, status__in=IN_PROGRESS, is_drill=False)
    if stopped.filter(site__code=SITE).exists():
        return ""
    station, system, category, reporter, title, words = LIVE_STOPS[Incident.objects.count() % len(LIVE_STOPS)]
    cast = Cast()
    incident, _created = lifecycle.raise_incident(
        by=cast.people[reporter],
        category=cast.categories[category],
        impact=Impact.STOPPED,
        station=cast.stations[station],
        system=cast.systems.get(system),
        title=title,
        words=words,
        cover_until=now + timedelta(minutes=45),
        now=now,
    )
    return incident.code
