"""What is tried out: two webs, three workers, two beats and the watcher, looked after as by `make run`.

The workers are those of `make run`, one for each queue, so that a killed one has no colleague to do its work:
what keeps alerts going is that it is started again, and until then the watcher.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from benchmarks import stage
from chaos.account import Mail as Taken
from opsdesk import embedded, serve
from opsdesk.processes import Program, Supervisor
from opsdesk.silence import Silence

WORKERS = ("engine", "sms", "email", "push")


class Log:
    """What the parts say, with the time."""

    def __init__(self, path: Path) -> None:
        self.file: IO[str] = path.open("a", buffering=1)

    def __call__(self, line: str) -> None:
        self.file.write(f"{time.strftime('%H:%M:%S')} {line}\n")


class Parts:
    """The running programs, by name, and the embedded servers beside them."""

    def __init__(self, home: Path, email_url: str, log: Log) -> None:
        self.home = embedded.Home(home)
        self.ports = [stage.free_port(), stage.free_port()]
        self.log = log
        env = {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore:You're running the worker with",
            "LOG_LEVEL": "WARNING",
            "DEMO": "0",
            "EMAIL_URL": email_url,
            "PUSH_URL": "sandbox://",
            "BASE_URL": f"http://127.0.0.1:{self.ports[0]}",
        }
        self.programs = {program.name: program for program in self._programs(env)}
        self.supervisor = Supervisor(list(self.programs.values()))
        self.supervisor.watch = [Silence(self.supervisor.programs)]
        self.thread = threading.Thread(target=self.supervisor.run, name="supervisor", daemon=True)

    def _programs(self, env: dict[str, str]) -> Iterator[Program]:
        commands = serve.commands()
        for n, port in enumerate(self.ports, start=1):
            command = [sys.executable, "-m", "opsdesk.serve", "web"]
            yield Program(f"web{n}", command, {**env, "PORT": str(port)}, part="web", tell=self.log)
        for name in WORKERS:
            yield Program(name, commands[name], env, tell=self.log)
        for n in (1, 2):  # as on two machines: each has a schedule file of its own
            schedule = f"--schedule={self.home.path / f'beat-{n}'}"
            yield Program(f"beat{n}", [*commands["beat"], schedule], env, part="beat", tell=self.log)
        yield Program("watch", commands["watch"], env, tell=self.log)

    @property
    def addresses(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self.supervisor.stop()
        self.thread.join(20)

    def signal(self, part: str, number: int) -> None:
        """To every process of a part, with its children."""
        for program in self.programs.values():
            if program.part == part and program.process and program.process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(program.process.pid, number)

    def server(self, name: str, number: int) -> None:
        """A signal to the embedded PostgreSQL or Redis."""
        pids = embedded.state_of(self.home).get("pids")
        assert isinstance(pids, dict)
        with suppress(ProcessLookupError):
            os.kill(int(pids[name]), number)


class Mail:
    """The mail server's process."""

    def __init__(self, folder: Path) -> None:
        self.record = folder / "taken.jsonl"
        self.port = stage.free_port()
        command = [sys.executable, "-m", "chaos.sink", str(self.port), str(self.record)]
        self.process = subprocess.Popen(
            command, cwd=stage.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._hear("ready")

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def tell(self, command: str) -> None:
        """`take`, `slow 0.5`, `hang` or `refuse`."""
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        self._hear("done")

    def _hear(self, word: str) -> None:
        assert self.process.stdout is not None
        said = self.process.stdout.readline().strip()
        if said != word:
            raise RuntimeError(f"The mail server said {said!r} instead of {word!r}.")

    def taken(self) -> list[Taken]:
        """Everything it ever took, oldest first."""
        return [Taken(**json.loads(line)) for line in self.record.read_text().splitlines()]

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


@contextmanager
def mail(folder: Path) -> Iterator[Mail]:
    found = Mail(folder)
    try:
        yield found
    finally:
        found.end()


@contextmanager
def running(home: Path, email_url: str, log: Log) -> Iterator[Parts]:
    """Started, ready, and all gone afterwards."""
    parts = Parts(home, email_url, log)
    parts.start()
    try:
        for address in parts.addresses:
            stage.wait_until_ready(address)
        yield parts
    finally:
        parts.stop()
