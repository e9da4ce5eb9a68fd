"""A fresh OpsDesk to measure: its own folder, embedded servers, and the processes of `make run`."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.emulators import twilio

ROOT = Path(__file__).resolve().parent.parent
START_LIMIT = 180.0
"""Seconds until OpsDesk must answer: the first start builds the demo plant."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def fresh_home() -> Iterator[Path]:
    """A folder for embedded servers that nobody else uses; named in the environment for all processes."""
    home = Path(tempfile.mkdtemp(prefix="opsdesk-bench-"))
    os.environ["OPSDESK_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "opsdesk.settings"
    os.environ["API_RATE"] = "1000000/min"  # the limit is not what is measured
    for name in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "SMS_URL", "DEBUG", "BASE_URL", "PORT"):
        os.environ.pop(name, None)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def opsdesk_running(*, email: str = "sandbox://", sms: str = "sandbox://") -> Iterator[str]:
    """Web, workers and beat as `make run` has them; yields the address."""
    with opsdesk_processes(email=email, sms=sms) as (address, _process):
        yield address


@contextmanager
def opsdesk_processes(
    *, email: str = "sandbox://", sms: str = "sandbox://"
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The same; yields the address and the process that started all others."""
    port = free_port()
    env = {**os.environ, "PORT": str(port), "EMAIL_URL": email, "SMS_URL": sms}
    env |= {"DEMO": "0", "LOG_LEVEL": "ERROR"}
    with _process([sys.executable, "-m", "opsdesk.run"], env) as process:
        address = f"http://127.0.0.1:{port}"
        wait_until_ready(address)
        yield address, process


@contextmanager
def sink_running() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """An SMTP server that takes everything; yields the address for EMAIL_URL and the process."""
    port = free_port()
    with _server("benchmarks.sink", str(port)) as sink:
        yield f"smtp://127.0.0.1:{port}", sink


@contextmanager
def gateway_running(*, hangs: bool = False) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """An SMS gateway with Twilio's API that takes everything, or never answers; the address for SMS_URL."""
    port = free_port()
    account = f"{twilio.ACCOUNT}:{twilio.TOKEN}"
    with _server("tests.emulators.twilio", str(port), *(["--hangs"] if hangs else [])) as gateway:
        yield f"twilio+http://{account}@127.0.0.1:{port}?from=%2B15550109999", gateway


@contextmanager
def _server(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """One of our servers to talk to, which says when it is ready and, when it ends, how much it took."""
    command = [sys.executable, "-m", module, *arguments]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    server.stdout.readline()  # "ready"
    try:
        yield server
    finally:
        _end(server)


Ticker = subprocess.Popen[str]


@contextmanager
def tickers_running(count: int) -> Iterator[list[Ticker]]:
    """So many engine processes that wait for `tick_together`."""
    command = [sys.executable, "-m", "benchmarks.ticker"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    tickers = [subprocess.Popen(command, cwd=ROOT, **pipes) for _unused in range(count)]
    try:
        for ticker in tickers:
            _line_of(ticker)
        yield tickers
    finally:
        for ticker in tickers:
            _end(ticker)


def tick_together(tickers: list[Ticker], now: datetime) -> list[int]:
    """One turn of each at that moment, all at once; how many timers each of them fired."""
    for ticker in tickers:
        assert ticker.stdin is not None
        ticker.stdin.write(f"{now.isoformat()}\n")
        ticker.stdin.flush()
    return [int(_line_of(ticker)) for ticker in tickers]


def _line_of(ticker: Ticker) -> str:
    assert ticker.stdout is not None
    line = ticker.stdout.readline()
    if not line:
        raise RuntimeError("An engine process ended by itself.")
    return line


def stop_and_count(sink: subprocess.Popen[str]) -> int:
    """End the SMTP server and ask how many messages it took."""
    sink.send_signal(signal.SIGTERM)
    said, _errors = sink.communicate(timeout=15)
    return int(said.split()[-1])


@contextmanager
def _process(command: list[str], env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=sys.stderr)
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until_ready(address: str) -> None:
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end:
        with suppress(OSError, urllib.error.URLError):
            urllib.request.urlopen(f"{address}/readyz", timeout=2).close()
            return
        time.sleep(0.1)
    raise TimeoutError("OpsDesk did not become ready.")
