"""What happens when: the default policies, played through, as tables that a manager can read.

`docs/escalation.md` is this text; `make docs` writes it anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from escalation import policy_words
from escalation.defaults import DEFAULT_CLOCKS
from escalation.models import Clock, DeliveryState, Notification, Reason
from escalation.steps import CLOCKS, SAFETY, parse_ladder
from incidents import lifecycle
from incidents.models import Event, EventKind, Incident
from plant.models import Role
from tests.scenarios.world import World
from tests.scenarios.world import advance as advance_world

PAGE = Path(__file__).resolve().parents[2] / "docs" / "escalation.md"

ACTS = {
    EventKind.RAISED: "raised",
    EventKind.ACKNOWLEDGED: "picked up",
    EventKind.UPDATED: "says what is new",
    EventKind.CONTAINED: "product moving",
    EventKind.RESOLVED: "fix in place",
    EventKind.CLOSED: "closed",
    EventKind.REOPENED: "came back",
    EventKind.LAPSED: "nobody has it any more: its owner said nothing, twice",
    EventKind.SHELVED: "paused by a manager",
    EventKind.SEVERITY_CHANGED: "severity changed",
}
"""What people did, and the one thing that silence does."""

WHY = {
    Reason.TOLD_PICKED_UP: "somebody has it",
    Reason.TOLD_MOVING: "product is moving",
    Reason.TOLD_CLOSED: "closed",
    Reason.TOLD_REOPENED: "came back",
    Reason.UPDATE: "news from the owner",
    Reason.BRING_SOMEONE: "no word: “Bring someone in?”",
    Reason.LAPSED: "it was taken back for silence",
    Reason.ASKED_AGAIN: "asked again for an answer",
}
WHY_CLOCK = {
    Clock.RESPONSE: "nobody has it yet",
    Clock.CONTAINMENT: "product is not moving yet",
    Clock.UPDATE: "news is due",
    Clock.CLOSURE: "still open",
}
CHANNELS = {"sms": "SMS", "email": "email"}


@dataclass
class Play:
    """The plant and its clock, for one scene."""

    world: World

    def wait(self, minutes: float = 0, hours: float = 0) -> None:
        advance_world(self.world, self.world.now + timedelta(minutes=minutes, hours=hours))

    def take(self, incident: Incident) -> None:
        lifecycle.acknowledge(incident.number, by=self.world["vela"], now=self.world.now)

    def contain(self, incident: Incident) -> None:
        lifecycle.contain(
            incident.number, by=self.world["vela"], what="A spare stands in", now=self.world.now
        )

    def say(self, incident: Incident) -> None:
        lifecycle.post_update(
            incident.number,
            by=self.world["vela"],
            conditions="The line stands",
            actions="The spare is on its way",
            needs="No needs",
            now=self.world.now,
        )


@dataclass(frozen=True)
class Scene:
    """One story: what it is called, what the reader should know, and how it goes."""

    title: str
    story: str
    play: Callable[[Play], Incident]


def _nobody_takes(impact: str, **length: float) -> Callable[[Play], Incident]:
    def play(scene: Play) -> Incident:
        incident = scene.world.raise_it(impact)
        scene.wait(**length)
        return incident

    return play


def _taken_but_stuck(impact: str, *, word_every: float, words: int) -> Callable[[Play], Incident]:
    def play(scene: Play) -> Incident:
        incident = scene.world.raise_it(impact)
        scene.take(incident)
        for _turn in range(words):
            scene.wait(minutes=word_every)
            scene.say(incident)
        scene.wait(minutes=1)
        return incident

    return play


def _silent_owner(scene: Play) -> Incident:
    incident = scene.world.raise_it("stopped")
    scene.take(incident)
    scene.wait(minutes=66)
    return incident


def _moving_but_not_proved(scene: Play) -> Incident:
    incident = scene.world.raise_it("stopped")
    scene.take(incident)
    scene.wait(minutes=12)
    scene.contain(incident)
    scene.wait(hours=17)
    return incident


def _small_thing_done(scene: Play) -> Incident:
    incident = scene.world.raise_it("workaround")
    scene.wait(minutes=4)
    scene.take(incident)
    scene.wait(minutes=40)
    world = scene.world
    lifecycle.close(
        incident.number, by=world["vela"], cause="A loose plug", agreed_by=world["jimenez"], now=world.now
    )
    scene.wait(minutes=1)
    return incident


def _safety(scene: Play) -> Incident:
    incident = scene.world.raise_it("safety")
    scene.wait(minutes=1)
    scene.take(incident)
    scene.wait(minutes=1)
    return incident


SCENES: Sequence[Scene] = (
    Scene(
        "A line is down and nobody takes it",
        "S1. After the last step everybody is told again, until somebody takes it.",
        _nobody_takes("stopped", minutes=26),
    ),
    Scene(
        "A line is down, somebody has it, it does not move",
        "S1, taken at once; its owner says what is new every 25 minutes.",
        _taken_but_stuck("stopped", word_every=25, words=5),
    ),
    Scene(
        "The owner of a stopped line says nothing",
        "S1, taken at once, and then silence. A word is owed every 30 minutes; two missed in a row, and it "
        "goes back to everybody.",
        _silent_owner,
    ),
    Scene(
        "Product moves again, but the fix is not proved",
        "S1. Moving is not closed: the managers hear of it every 8 hours until it is.",
        _moving_but_not_proved,
    ),
    Scene("Somebody could get hurt", "Safety: those who must know are told at once, always.", _safety),
    Scene(
        "Something is at risk and nobody takes it",
        "S2.",
        _nobody_takes("at_risk", minutes=61),
    ),
    Scene(
        "Something is at risk, somebody has it, it stays so",
        "S2, taken at once; a word every 100 minutes.",
        _taken_but_stuck("at_risk", word_every=100, words=3),
    ),
    Scene("A workaround, and nobody takes it", "S3, on a working day.", _nobody_takes("workaround", hours=2)),
    Scene("A workaround is taken and closed", "S3. Whoever was told is told the end.", _small_thing_done),
    Scene("Something small", "S4: nobody is called for it.", _nobody_takes("none", minutes=482)),
)

POLICIES = "The default policies"

INTRODUCTION = """# What happens when

