"""Breaking things at a chosen point: the n-th statement that a piece of work sends to the database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import OperationalError, connection

T = TypeVar("T")


class Killed(BaseException):
    """The process is gone: nobody catches this, and what was not committed never was."""


class Breaking:
    """Runs `then` around the n-th statement, or the n-th that writes, of this connection, counted from 1;
    `again` each time that the same statement comes back."""

    def __init__(
        self, at: int, then: Callable[[], None], *, before: bool, writes: bool, again: bool = False
    ) -> None:
        self.at, self.then, self.before, self.writes, self.again = at, then, before, writes, again
        self.seen = 0
        self.happened = False
        self.afterwards: Callable[[], None] | None = None
        """Done once, before the statement that follows."""
        self.sql = ""

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if self.happened and self.afterwards is not None:
            then, self.afterwards = self.afterwards, None
            then()
        self.seen += _counts(sql) if self.writes else 1
        is_here = self.seen == self.at and not self.happened
        if is_here:
            self.sql = sql
        is_here = is_here or (self.again and sql == self.sql)
        if is_here and self.before:
            self._break()
        result = execute(sql, params, many, context)
        if is_here and not self.before:
            self._break()
        return result

    def _break(self) -> None:
        self.happened = True
        self.then()


def _counts(sql: str) -> bool:
    """Whether it writes; ids are taken right before rows are copied in, which no wrapper sees."""
    return sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")) or "nextval" in sql


def die() -> None:
    raise Killed


def nothing() -> None:
    """Nothing happens."""


def stumble() -> None:
    """One statement fails, as when the server gives a query up; the next ones work."""
    raise OperationalError("canceling statement due to a fault of the test")


@contextmanager
def breaking(
    at: int, then: Callable[[], None], *, before: bool = False, writes: bool = False
) -> Iterator[Breaking]:
    """Within, the n-th statement breaks, or the n-th that writes: half done work hides between those."""
    fault = Breaking(at, then, before=before, writes=writes)
    with connection.execute_wrapper(fault):
        yield fault


class Troubles(logging.Handler):
    """What the product caught and logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(f"{record.name}: {record.getMessage()}")


class Elsewhere:
    """A second process, as far as PostgreSQL can tell: a thread with a connection of its own.

    It never waits long for a lock, so that a wait is an error which says who held what.
    """

    WAITS = "150ms"

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, initializer=self._begin)

    def _begin(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{self.WAITS}'")

    def does(self, work: Callable[[], T]) -> T:
        """Do this over there, now; whatever it raises is raised here."""
        return self._pool.submit(work).result(timeout=30)

    def end(self) -> None:
        self._pool.submit(lambda: connection.close()).result(timeout=30)
        self._pool.shutdown()


def had_to_wait(error: BaseException) -> bool:
    """Whether somebody else held the lock."""
    return isinstance(error, OperationalError) and "lock timeout" in str(error)
