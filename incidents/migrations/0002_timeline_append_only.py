"""The database itself refuses to change or remove a line of the timeline."""

from django.db import migrations

CREATE = """
CREATE FUNCTION incidents_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The timeline is append-only: % on % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER incidents_event_append_only
    BEFORE UPDATE OR DELETE ON incidents_event
    FOR EACH ROW EXECUTE FUNCTION incidents_event_is_append_only();
"""
DROP = """
DROP TRIGGER incidents_event_append_only ON incidents_event;
DROP FUNCTION incidents_event_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("incidents", "0001_incidents_and_timeline")]

    operations = [migrations.RunSQL(sql=CREATE, reverse_sql=DROP)]
