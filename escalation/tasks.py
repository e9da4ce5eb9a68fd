"""What workers do: one turn of the engine, one turn of a channel. They only move hands."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from escalation import engine, outbox, watch
from escalation import rounds as now_and_then
from escalation.drills import running
from escalation.inbound import mailbox, polling
from escalation.nudging import nudge, nudge_channel
from escalation.waiting import queues_with_work
from escalation.webhooks import sending


@shared_task(ignore_result=True)
def tick() -> None:
    """Every second and after every change. Whoever has something to send then is woken, nobody else."""
    _turn()
    if engine.wait_for_next():
        _turn()


@shared_task(ignore_result=True)
def deliver_due(channel: str) -> None:
    """When something is due, and every few seconds. The heartbeat says that this channel has a worker."""
    watch.beat(timezone.now(), channel)
    outbox.deliver_due(channel)


@shared_task(ignore_result=True)
def post_due(kind: str) -> None:
    """When there is something: chat rooms, or programs elsewhere, hear what the timeline says."""
    sending.post_due(kind)


@shared_task(ignore_result=True)
def rounds() -> None:
    """Every minute: shift starts, gaps ahead, and at night who can be reached."""
    for channel in now_and_then.go().channels:
        nudge_channel(channel)


@shared_task(ignore_result=True)
def drills() -> None:
    """Every few seconds: practices go on, end at once when something real happens, and start when due."""
    watch.beat(timezone.now(), watch.BEAT)
    done = running.look()
    if done.started or done.ended:
        nudge()


@shared_task(ignore_result=True)
def read_mailbox() -> None:
    """Every few seconds, where answers by mail are read from a mailbox."""
    mailbox.poll()


@shared_task(ignore_result=True)
def poll_texts() -> None:
    """Every few seconds, where a gateway that hears back is set up."""
    polling.poll()


def _turn() -> None:
    done = engine.tick()
    for queue in queues_with_work(timezone.now()):
        nudge_channel(queue)
    if not done.is_done:
        nudge()
