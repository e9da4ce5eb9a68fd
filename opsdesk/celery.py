"""The Celery app. Tasks take ids, make one domain call and return nothing (see architecture.md)."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from celery import Celery
from celery.app.amqp import AMQP
from celery.signals import beat_init, celeryd_init, worker_process_init, worker_ready
from django.conf import settings
from django.urls import reverse
from kombu import Connection

from opsdesk import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsdesk.settings")
if not settings.configured:
    # A worker or beat gives a statement up after this, and the task comes again. Whoever has read the
    # settings before has a limit of its own, and so have the processes it starts.
    os.environ.setdefault("DB_STATEMENT_SECONDS", "60")


class Impatient(Connection):
    """Tries a lost broker again every second. Celery waits up to half a minute: too long for alarms."""

    def _ensure_connection(self, *args: Any, **options: Any) -> Any:
        return super()._ensure_connection(
            *args, **{**options, "interval_start": 1, "interval_step": 0, "interval_max": 2}
        )


class Broker(AMQP):
    Connection = Impatient


app = Celery("opsdesk", amqp=Broker)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def queue_of(name: str, args: tuple[Any, ...], *_: Any, **__: Any) -> dict[str, str] | None:
    """What is sent travels on the queue of its channel, however it is asked for; all else on the engine's."""
    return {"queue": args[0]} if name in SENDING and args else None


SENDING = ("escalation.tasks.deliver_due", "escalation.tasks.post_due")


app.conf.task_routes = (queue_of,)


@celeryd_init.connect
@beat_init.connect
def attach_to_embedded_servers(**_: Any) -> None:
    """A worker or beat started by hand finds its servers running."""
    embedded.attach()


BEHIND_PAGES = 5
"""Niceness of workers: when the processor is short they get a quarter of what pages get, never nothing."""


@celeryd_init.connect
def let_pages_go_first(**_: Any) -> None:
    """Whoever raises something is not kept waiting while messages about the last one are written.

    Measured on two cores, raising without a pause: p95 from 150 to 41 ms. Linux schedules each session as a
    group and looks at the group's niceness first.
    """
    os.nice(BEHIND_PAGES)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(BEHIND_PAGES))


@worker_ready.connect
@worker_process_init.connect
def read_the_addresses_of_pages(**_: Any) -> None:
    """Every message has a link: the first one after a start need not wait 0.6 s for all pages to be read."""
    reverse("login")
