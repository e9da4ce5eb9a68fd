"""The database itself refuses to change or remove what was agreed about a promise."""

from django.db import migrations

CREATE = """
CREATE FUNCTION promise_change_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What was agreed about a promise is append-only: % is refused.', TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER promise_change_append_only
    BEFORE UPDATE OR DELETE ON countermeasures_promisechange
    FOR EACH ROW EXECUTE FUNCTION promise_change_is_append_only();
"""
DROP = """
DROP TRIGGER promise_change_append_only ON countermeasures_promisechange;
DROP FUNCTION promise_change_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("countermeasures", "0008_promises_of_what_is_there")]

    operations = [migrations.RunSQL(sql=CREATE, reverse_sql=DROP)]
