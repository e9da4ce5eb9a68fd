"""``make run``: everything OpsDesk needs on one machine, kept running until Ctrl-C.

Checks first and says in one sentence what is wrong; then migrates, seeds the demo plant into an empty
database, and starts web, workers and beat.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import django
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command, get_commands
from django.db import NotSupportedError, OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor

from opsdesk import embedded, serve
from opsdesk.processes import MakeWatch, Program, Supervisor, say
from opsdesk.silence import Silence

LOGINS = [  # of the demo plant
    ("vela", "IT technician"),
    ("hutchins", "IT manager"),
    ("tillery", "production manager"),
    ("jimenez", "supervisor"),
]


class CannotRun(Exception):
    """Why OpsDesk does not start: one sentence."""


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsdesk.settings")
    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: _interrupt(end))
    try:
        lock = prepare()
        supervise(end)
        lock.close()
    except (CannotRun, embedded.CannotStart, ImproperlyConfigured) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("Stopped before it was ready.")
    finally:
        if settings.configured:
            connections.close_all()
        embedded.detach(embedded.home_from(os.environ))
    return 0


def _interrupt(end: threading.Event) -> None:
    """While starting, a signal breaks off what is being done; later it asks the supervisor to stop."""
    if end.is_set():
        return
    end.set()
    if not _supervising.is_set():
        raise KeyboardInterrupt


_supervising = threading.Event()


def prepare() -> IO[bytes]:
    """Everything that must hold before the first program starts. Returns the lock of this folder."""
    home = embedded.home_from(os.environ)
    embedded.make_writable(home)
    django.setup()
    lock = only_one(home)
    free_port(serve.host(), settings.PORT)
    embedded.attach(home)
    usable_database()
    migrate()
    collect_static()
    seed_demo()
    connections.close_all()
    return lock


def only_one(home: embedded.Home) -> IO[bytes]:
    lock = home.lock("run")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise CannotRun(
            f"OpsDesk already runs on {home.path}; stop it first, or set another OPSDESK_HOME."
        ) from error
    return lock


def free_port(address: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except PermissionError as error:
            raise CannotRun(f"Port {port} needs more rights; choose another with PORT=8001.") from error
        except OSError as error:
            raise CannotRun(
                f"Port {port} on {address} is taken; choose another with PORT={port % 65535 + 1}."
            ) from error


def usable_database() -> None:
    """Reachable and not too old (Django knows how old), or one sentence without the password."""
    try:
        connection.ensure_connection()
    except (OperationalError, NotSupportedError) as error:
        why = str(error).strip().splitlines()[0].rstrip(".")
        raise CannotRun(f"The database at {_place_of_database()} cannot be used: {why}.") from error


def _place_of_database() -> str:
    database = settings.DATABASES["default"]
    return f"{database['HOST'] or 'localhost'}:{database['PORT'] or 5432}/{database['NAME']}"


def migrate() -> None:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        say(f"Bringing the database up to date ({len(plan)} steps) ...")
        call_command("migrate", interactive=False, verbosity=0)


def collect_static() -> None:
    """Hash and compress the static files when any of them, or a package that brings some, has changed."""
    if settings.DEBUG:
        return
    mark = Path(settings.STATIC_ROOT) / ".collected"
    state = _state_of_static()
    if mark.exists() and mark.read_text() == state:
        return
    say("Collecting the static files ...")
    env = {**os.environ, "COLLECTING_STATIC": "1"}
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--clear", "--verbosity", "0"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True)
    if done.returncode:
        raise CannotRun(f"The static files cannot be collected: {_last_line(done.stderr)}")
    mark.write_text(state)


def _state_of_static() -> str:
    files = sorted(path for folder in settings.STATICFILES_DIRS for path in Path(folder).rglob("*"))
    facts = [f"{path}:{path.stat().st_mtime_ns}:{path.stat().st_size}" for path in files if path.is_file()]
    facts.append((settings.BASE_DIR / "requirements.txt").read_text())
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def seed_demo() -> None:
    """The demo plant into an empty database; on later starts, a line stop when none is in progress."""
    if not settings.DEMO or "seed_demo" not in get_commands():
        return
    if not apps.get_model("plant", "Site").objects.exists():
        say("Building the demo plant ...")
    done = subprocess.run([sys.executable, "manage.py", "seed_demo"], cwd=settings.BASE_DIR)
    if done.returncode:
        raise CannotRun("The demo plant could not be built; DEMO=0 starts without it.")


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no reason was given."


def programs() -> list[Program]:
    """Web, one worker per queue, beat and the watcher."""
    env = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore:You're running the worker with"}
    return [Program(name, command, env) for name, command in serve.commands().items()]


def supervise(end: threading.Event) -> None:
    supervisor = Supervisor(programs(), stopping=end)
    supervisor.watch = [
        MakeWatch(supervisor.stop),
        Announcement(),
        EmbeddedLog(),
        Silence(supervisor.programs),
    ]
    _supervising.set()
    supervisor.run()
    say("OpsDesk has stopped.")


class Announcement:
    """Says once that the pages answer, and how to get in."""

    def __init__(self) -> None:
        self.done = False
        self.next_try = 0.0

    def __call__(self) -> None:
        if self.done or time.monotonic() < self.next_try:
            return
        self.next_try = time.monotonic() + 0.3
        with suppress(OSError, urllib.error.URLError):
            urllib.request.urlopen(f"http://{_own_address()}:{settings.PORT}/healthz", timeout=1).close()
            self.done = True
            announce()


def _own_address() -> str:
    """Where this machine reaches its own web server."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104
    address = serve.host()
    return everywhere.get(address) or (f"[{address}]" if ":" in address else address)


def announce() -> None:
    say("")
    say(f"OpsDesk is ready: {settings.BASE_URL}")
    if settings.DEMO and "seed_demo" in get_commands():
        say(f"  Sign in with the password {settings.DEMO_PASSWORD} as")
        for username, role in LOGINS:
            say(f"    {username:<10} {role}")
    if "sandbox" in {urlsplit(settings.EMAIL_URL).scheme, urlsplit(settings.SMS_URL).scheme}:
        say(f"  Emails and text messages stay here: {settings.BASE_URL}/outbox/")
    if serve.host() == "127.0.0.1":
        say("  For tablets and phones in the same network: HOST=0.0.0.0 make run")
    say("  Ctrl-C ends it; the data stays in " + str(settings.OPSDESK_HOME))
    say("")


class EmbeddedLog:
    """Repeats here what the keeper says about PostgreSQL and Redis ending by themselves."""

    def __init__(self) -> None:
        self.path = embedded.home_from(os.environ).log
        self.at = self.path.stat().st_size if self.path.exists() else 0

    def __call__(self) -> None:
        if not self.path.exists() or self.path.stat().st_size <= self.at:
            return
        with self.path.open("rb") as log:
            log.seek(self.at)
            lines = log.read().decode(errors="replace").splitlines(keepends=True)
        for line in lines:
            if not line.endswith("\n"):
                break
            self.at += len(line.encode())
            if "ended by itself" in line or "is started again" in line:
                say(f"data   | {line.strip()}")


if __name__ == "__main__":
    sys.exit(main())
