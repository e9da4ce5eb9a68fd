from typing import Any

from django.db import migrations

ASK_NOW = """
    UPDATE incidents_incident SET next_update_due = now()
    WHERE status IN ('acknowledged', 'reopened') AND next_update_due < now()
"""
READ_ALL = """
    INSERT INTO escalation_unread (incident_id, failures)
    SELECT id, 0 FROM incidents_incident WHERE status <> 'closed'
    ON CONFLICT (incident_id) DO NOTHING
"""


def count_from_now(apps: Any, schema_editor: Any) -> None:
    """Open incidents get the two new clocks: they are read once more, and what is owed is owed from now.

    Without it their owners would lose them in the minute of the upgrade, all at once.
    """
    schema_editor.execute(ASK_NOW)
    schema_editor.execute(READ_ALL)


class Migration(migrations.Migration):
    dependencies = [
        ("escalation", "0004_drills_storms_and_asking_again"),
        ("incidents", "0006_help_and_silence"),
    ]

    operations = [migrations.RunPython(count_from_now, migrations.RunPython.noop, elidable=True)]
