"""Somebody outside of the workers notices that alerts do not go out, sends them, and calls the IT manager."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import OperationalError
from django.utils import timezone

from escalation import calling, watch, watcher
from escalation.alarm import AGAIN_AFTER, CALM_AFTER, Alarm, Notice, words
from escalation.channels import ChannelDown, Receipt, TemporaryFailure, open_channel
from escalation.gsm7 import septets
from escalation.models import Delivery, DeliveryState, Heartbeat
from escalation.watch import Facts, Kind, Trouble, diagnose
from escalation.watcher import Hand, Watcher
from opsdesk import serve
from opsdesk.processes import Program, Supervisor
from tests.emulators.twilio import TOKEN, running_twilio
from tests.scenarios.world import MORNING

SECOND = timedelta(seconds=1)


def ago(seconds: float) -> Any:
    return MORNING - seconds * SECOND


FINE = {"ticked_at": ago(2), "answered_at": ago(2)}


# --- diagnose -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "kinds"),
    [
        ({}, []),
        ({"ticked_at": ago(20)}, []),
        ({"ticked_at": ago(21)}, [Kind.ENGINE]),
        ({"ticked_at": None}, [Kind.ENGINE]),
        ({"oldest_timer": ago(60)}, []),
        ({"oldest_timer": ago(61)}, [Kind.LATE]),
        ({"oldest_timer": ago(-600)}, []),
        ({"oldest_unread": ago(61)}, [Kind.UNREAD]),
        ({"oldest_message": ago(120)}, []),
        ({"oldest_message": ago(121)}, [Kind.UNSENT]),
        ({"oldest_question": ago(60)}, []),
        ({"oldest_question": ago(61)}, [Kind.UNASKED]),
        ({"senders": {"sms": ago(20), "email": ago(2)}}, []),
        ({"senders": {"sms": ago(21), "email": ago(2)}}, [Kind.SENDER]),
        ({"ticked_at": ago(40), "oldest_timer": ago(90)}, [Kind.ENGINE, Kind.LATE]),
        ({"answered_at": ago(20)}, []),
        ({"answered_at": ago(21), "ticked_at": ago(90), "oldest_timer": ago(90)}, [Kind.DATABASE]),
        ({"answered_at": None, "ticked_at": ago(2)}, []),
    ],
)
def test_what_is_wrong_follows_from_the_facts(facts: dict[str, Any], kinds: list[Kind]) -> None:
    assert [one.kind for one in diagnose(Facts(**(FINE | facts)), MORNING)] == kinds


def test_a_trouble_says_since_when_and_whose() -> None:
    assert diagnose(Facts(ago(2), senders={"email": ago(50)}), MORNING) == [
        Trouble(Kind.SENDER, ago(50), "email")
    ]


# --- when it is said, and how -------------------------------------------------------------------------------

STOPPED = [Trouble(Kind.ENGINE, MORNING)]


def hear(alarm: Alarm, troubles: list[Trouble], start: float, end: float) -> list[tuple[int, Notice]]:
    """What an alarm says while the same thing is seen every two seconds."""
    said = []
    for second in range(int(start), int(end), 2):
        notice = alarm.hear(troubles, MORNING + second * SECOND)
        if notice is not None:
            said.append((second, notice))
    return said


def test_a_restart_is_not_worth_a_call() -> None:
    alarm = Alarm()
    assert hear(alarm, STOPPED, 0, 18) == []
    assert hear(alarm, [], 18, 600) == []


def test_trouble_is_said_once_again_every_half_hour_and_when_it_is_over() -> None:
    alarm = Alarm()
    assert [second for second, _ in hear(alarm, STOPPED, 0, 3700)] == [20, 1820, 3620]
    over = hear(alarm, [], 3700, 8000)
    assert over == [(3700 + CALM_AFTER.total_seconds(), Notice((), MORNING + 3700 * SECOND))]
    assert timedelta(minutes=30) == AGAIN_AFTER


def test_another_kind_of_trouble_is_said_too_but_the_same_that_comes_and_goes_is_not() -> None:
    alarm = Alarm()
    hear(alarm, STOPPED, 0, 30)
    assert [second for second, _ in hear(alarm, [*STOPPED, Trouble(Kind.LATE, MORNING)], 30, 90)] == [50]
    for start in range(100, 700, 100):
        assert hear(alarm, [], start, start + 50) == []
        assert hear(alarm, STOPPED, start + 50, start + 100) == []


def test_it_is_said_in_the_words_and_the_time_of_its_reader() -> None:
    said = words(Notice(tuple(STOPPED), MORNING), language="en", tz=ZoneInfo("America/Detroit"), now=MORNING)
    start = "OpsDesk: alerts are not going out since 10:00. The engine has stopped. The watcher sends them"
    assert said.text.startswith(start)
    down = Notice((Trouble(Kind.DATABASE, MORNING),), MORNING)
    spanish = words(down, language="es", tz=ZoneInfo("America/Detroit"), now=MORNING)
    assert "base de datos" in spanish.text
    assert "10:00" in spanish.subject


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kinds", [*([kind] for kind in Kind), list(Kind), []])
def test_by_text_it_is_one_segment_whatever_is_wrong(kinds: list[Kind], language: str, settings: Any) -> None:
    settings.BASE_URL = "https://opsdesk.millbrook.example.com"
    notice = Notice(tuple(Trouble(kind, MORNING) for kind in kinds), MORNING)
    said = words(notice, language=language, tz=ZoneInfo("America/Detroit"), now=MORNING)
    assert septets(said.sms) <= 160 and "10:00" in said.sms
    if Kind.DATABASE in kinds:
        assert {"en": "call people yourself", "es": "llame usted a la gente"}[language] in said.sms


# --- the loop, with a clock that is moved -------------------------------------------------------------------


class Line:
    """A channel that keeps what it is given, or is down."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, str]] = []
        self.failure: Exception | None = None

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def send(self, delivery: Delivery) -> Receipt:
        if self.failure is not None:
            raise self.failure
        self.said.append((delivery.channel, delivery.address, delivery.text))
        return Receipt("line", "1")


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    found = Line()
    monkeypatch.setattr(calling, "open_channel", lambda _channel, _provider: found)
    return found


