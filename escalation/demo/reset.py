"""Emptying a developer's database, so that the demo plant can be built again."""

from __future__ import annotations

from django.apps import apps
from django.db import connection, transaction

from escalation.policies import ensure_policies

OURS = ("plant", "incidents", "countermeasures", "escalation")
KEPT = {"incidents_category", "incidents_severityrule"}
"""Written by migrations, not by the seed."""


@transaction.atomic
def remove_everything() -> None:
    """Truncate every table of the domain and whatever refers to it."""
    tables = [
        model._meta.db_table
        for label in OURS
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
        if model._meta.db_table not in KEPT
    ]
    names = ", ".join(f'"{table}"' for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
        cursor.execute("SELECT setval('incident_number', 1001, false)")
    ensure_policies()
