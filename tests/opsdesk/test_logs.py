"""An outage of Redis or PostgreSQL fills no disk with tracebacks."""

from __future__ import annotations

import logging
import sys

import pytest
from redis.exceptions import ConnectionError as RedisError

from opsdesk import logs


def record_of(error: Exception) -> logging.LogRecord:
    try:
        raise error
    except Exception:
        return logging.LogRecord("celery.beat", logging.ERROR, "", 1, "Message Error", (), sys.exc_info())


def test_an_outage_is_one_line_every_half_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(logs.time, "monotonic", lambda: clock[0])
    outages = logs.Outages()
    first = record_of(RedisError("Error 111 connecting.\nMore"))

    assert outages.filter(first)
    assert first.getMessage() == "Cannot be reached, trying again: Error 111 connecting."
    assert first.exc_info is None

    clock[0] += 29
    assert not outages.filter(record_of(RedisError("Error 111")))
    clock[0] += 2
    assert outages.filter(record_of(RedisError("Error 111")))


def test_an_outage_behind_another_error_counts() -> None:
    try:
        try:
            raise RedisError("Error 111")
        except RedisError as error:
            raise RuntimeError("Could not apply") from error
    except RuntimeError as error:
        wrapped = record_of(error)

    assert logs.Outages().filter(wrapped)
    assert wrapped.getMessage() == "Cannot be reached, trying again: Error 111"


def test_a_worker_that_cannot_connect_says_it_every_half_minute_too() -> None:
    outages = logs.Outages()
    text = "consumer: Cannot connect to redis://x: Error 111.\nTrying again in 1 second"
    records = [logging.LogRecord("celery.worker", logging.ERROR, "", 1, text, (), None) for _ in range(2)]

    assert [outages.filter(record) for record in records] == [True, False]
    assert records[0].getMessage().endswith("Cannot connect to redis://x: Error 111.")


def test_a_bug_keeps_its_traceback() -> None:
    outages, bug = logs.Outages(), record_of(ZeroDivisionError())

    assert outages.filter(bug)
    assert outages.filter(bug)
    assert bug.exc_info is not None
    assert bug.getMessage() == "Message Error"
