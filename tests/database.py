"""The tests' databases: migrated once for a run, copied for each of its processes, swept after each commit.

A test that really commits leaves rows behind. They go, and what migrations had written (categories,
severity rules, policies …) is put back, so that the next test finds what a fresh installation has.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.test import TransactionTestCase

KEPT = "written_by_migrations"
"""Schema with a copy of each table that is not empty after the migrations."""


def set_up(home: Path) -> None:
    """Connect this process to a migrated database of its own."""
    base = settings.DATABASES["default"]["NAME"]
    template = f"test_{base}_{home.name}".replace("-", "_")
    mine = f"{template}_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    with (home / ".template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _exists(template):
            _migrate(template)
        _execute(f'CREATE DATABASE "{mine}" TEMPLATE "{template}"')
    _use(mine)
    setattr(TransactionTestCase, "_fixture_teardown", _sweep)  # noqa: B010 - the types do not know it


def drop() -> None:
    """Leave nothing behind on a server that is not the tests' own; who is last takes the template too."""
    mine = connection.settings_dict["NAME"]
    template = mine.rpartition("_")[0]
    connection.close()
    _execute(f'DROP DATABASE IF EXISTS "{mine}"')
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname LIKE %s", [f"{template}\\_%"])
        if cursor.fetchone() is None:
            cursor.execute(f'DROP DATABASE IF EXISTS "{template}"')


def _use(name: str) -> None:
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


def _exists(name: str) -> bool:
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        return cursor.fetchone() is not None


def _execute(sql: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(sql)


def _migrate(name: str) -> None:
    """Under another name until it is complete: a process that dies meanwhile leaves no half of a template."""
    half = f"{name}_half"
    connection.settings_dict["TEST"]["NAME"] = half
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {KEPT}")
        for table in _filled(cursor):
            cursor.execute(f'CREATE TABLE {KEPT}."{table}" AS TABLE public."{table}"')
    connection.close()
    _execute(f'ALTER DATABASE "{half}" RENAME TO "{name}"')


def _sweep(_case: TransactionTestCase) -> None:
    """What a test committed goes; what migrations wrote comes back, with the same ids."""
    with transaction.atomic(), connection.cursor() as cursor:
        if filled := _filled(cursor):
            cursor.execute("TRUNCATE {} CASCADE".format(", ".join(f'"{table}"' for table in filled)))
        for table in _tables(cursor, KEPT):
            cursor.execute(f'INSERT INTO public."{table}" SELECT * FROM {KEPT}."{table}"')


def _filled(cursor: Any) -> list[str]:
    """Tables with rows in them; the list of migrations is left alone."""
    tables = [table for table in _tables(cursor, "public") if table != "django_migrations"]
    cursor.execute(
        " UNION ALL ".join(f"(SELECT '{table}' FROM public.\"{table}\" LIMIT 1)" for table in tables)
    )
    return [row[0] for row in cursor.fetchall()]


def _tables(cursor: Any, schema: str) -> list[str]:
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [schema])
    return [row[0] for row in cursor.fetchall()]
