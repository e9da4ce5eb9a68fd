"""A trigger notes every changed incident for the engine, in the transaction of the change, whoever makes it."""

from django.db import migrations

CREATE = """
CREATE FUNCTION escalation_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO escalation_unread (incident_id, not_before, failures) VALUES (NEW.id, NULL, 0)
    ON CONFLICT (incident_id) DO UPDATE SET not_before = NULL;
    RETURN NULL;
END $$;

CREATE TRIGGER escalation_incident_raised AFTER INSERT ON incidents_incident
FOR EACH ROW WHEN (NEW.status <> 'closed') EXECUTE FUNCTION escalation_note_change();

CREATE TRIGGER escalation_incident_changed AFTER UPDATE OF version ON incidents_incident
FOR EACH ROW WHEN (OLD.version IS DISTINCT FROM NEW.version) EXECUTE FUNCTION escalation_note_change();

INSERT INTO escalation_unread (incident_id, failures) SELECT id, 0 FROM incidents_incident WHERE status <> 'closed'
ON CONFLICT DO NOTHING;
"""

DROP = """
DROP TRIGGER IF EXISTS escalation_incident_changed ON incidents_incident;
DROP TRIGGER IF EXISTS escalation_incident_raised ON incidents_incident;
DROP FUNCTION IF EXISTS escalation_note_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("escalation", "0001_policies_timers_and_messages"),
        ("incidents", "0001_incidents_and_timeline"),
    ]

    operations = [migrations.RunSQL(CREATE, DROP)]
