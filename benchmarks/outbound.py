"""Handing over: emails and texts per second, and what a dead provider costs the other channels."""

from __future__ import annotations

import smtplib
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat, LPad
from django.utils import timezone

from benchmarks import crowd, processor, stage
from benchmarks.engine import after, arm, expect, expect_all_taken, wait_until_sent
from escalation.channels.email import build
from escalation.engine import tick
from escalation.models import Delivery, DeliveryState, Rank
from escalation.outbox import batch, sending

LETTERS = 3_000
TEXTS = 3_000
BARE = 500
"""Emails of the bare loop: enough for a steady figure."""

DEAD = 200
"""Urgent texts that wait for a provider whose connections hang."""

AHEAD = timedelta(minutes=10)
"""For the timers to be armed and OpsDesk to come up, also on a busy machine, before anything is due."""

WARNING = timedelta(seconds=2)
"""From when the messages are let go until they are due, so that all are due at one instant."""


def email_hand_over() -> dict[str, float]:
    """Emails that wait in the outbox of a running OpsDesk, sent from one instant on.

    Beside it a bare loop: the same emails built and sent over one connection, and nothing else. `cpu_ms` is
    the processor of all of OpsDesk's processes for one email: what to go by on a machine that is shared.
    """
    due_at = arm(LETTERS, ahead=AHEAD)
    tick(now=due_at)
    with stage.sink_running() as (address, _sink):
        seconds, cpu = _bare(address, due_at)
    bare = {"bare_per_s": BARE / seconds, "bare_cpu_ms": cpu * 1000 / BARE}
    sent = _emails_sent(due_at, sms="sandbox://")
    crowd.forget_newest()
    return {**sent, **bare, "ratio": sent["per_s"] / bare["bare_per_s"]}


def sms_hand_over() -> dict[str, float]:
    """Texts to as many phones that wait in the outbox of a running OpsDesk, by a gateway on loopback."""
    due_at = arm(TEXTS, ahead=AHEAD)
    tick(now=due_at)
    _as_texts(due_at, TEXTS, rank=Rank.QUIET)
    with (
        stage.gateway_running() as (address, gateway),
        stage.opsdesk_processes(sms=address) as (_web, process),
    ):
        found = _until_sent(due_at, TEXTS, process.pid, channel="sms")
        expect_all_taken(TEXTS, stage.stop_and_count(gateway))
    crowd.forget_newest()
    return found


def dead_provider() -> dict[str, float]:
    """Emails per second while texts wait for a gateway whose connections hang, to those while it works."""
    with stage.gateway_running() as (works, _gateway):
        beside_one_that_works = _emails_beside(works)
    with stage.gateway_running(hangs=True) as (dead, _gateway):
        beside_a_dead_one = _emails_beside(dead)
    return {
        **beside_a_dead_one,
        "works_per_s": beside_one_that_works["per_s"],
        "works_cpu_ms": beside_one_that_works["cpu_ms"],
        "ratio": beside_a_dead_one["per_s"] / beside_one_that_works["per_s"],
    }


def _emails_beside(sms: str) -> dict[str, float]:
    due_at = arm(LETTERS + DEAD, ahead=AHEAD)
    tick(now=due_at)
    _as_texts(due_at, DEAD, rank=Rank.QUIET)
    found = _emails_sent(due_at, sms=sms)
    crowd.forget_newest()
    return found


def _emails_sent(due_at: datetime, *, sms: str) -> dict[str, float]:
    """From when they are due until the last email is handed over."""
    with (
        stage.sink_running() as (address, sink),
        stage.opsdesk_processes(email=address, sms=sms) as (_web, process),
    ):
        found = _until_sent(due_at, LETTERS, process.pid, channel="email")
        expect_all_taken(LETTERS, stage.stop_and_count(sink))
    return found


def _until_sent(due_at: datetime, count: int, root: int, *, channel: str) -> dict[str, float]:
    """Let them go and wait: how many a second, and the processor of one in all processes below `root`."""
    used = processor.seconds_of(root)
    began = _let_go(due_at)
    sent = wait_until_sent(due_at, count, channel=channel)
    used = processor.seconds_of(root) - used
    seconds = max(after(began, sent.values_list("sent_at", flat=True)))
    return {"per_s": count / seconds, "cpu_ms": used * 1000 / count}


def _let_go(due_at: datetime) -> datetime:
    """The messages of the timers due then become due in a moment, which is returned."""
    expect(timezone.now() < due_at, "OpsDesk started too late")
    moment = timezone.now() + WARNING
    queued = Delivery.objects.filter(notification__timer__due_at=due_at, state=DeliveryState.QUEUED)
    queued.update(queued_at=moment, not_before=moment)
    return moment


def _as_texts(due_at: datetime, count: int, *, rank: Rank) -> None:
    """Make texts of queued emails, each to a phone of its own: one phone has a budget."""
    queued = Delivery.objects.filter(notification__timer__due_at=due_at).order_by("id")
    ids = list(queued.values_list("pk", flat=True)[:count])
    digits = LPad(Cast("pk", CharField()), 10, Value("0"))
    Delivery.objects.filter(pk__in=ids).update(
        channel="sms", rank=rank, address=Concat(Value("+1"), digits, output_field=CharField())
    )


def _bare(address: str, due_at: datetime) -> tuple[float, float]:
    """Seconds of `BARE` emails built and sent, and the processor of that."""
    host, port = address.removeprefix("smtp://").split(":")
    ids = Delivery.objects.filter(notification__timer__due_at=due_at).values_list("pk", flat=True)
    letters = batch.load(list(ids[:BARE]))
    for letter in letters:
        sending.write(letter, now=due_at, context=None)
    began, used = time.perf_counter(), time.process_time()
    with smtplib.SMTP(host, int(port)) as server:
        for letter in letters:
            server.sendmail(settings.DEFAULT_FROM_EMAIL, [letter.address], build(letter))
    return time.perf_counter() - began, time.process_time() - used