@pytest.fixture
def watching(world: Any, line: Line, monkeypatch: pytest.MonkeyPatch) -> Watcher:
    """A watcher that has looked once, whose hands work at once and in this thread."""
    monkeypatch.setattr(Hand, "ask", lambda self: self._job())
    monkeypatch.setattr(watcher.timezone, "now", lambda: world.now)
    watch.beat(world.now)
    found = Watcher(world.now)
    found.look()
    return found


def go(watching: Watcher, world: Any, seconds: float, *, ticks: bool = False) -> None:
    """Turns of the loop every two seconds."""
    end = world.now + seconds * SECOND
    while world.now < end:
        world.now += 2 * SECOND
        if ticks:
            watch.beat(world.now)
        watching.turn(world.now)


@pytest.mark.django_db
def test_while_the_engine_ticks_nobody_is_called(watching, world, line):
    go(watching, world, 120, ticks=True)
    assert line.said == []
    assert Heartbeat.objects.get(name=watch.WATCHER).at == world.now


@pytest.mark.django_db
def test_when_the_engine_stops_its_work_is_done_and_the_it_manager_is_told_the_start_and_the_end(
    watching, world, line
):
    go(watching, world, 60, ticks=True)
    stopped = world.now
    world.raise_it("stopped")
    go(watching, world, 34)
    states = Delivery.objects.values_list("state", flat=True)
    assert states
    assert set(states) == {DeliveryState.DELIVERED}
    assert watch.silent_since(world.now) == stopped, "the workers are still away"
    assert line.said == []
    go(watching, world, 26)
    hutchins = world["hutchins"]
    assert [(channel, to) for channel, to, _text in line.said] == [
        ("sms", hutchins.mobile),
        ("email", hutchins.email),
    ]
    go(watching, world, 600, ticks=True)
    assert len(line.said) == 4
    assert all("alerts go out again since" in text for _channel, _to, text in line.said[2:])


@pytest.mark.django_db
def test_without_a_database_the_contacts_that_were_known_are_told(watching, world, line, monkeypatch):
    def away() -> Facts:
        raise OperationalError("connection refused")

    def ask(self: Hand) -> None:
        with suppress(OperationalError):
            self._job()

    monkeypatch.setattr(watch, "look", away)
    monkeypatch.setattr(Hand, "ask", ask)
    go(watching, world, 60)
    assert len(line.said) == 2
    assert all("The database does not answer. Nobody is told" in text for _c, _t, text in line.said)


