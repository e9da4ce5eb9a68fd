"""The database itself refuses to change or remove a measurement: a wrong one is put right by another."""

from django.db import migrations

CREATE = """
CREATE FUNCTION measurement_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The measurement log is append-only: % on % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER measurement_append_only
    BEFORE UPDATE OR DELETE ON countermeasures_measurement
    FOR EACH ROW EXECUTE FUNCTION measurement_is_append_only();
"""
DROP = """
DROP TRIGGER measurement_append_only ON countermeasures_measurement;
DROP FUNCTION measurement_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("countermeasures", "0011_measurements")]

    operations = [migrations.RunSQL(sql=CREATE, reverse_sql=DROP)]