Who hears about a problem, when and how, if everybody does what the title says and nothing else. These tables
are not written by hand: the tests play each story with the default policies and a moved clock, on a Tuesday
at 10:00, and this page is what was sent. A site can shape its own policies on the screen “Policies”; the
screen “Who would be told?” plays any place, problem and moment.

Times count from when it was raised. Where nobody of a level is on shift the next level is told at once. The
production and the materials manager are named in the order of the flow that is hit; both always see both.

Besides the clocks of a policy there are two that need none. Two words missed in a row, and what somebody
has goes back to everybody: S1 an hour, S2 four hours and S3 sixteen hours after it was taken or last spoken
of, S4 never. And ten minutes after an S1 or S2 is taken without a word its owner is asked once: “Bring
someone in?”

S1, S2 and safety never wait for the plant to work. A step of S3 or S4 that falls into a weekend, a holiday,
a shutdown or a planned stop waits for the next working minute, and says until when.

Nobody gets more than two SMS in ten minutes: the rest goes together in the next one. A new S1, safety, and
what somebody asks of that very person always go at once. When more than ten problems come up in one area
within five minutes, each person gets one message for them every two minutes, with S1 and safety still on
their own.

At shift start whoever comes on hears what is open in their place. Twelve hours before nobody will be on
shift for a role, and each night when somebody cannot be reached, the IT managers hear of it. Once a week a
practice plays a real policy in ten minutes and reports who was not reached. None of this comes in a burst
after an outage.
"""


def policy_lines() -> list[str]:
    """The default policies themselves: what each clock of each severity does."""
    lines = [f"## {POLICIES}", "", "| | " + " | ".join(DEFAULT_CLOCKS) + " |", "|---|---|---|---|---|"]
    for clock in (*CLOCKS, SAFETY):
        cells = (
            [policy_words.sentence(step, clock, {}) for step in parse_ladder(raw.get(clock) or [], clock)]
            for raw in DEFAULT_CLOCKS.values()
        )
        lines.append(f"| {policy_words.CLOCK_NAMES[clock]} | {' | '.join('<br>'.join(c) for c in cells)} |")
    return [*lines, ""]


def page(sections: Mapping[str, str]) -> str:
    """The whole page from the sections by title, in its order."""
    titles = [POLICIES, *(scene.title for scene in SCENES)]
    told = [sections[title] for title in titles if title in sections]
    return "\n\n".join([INTRODUCTION.rstrip(), *told]) + "\n"


def scene_lines(scene: Scene, world: World) -> list[str]:
    """A heading, the story, and the table of who was told."""
    incident = scene.play(Play(world))
    rows = [*_acts(incident), *_tellings(incident)]
    rows.sort(key=lambda row: row[0])
    table = [f"| {_after(at)} | {why} | {who} | {how} |" for (at, _order), why, who, how in rows]
    return [
        f"## {scene.title}",
        "",
        scene.story,
        "",
        "| after | why | who is told | how |",
        "|---|---|---|---|",
        *table,
        "",
    ]


Row = tuple[tuple[timedelta, int], str, str, str]


def _acts(incident: Incident) -> Iterator[Row]:
    for event in Event.objects.filter(incident=incident, kind__in=ACTS).order_by("at", "id"):
        yield (event.at - incident.raised_at, 0), f"*{ACTS[EventKind(event.kind)]}*", "", ""


def _tellings(incident: Incident) -> Iterator[Row]:
    told = Notification.objects.filter(incident=incident).with_deliveries().order_by("created_at", "id")

    def step(one: Notification) -> tuple[Any, ...]:
        return (one.created_at, one.reason, one.clock, _how(one))

    for (at, reason, clock, how), group in groupby(sorted(told, key=lambda n: (*step(n), n.pk)), key=step):
        roles = dict.fromkeys(_role(one.role) for one in group)
        why = WHY.get(reason) or WHY_CLOCK[clock]
        yield (at - incident.raised_at, 1), why, ", ".join(roles), how


def _how(one: Notification) -> str:
    channels = sorted({delivery.channel for delivery in one.deliveries.all()}, reverse=True)
    late = {d.state for d in one.deliveries.all()} <= {DeliveryState.DROPPED}
    words = " and ".join(CHANNELS.get(channel, channel) for channel in channels)
    return f"{words}, not needed any more" if late else words


def _role(role: str) -> str:
    return str(Role(role).label) if role in Role.values else "Its owner"


def _after(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"
