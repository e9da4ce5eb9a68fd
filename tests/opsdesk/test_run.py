"""`make run` from outside: what it starts, what it survives, what it leaves behind, and how it says no."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.backends.base import base
from django.db.backends.postgresql.features import DatabaseFeatures

from opsdesk import embedded, run

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def without(env: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in env.items() if name not in names}


class Running:
    """One OpsDesk started in a folder and on a port of its own."""

    def __init__(self, home: Path, *command: str, **env: str):
        self.home, self.port, self.lines = home, free_port(), list[str]()
        given = without(dict(os.environ), "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
        settings = {"OPSDESK_HOME": str(home), "PORT": str(self.port), "DEMO": "0", **env}
        self.process = subprocess.Popen(
            command or [sys.executable, "-m", "opsdesk.run"],
            cwd=ROOT,
            env={**given, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # Whoever starts the tests in the background ignores Ctrl-C, and make would inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def wait_for(self, text: str, seconds: float = 60) -> str:
        def line() -> str | None:
            return next((line for line in self.lines if text in line), None)

        until(lambda: line() is not None or self.process.poll() is not None, seconds)
        found = line()
        assert found is not None, "\n".join(self.lines)
        return found

    def get(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def processes(self) -> dict[int, str]:
        """Living processes of this folder, by pid."""
        mark = f"OPSDESK_HOME={self.home}".encode()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                environ = (folder / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if command and (mark in environ or str(self.home) in command):
                found[int(folder.name)] = command
        return {pid: command for pid, command in found.items() if pid != os.getpid()}

    def end(self, number: int = signal.SIGTERM) -> float:
        """Send the signal; seconds until it has ended."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(20)
        self.reader.join(5)
        return time.monotonic() - began


def until(condition: Callable[[], Any], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    return bool(condition())


@contextmanager
def _folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="opsdesk-run-", dir="/tmp")).resolve()
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def home() -> Iterator[Path]:
    with _folder() as path:
        yield path


def refusal(home: Path, **env: str) -> str:
    """The one sentence that a start ends with."""
    running = Running(home, **env)
    assert running.process.wait(60) == 1
    running.reader.join(5)
    assert len(running.lines) == 1, running.lines
    return running.lines[0]


@pytest.fixture(scope="module")
def installed() -> Iterator[Path]:
    """A folder that lasts from start to start: only the first one in it begins from nothing."""
    with _folder() as path:
        yield path


@pytest.fixture
def start(installed: Path) -> Iterator[Callable[..., Running]]:
    """`start("make", "run")`: an OpsDesk that is ready. Whatever becomes of the test, it ends."""
    started: list[Running] = []

    def start(*command: str) -> Running:
        started.append(Running(installed, *command))
        started[-1].wait_for("OpsDesk is ready")
        return started[-1]

    yield start
    for running in started:
        if running.process.poll() is None:
            running.end()


def pid_of(running: Running, part: str) -> int:
    return next(pid for pid, command in running.processes().items() if part in command)


def test_it_serves_survives_and_leaves_nothing(start: Callable[..., Running]) -> None:
    opsdesk = start()
    assert opsdesk.get("/healthz") == 200

    beside = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--check"],
        cwd=ROOT,
        env={**os.environ, "OPSDESK_HOME": str(opsdesk.home), "DJANGO_SETTINGS_MODULE": "opsdesk.settings"},
        capture_output=True,
    )
    assert beside.returncode == 0
    assert opsdesk.get("/healthz") == 200, "a command beside it does not take the database along"

    assert refusal(opsdesk.home) == (
        f"OpsDesk already runs on {opsdesk.home}; stop it first, or set another OPSDESK_HOME."
    )
    assert opsdesk.get("/healthz") == 200, "nor does a second one that is refused"

    os.kill(pid_of(opsdesk, "uvicorn"), signal.SIGKILL)
    opsdesk.wait_for("web stopped by itself (signal SIGKILL); starting it again in 1 s.")
    assert until(lambda: opsdesk.get("/healthz") == 200, 20)

    os.kill(pid_of(opsdesk, "redis-server"), signal.SIGKILL)
    opsdesk.wait_for("Redis ended by itself")

    os.kill(pid_of(opsdesk, "bin/postgres -D"), signal.SIGKILL)
    opsdesk.wait_for("PostgreSQL ended by itself")
    assert until(lambda: opsdesk.get("/readyz") == 200, 40), "the engine ticks again"

    assert opsdesk.end(signal.SIGINT) < 10
    assert opsdesk.process.returncode == 0
    assert until(lambda: not opsdesk.processes(), 2), opsdesk.processes()


