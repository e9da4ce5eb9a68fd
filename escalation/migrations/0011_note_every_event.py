"""A trigger notes every new event for chat rooms and webhooks, in its own transaction; only while any are set up."""

from django.db import migrations

CREATE = """
CREATE FUNCTION escalation_note_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM escalation_listener WHERE is_active) THEN
        INSERT INTO escalation_unposted (event_id) SELECT id FROM added ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER escalation_events_written AFTER INSERT ON incidents_event
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION escalation_note_events();
"""

DROP = """
DROP TRIGGER IF EXISTS escalation_events_written ON incidents_event;
DROP FUNCTION IF EXISTS escalation_note_events();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("escalation", "0010_chat_rooms_and_webhooks"),
        ("incidents", "0001_incidents_and_timeline"),
    ]

    operations = [migrations.RunSQL(CREATE, DROP)]
