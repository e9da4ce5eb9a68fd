"""Keeps an outage readable: one line every half minute instead of a traceback every second."""

from __future__ import annotations

import logging
import time

import django.db
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import ConnectionError as RedisError

AWAY = (django.db.OperationalError, django.db.InterfaceError, BrokerError, RedisError, ConnectionError)
EVERY = 30.0  # seconds between two lines about the same thing being away


class Outages(logging.Filter):
    """Shortens "cannot be reached" to its sentence, and says it again only every half minute per logger."""

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        text = what_is_away(record)
        if not text:
            return True
        now = time.monotonic()
        if now - self.said.get(record.name, -EVERY) < EVERY:
            return False
        self.said[record.name] = now
        record.msg, record.args = "Cannot be reached, trying again: %s", (text.splitlines()[0],)
        record.exc_info = record.exc_text = None
        return True


def what_is_away(record: logging.LogRecord) -> str:
    """The sentence of an outage; empty when the record is about something else."""
    error = outage_in(record.exc_info[1] if record.exc_info else None)
    if error is not None:
        return str(error).strip() or type(error).__name__
    text = record.getMessage()
    return text if "Cannot connect to" in text else ""  # Celery's workers, every second, without an exception


def outage_in(error: BaseException | None) -> BaseException | None:
    """The outage that an exception is about: itself or what it was raised from."""
    while error is not None and not isinstance(error, AWAY):
        error = error.__cause__ or error.__context__
    return error
