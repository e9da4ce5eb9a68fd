"""Writing many rows at once: COPY, with ids taken beforehand where other rows refer to them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_in(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows whose values are in the order of `columns` (database names). Raises IntegrityError."""
    text = "".join("\t".join(map(_as_text, row)) + "\n" for row in rows)
    if not text:
        return
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.cursor.copy_expert(f'COPY "{model._meta.db_table}" ({names}) FROM STDIN', io.StringIO(text))


def _as_text(value: Any) -> str:
    """One value of a COPY line. By exact type: a firing writes a hundred thousand of them."""
    write = _WRITERS.get(type(value))
    return write(value) if write is not None else str(value).translate(_ESCAPES)


def _json(value: Any) -> str:
    return json.dumps(value).translate(_ESCAPES)


def _escaped(value: str) -> str:
    return value if value.isalnum() else value.translate(_ESCAPES)


_WRITERS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _none: "\\N",
    bool: lambda value: "t" if value else "f",
    int: str,
    str: _escaped,
    datetime: datetime.isoformat,
    dict: _json,
    list: _json,
}


def new_ids(model: type[models.Model], count: int) -> list[int]:
    """Ids that nobody else gets."""
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [row[0] for row in cursor.fetchall()]
