"""Embedded PostgreSQL and Redis: shared by processes, gone with the last one, however it goes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from opsdesk import embedded
from opsdesk.embedded import CannotStart, Home

ROOT = Path(__file__).resolve().parents[2]
USER = """
import sys, time
from pathlib import Path
from opsdesk import embedded
home = embedded.Home(Path(sys.argv[1]), durable=False)
embedded.attach(home, servers=sys.argv[2].split(","))
print("attached", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def home() -> Iterator[Home]:
    path = Path(tempfile.mkdtemp(prefix="opsdesk-home-", dir="/tmp")).resolve()
    yield Home(path, durable=False)
    gone(Home(path))
    shutil.rmtree(path, ignore_errors=True)


def user_of(home: Home, servers: str = "redis") -> subprocess.Popen[str]:
    """A process that uses the servers until it is told to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(home.path), servers],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "attached\n"
    return process


def ends(process: subprocess.Popen[str]) -> None:
    process.communicate("bye\n", timeout=15)


def all_end(pids: list[int]) -> bool:
    """Whether they are gone, or nearly: the lock is free some milliseconds before the process."""
    end = time.monotonic() + 2
    while any(alive(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.02)
    return not any(alive(pid) for pid in pids)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def pids(home: Home) -> list[int]:
    state = embedded.state_of(home)
    servers = state["pids"]
    assert isinstance(servers, dict)
    return [int(str(state["keeper"])), *servers.values()]


def gone(home: Home, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while embedded.keeper_lives(home) and time.monotonic() < end:
        time.sleep(0.05)
    return not embedded.keeper_lives(home)


def test_several_processes_share_one_server_and_the_last_one_ends_it(home: Home) -> None:
    first, second = user_of(home), user_of(home)
    started = pids(home)

    ends(first)
    assert all(alive(pid) for pid in started)

    ends(second)
    assert all_end(started)


def test_a_killed_user_leaves_nothing_behind(home: Home) -> None:
    user = user_of(home, "postgres,redis")
    started = pids(home)

    user.kill()
    user.wait()

    assert gone(home)
    assert all_end(started)


def test_a_killed_keeper_takes_its_servers_along_and_the_next_start_works(home: Home) -> None:
    user = user_of(home, "postgres,redis")
    keeper, *servers = pids(home)

    os.kill(keeper, signal.SIGKILL)
    ends(user)
    again = user_of(home, "postgres,redis")

    assert all_end(servers)
    with psycopg2.connect(host=str(home.run), user=embedded.USER, dbname=embedded.DATABASE) as connection:
        assert connection.server_version >= 140_000
    connection.close()
    ends(again)


def test_a_server_that_dies_is_started_again_with_a_line_that_says_so(home: Home) -> None:
    user = user_of(home)
    _, redis = pids(home)

    os.kill(redis, signal.SIGKILL)
    end = time.monotonic() + 10
    while (pids(home)[1] == redis or not home.redis_socket.exists()) and time.monotonic() < end:
        time.sleep(0.05)

    assert alive(pids(home)[1])
    assert "Redis ended by itself; it is started again in 0.5 s." in home.log.read_text()
    ends(user)


def test_the_data_is_still_there_after_a_second_start(home: Home) -> None:
    first = user_of(home, "postgres")
    connection = psycopg2.connect(host=str(home.run), user=embedded.USER, dbname=embedded.DATABASE)
    connection.autocommit = True
    connection.cursor().execute("CREATE TABLE kept AS SELECT 7 AS n")
    connection.close()
    ends(first)

    second = user_of(home, "postgres")
    connection = psycopg2.connect(host=str(home.run), user=embedded.USER, dbname=embedded.DATABASE)
    cursor = connection.cursor()
    cursor.execute(
        "SELECT n, current_setting('timezone'), pg_encoding_to_char(encoding) FROM kept, pg_database"
    )
    assert cursor.fetchone() == (7, "UTC", "UTF8")
    connection.close()
    ends(second)


def test_a_folder_too_deep_for_a_socket_gets_a_short_one() -> None:
    base = Path(tempfile.mkdtemp(prefix="opsdesk-deep-", dir="/tmp")).resolve()
    home = Home(base / ("a" * 60) / ("b" * 60), durable=False)

    user = user_of(home, "postgres,redis")

    assert home.run.parent == Path("/tmp")
    assert home.run.stat().st_mode & 0o077 == 0
    ends(user)
    assert not home.run.exists()
    shutil.rmtree(base)


def test_only_the_owner_may_enter_the_folder_of_the_sockets(home: Home) -> None:
    user = user_of(home, "postgres")

    assert home.run.stat().st_mode & 0o077 == 0
    assert home.postgres_data.stat().st_mode & 0o077 == 0
    ends(user)


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(CannotStart, match=r"^OPSDESK_HOME .*file/home cannot be used: not a directory\.$"):
        embedded.attach(Home(tmp_path / "file" / "home"), servers=["redis"])


def test_a_home_that_serves_less_than_is_needed_is_one_sentence(home: Home) -> None:
    user = user_of(home, "redis")

    with pytest.raises(CannotStart, match="without postgres; stop it first"):
        embedded.attach(home, servers=["postgres", "redis"])
    embedded.detach(home)
    ends(user)


def test_given_addresses_start_nothing(tmp_path: Path) -> None:
    env = {"DATABASE_URL": "postgres://db/opsdesk", "REDIS_URL_FILE": "/run/secrets/redis"}

    assert embedded.needed(env) == []
    assert embedded.needed({}) == ["postgres", "redis"]
    embedded.attach(Home(tmp_path / "unused"), servers=[])
    assert not (tmp_path / "unused").exists()