@pytest.mark.skipif(not shutil.which("make"), reason="make is not here")
@pytest.mark.skipif(not (ROOT / ".venv" / ".runtime").exists(), reason="not installed by make")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_to_make_alone_ends_everything(start: Callable[..., Running], number: int) -> None:
    opsdesk = start("make", "run")

    assert opsdesk.end(number) < 10
    assert until(lambda: not opsdesk.processes(), 2), opsdesk.processes()


def test_a_killed_supervisor_leaves_nothing_either(start: Callable[..., Running]) -> None:
    opsdesk = start()
    opsdesk.process.kill()
    opsdesk.process.wait()

    assert until(lambda: not opsdesk.processes(), 10), opsdesk.processes()


def test_ctrl_c_while_it_starts_leaves_nothing(home: Path) -> None:
    running = Running(home)
    running.wait_for("Bringing the database up to date")

    assert running.end(signal.SIGINT) < 10
    assert until(lambda: not running.processes(), 3), running.processes()


def test_a_taken_port_is_one_sentence(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        sentence = refusal(home, PORT=str(port))

    assert sentence == f"Port {port} on 127.0.0.1 is taken; choose another with PORT={port + 1}."


def test_a_folder_that_cannot_be_written_is_one_sentence(home: Path) -> None:
    (home / "file").write_text("")

    sentence = refusal(home, OPSDESK_HOME=str(home / "file" / "var"))

    assert sentence == f"OPSDESK_HOME {home}/file/var cannot be used: not a directory."


def test_a_database_that_is_down_is_one_sentence_without_its_password(home: Path) -> None:
    port = free_port()

    sentence = refusal(home, DATABASE_URL=f"postgres://me:secret@127.0.0.1:{port}/plant")

    assert sentence.startswith(f"The database at 127.0.0.1:{port}/plant cannot be used: ")
    assert "secret" not in sentence


def test_a_database_that_is_too_old_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, django_db_setup: None, django_db_blocker: Any
) -> None:
    monkeypatch.setattr(DatabaseFeatures, "minimum_database_version", (99,))
    monkeypatch.setattr(base, "RAN_DB_VERSION_CHECK", set())  # Django looks once per process
    monkeypatch.setattr(run, "connection", connections.create_connection("default"))

    with (
        django_db_blocker.unblock(),
        pytest.raises(run.CannotRun, match=r"cannot be used: PostgreSQL 99 or later is required \(found 18"),
    ):
        run.usable_database()


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"DEBUG": "0"}, "SECRET_KEY (or SECRET_KEY_FILE) is required when DEBUG=0."),
        ({"DEBUG": "maybe"}, "DEBUG is maybe; it must be 1 or 0."),
        ({"PORT": "80000"}, "PORT is 80000; it must be a whole number from 1 to 65535."),
        ({"SECRET_KEY_FILE": "/nowhere"}, "SECRET_KEY_FILE names /nowhere, which cannot be read."),
        (
            {"DATABASE_URL": "sqlite:///db"},
            "DATABASE_URL must start with postgres://; OpsDesk runs on PostgreSQL only.",
        ),
        ({"REDIS_URL": "amqp://x"}, "REDIS_URL must start with redis://, rediss:// or unix://."),
        ({"EMAIL_URL": "pop://x"}, "EMAIL_URL must start with one of sandbox://, smtp://, smtps://."),
    ],
)
def test_a_wrong_setting_is_one_sentence(home: Path, env: dict[str, str], sentence: str) -> None:
    assert refusal(home, **env) == sentence


def test_python_that_is_too_old_is_one_sentence(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2 || exit 1\n')
    old.chmod(0o755)

    done = subprocess.run(
        [ROOT / "bin" / "make-venv", old, tmp_path / "venv", ROOT / "requirements.txt", tmp_path / "stamp"],
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("OpsDesk needs Python 3.11 or newer; Python 3.9.2 is what")
    assert done.stderr.count("\n") == 1


def test_the_announcement_says_where_and_as_whom(
    capsys: pytest.CaptureFixture[str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEMO, settings.DEMO_PASSWORD = True, "a-password"
    monkeypatch.setattr(run, "get_commands", lambda: {"seed_demo": "escalation"})

    run.announce()

    said = capsys.readouterr().out
    assert settings.BASE_URL in said
    assert "a-password" in said
    assert all(name in said for name in ("vela", "tillery", "jimenez", "hutchins", "/outbox/"))


def test_tests_have_a_home_of_their_own() -> None:
    assert embedded.home_from(os.environ).path.name.startswith("opsdesk-test-")
