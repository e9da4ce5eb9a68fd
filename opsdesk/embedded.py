"""PostgreSQL and Redis from wheels, for a machine that has neither.

They are used when ``DATABASE_URL`` / ``REDIS_URL`` are unset and live under ``OPSDESK_HOME``. Any number of
processes may share them: each user holds a shared file lock, and a small *keeper* process, parent of both
servers, waits for the exclusive one. The kernel hands it over when the last user is gone, however it went
(``kill -9`` included), so no count can go wrong and nothing is left running. The keeper also starts a server
again when it dies.

Nothing here imports Django: the addresses follow from ``OPSDESK_HOME`` alone, so settings can name them
before the servers are up. Entry points call ``attach()``.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

USER = "opsdesk"
DATABASE = "opsdesk"
START_LIMIT = 60.0  # seconds; initdb takes about 1 s, recovery after a power cut can take longer
STOP_LIMIT = 9.0  # seconds; everything started must be gone within 10
SOCKET_PATH_LIMIT = 100  # bytes; the kernel allows 107 with the name


class CannotStart(Exception):
    """A server cannot be had. The text is one sentence for the person at the keyboard."""


@dataclass(frozen=True)
class Home:
    """Where the embedded servers of one installation live (``OPSDESK_HOME``)."""

    path: Path
    durable: bool = True  # tests trade crash safety for speed

    @property
    def run(self) -> Path:
        """Folder of the sockets: a unix socket's path is short, so a deep home gets one under /tmp."""
        here = self.path / "run"
        if len(os.fsencode(here / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT:
            return here
        return Path("/tmp") / f"opsdesk-{hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]}"  # noqa: S108 - made by own_folder(), 0700

    @property
    def postgres_data(self) -> Path:
        return self.path / "postgres"

    @property
    def redis_socket(self) -> Path:
        return self.run / "redis.sock"

    @property
    def log(self) -> Path:
        return self.path / "logs" / "embedded.log"

    @property
    def database_url(self) -> str:
        return f"postgres://{USER}@/{DATABASE}?host={self.run}"

    @property
    def redis_url(self) -> str:
        return f"redis+socket://{self.redis_socket}"

    def lock(self, name: str) -> IO[bytes]:
        """Open the lock file ``name`` (users, start, keeper); the caller takes the lock."""
        return (self.path / f".{name}.lock").open("ab")


def home_from(env: Mapping[str, str]) -> Home:
    """The home that ``OPSDESK_HOME`` names; ``./var`` beside manage.py otherwise."""
    default = Path(__file__).resolve().parent.parent / "var"
    return Home(Path(env.get("OPSDESK_HOME") or default).expanduser().resolve())


def needed(env: Mapping[str, str]) -> list[str]:
    """Which servers have no address of their own: some of ``postgres``, ``redis``."""
    return [
        name
        for name, variable in (("postgres", "DATABASE_URL"), ("redis", "REDIS_URL"))
        if not (env.get(variable) or env.get(f"{variable}_FILE"))
    ]


def attach(home: Home | None = None, *, servers: list[str] | None = None) -> None:
    """Make sure the embedded servers run, and keep them running for as long as this process lives.

    Cheap when they run already (a lock and a file). Raises ``CannotStart`` with one sentence otherwise.
    """
    home = home or home_from(os.environ)
    servers = needed(os.environ) if servers is None else servers
    if not servers or home in _attached:
        return
    make_writable(home)
    users = home.lock("users")
    _wait_for(users, fcntl.LOCK_SH, "the embedded servers are still stopping")
    _attached[home] = (os.getpid(), users)
    atexit.register(detach, home)
    with home.lock("start") as mutex:
        _wait_for(mutex, fcntl.LOCK_EX, "another process is still starting the embedded servers")
        if not _serves(home, servers):
            _spawn_keeper(home, servers)


def detach(home: Home) -> None:
    """Let go of the servers; the last user waits until they are gone, so that nothing is left behind."""
    pid, users = _attached.pop(home, (0, None))
    if users is None or pid != os.getpid():  # a forked child shares the lock but does not own it
        return
    last = _try(users, fcntl.LOCK_EX)
    users.close()
    if last:
        _wait_until_gone(home)


def make_writable(home: Home) -> None:
    """Create the home's folders, or say in one sentence why not."""
    try:
        (home.path / "logs").mkdir(parents=True, exist_ok=True)
        home.lock("users").close()
    except OSError as error:
        reason = (error.strerror or "it cannot be written").lower()
        raise CannotStart(f"OPSDESK_HOME {home.path} cannot be used: {reason}.") from error


_attached: dict[Home, tuple[int, IO[bytes]]] = {}
_children: dict[Home, subprocess.Popen[bytes]] = {}


def _try(lock: IO[bytes], kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _wait_for(lock: IO[bytes], kind: int, trouble: str) -> None:
    end = time.monotonic() + START_LIMIT
    while not _try(lock, kind):
        if time.monotonic() > end:
            lock.close()
            raise CannotStart(f"Gave up after {START_LIMIT:.0f} s: {trouble}.")
        time.sleep(0.05)


def keeper_lives(home: Home) -> bool:
    with home.lock("keeper") as lock:
        return not _try(lock, fcntl.LOCK_EX)


def state_of(home: Home) -> dict[str, object]:
    """What the keeper last wrote: ``servers``, ``pids`` by server, ``stopping``. Empty when there is none."""
    try:
        return dict(json.loads((home.path / "embedded.json").read_text()))
    except (OSError, ValueError):
        return {}


def _serves(home: Home, servers: list[str]) -> bool:
    """Whether a living keeper runs these servers. Runs under the start lock."""
    if not keeper_lives(home):
        return False
    running = state_of(home).get("servers", [])
    missing = [name for name in servers if name not in list(running)]  # type: ignore[call-overload]
    if missing:
        raise CannotStart(f"Another OpsDesk uses {home.path} without {missing[0]}; stop it first.")
    return True


def _spawn_keeper(home: Home, servers: list[str]) -> None:
    """Start the keeper in a session of its own (Ctrl-C is not for it) and wait for its word."""
    command = [sys.executable, "-m", "opsdesk.keeper", str(home.path), ",".join(servers)]
    if not home.durable:
        command.append("--fast")
    root = Path(__file__).resolve().parent.parent
    with home.log.open("ab") as log:
        keeper = subprocess.Popen(
            command,
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    assert keeper.stdout is not None
    word = keeper.stdout.readline().decode().strip()  # one line: "ready" or a sentence; empty when it died
    keeper.stdout.close()
    if word != "ready":
        raise CannotStart(word or f"The embedded servers did not start; {home.log} says why.")
    _children[home] = keeper  # also keeps subprocess from warning that it outlives us, on purpose


def _wait_until_gone(home: Home) -> None:
    end = time.monotonic() + STOP_LIMIT
    notice = time.monotonic() + 1.0
    while keeper_lives(home) and time.monotonic() < end:
        if time.monotonic() > notice and not state_of(home).get("stopping"):
            return  # somebody else attached in the same moment: it is theirs now
        time.sleep(0.03)
    keeper = _children.pop(home, None)
    if keeper:  # its lock is free; the process itself ends within milliseconds
        with suppress(subprocess.TimeoutExpired):
            keeper.wait(1)