@pytest.mark.django_db
def test_a_call_that_fails_is_tried_again_by_each_channel(watching, world, line, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(calling.time, "monotonic", lambda: clock[0])
    for failure in (ChannelDown("away"), TemporaryFailure("busy"), ValueError("?")):
        line.failure = failure
        todo = list(calling.calls(Notice(tuple(STOPPED), MORNING), watching.contacts, world.now))
        left = calling.place(todo)
        assert len(left) == len(todo) == 2
        line.failure = None
        assert calling.place(left) == left, "not yet"
        clock[0] += calling.PAUSE + 1
        assert calling.place(left) == []
    assert len(line.said) == 6


@pytest.mark.django_db
def test_a_call_that_one_provider_cannot_place_is_placed_by_the_next(
    watching, world, settings, caplog, monkeypatch
):
    monkeypatch.setattr(calling, "open_channel", open_channel)
    with running_twilio() as first, running_twilio() as second:
        settings.SMS_URL = f"{first.address} {second.address.replace('127.0.0.1', 'localhost')}"
        first.down = True
        todo = list(calling.calls(Notice(tuple(STOPPED), MORNING), watching.contacts, world.now))
        by_text = [one for one in todo if one.channel == "sms"]
        assert calling.place(by_text) == []
        assert len(second.texts_to(world["hutchins"].mobile)) == 1
        by_text[0].not_before = 0.0
        first.down, first.refuse = False, {world["hutchins"].mobile: 21211}
        assert calling.place(by_text) == [], "no number at all: the same with every provider"
        assert len(second.sent) == 1
        by_text[0].not_before = 0.0
        first.refuse, first.down, second.down = {}, True, True
        assert calling.place(by_text) == by_text, "tried again later"
    assert TOKEN not in caplog.text


def test_a_job_that_hangs_or_breaks_does_not_hold_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, done = threading.Event(), []

    def job() -> None:
        done.append(1)
        go_on.wait(10)
        raise ValueError("contained")

    hand = Hand("slow", job)
    began = time.monotonic()
    hand.ask()
    hand.ask()
    assert time.monotonic() - began < 1
    assert len(done) == 1
    monkeypatch.setattr(watcher, "PATIENCE", 0.0)
    hand.ask()
    assert time.monotonic() - began < 1
    go_on.set()
    hand.wait(5)
    assert len(done) == 2


# --- the dead man's switch ----------------------------------------------------------------------------------


@pytest.fixture
def heartbeat(settings: Any) -> Iterator[list[str]]:
    """An address that counts who asks."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return None

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.HEARTBEAT_URL = f"http://127.0.0.1:{server.server_port}/ping/abc"
    yield asked
    server.shutdown()
    server.server_close()


@pytest.mark.django_db
def test_heartbeat_url_is_asked_every_minute_only_while_all_is_well(watching, world, heartbeat):
    go(watching, world, 182, ticks=True)
    assert heartbeat == ["/ping/abc"] * 4
    go(watching, world, 30)
    heartbeat.clear()
    go(watching, world, 300)
    assert heartbeat == []
    go(watching, world, 70, ticks=True)
    assert heartbeat


# --- for real -----------------------------------------------------------------------------------------------


@pytest.fixture
def start(process_env: dict[str, str]) -> Iterator[Any]:
    """`start("watch", …)`: parts of OpsDesk as `make run` starts them."""
    started: list[tuple[Supervisor, threading.Thread]] = []

    def go_on(*parts: str) -> Supervisor:
        commands = serve.commands()
        supervisor = Supervisor([Program(part, commands[part], process_env) for part in parts])
        thread = threading.Thread(target=supervisor.run)
        thread.start()
        started.append((supervisor, thread))
        return supervisor

    yield go_on
    for supervisor, thread in started:
        supervisor.stop()
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_a_watcher_alone_tells_people(world, start):
    world.now = timezone.now()
    watch.beat(world.now - timedelta(minutes=5))
    incident = world.raise_it("stopped")
    start("watch")
    assert seconds_until_told(incident) < 30


@pytest.mark.nightly
@pytest.mark.django_db(transaction=True)
def test_with_every_worker_dead_people_are_told_within_45_seconds(world, start):
    world.now = timezone.now()
    workers = start("engine", "sms", "email", "beat")
    start("watch")
    assert seconds_until_told(world.raise_it("stopped")) < 30
    workers.stop()
    time.sleep(5)
    world.now = timezone.now()
    took = seconds_until_told(world.raise_it("stopped"))
    assert 5 < took < 45


def seconds_until_told(incident: Any) -> float:
    began = time.monotonic()
    while time.monotonic() - began < 60:
        rows = Delivery.objects.filter(notification__incident=incident)
        if DeliveryState.DELIVERED in rows.values_list("state", flat=True):
            break
        time.sleep(0.2)
    return time.monotonic() - began
