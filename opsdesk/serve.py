"""One part of OpsDesk in this process: ``python -m opsdesk.serve web``, or one of
engine, email, sms, push (with chat rooms and webhooks), beat, watch.

`make run` keeps all of them on one machine; elsewhere (docker-compose.yml) each runs on its own.
"""

from __future__ import annotations

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def host() -> str:
    """Address the web server listens on; this machine alone unless HOST says otherwise."""
    return os.environ.get("HOST") or "127.0.0.1"


def commands() -> dict[str, list[str]]:
    """The command of each part: web, one worker per queue, beat, and the watcher of them all."""
    parts = {"web": web(), "engine": worker("engine", "--pool=prefork", "--concurrency=2")}
    # A queue each keeps a slow provider from holding up the others, and threads are enough to wait for one.
    # But building mails is work: each of the two senders (`outbox.claims`) has a process, and a third says
    # meanwhile that they live (docs/adr/0140).
    parts["email"] = worker("email", "--pool=prefork", "--concurrency=3")
    parts["sms"] = worker("sms", "--pool=threads", "--concurrency=4")
    # Two senders at most per queue (`outbox.claims`), so that eight threads serve three of them.
    parts["push"] = worker("push,chat,webhooks", "--pool=threads", "--concurrency=8")
    parts["beat"] = ["celery", "--app=opsdesk.celery", "--quiet", "beat", "--pidfile=", "--loglevel=ERROR"]
    parts["watch"] = ["opsdesk.watching"]
    return {name: [sys.executable, "-m", *command] for name, command in parts.items()}


def web() -> list[str]:
    where = [f"--host={host()}", f"--port={settings.PORT}"]
    quiet = ["--log-level=warning", "--no-access-log", "--no-server-header", "--lifespan=off"]
    patience = ["--timeout-graceful-shutdown=3", "--timeout-keep-alive=30"]
    return ["uvicorn", "opsdesk.asgi:application", *where, *quiet, *patience]


def worker(queue: str, *pool: str) -> list[str]:
    """A Celery worker that serves one queue, or several with commas between; the first names it.

    What it would tell other workers is of no use here.
    """
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=WARNING"]
    start = ["celery", "--app=opsdesk.celery", "--quiet", "worker"]
    return [*start, f"--queues={queue}", f"--hostname={queue.partition(',')[0]}@%h", *pool, *quiet]


def main(arguments: list[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsdesk.settings")
    try:
        parts = commands()
    except ImproperlyConfigured as error:
        print(error, file=sys.stderr)
        return 1
    if len(arguments) != 1 or arguments[0] not in parts:
        print(f"Say which part to run: {', '.join(parts)}.", file=sys.stderr)
        return 2
    command = parts[arguments[0]]
    # This process becomes the part, so that signals reach it directly.
    return os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
