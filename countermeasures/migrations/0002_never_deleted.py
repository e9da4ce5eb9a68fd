"""The database itself refuses to remove a countermeasure: it is withdrawn, with a reason."""

from django.db import migrations

CREATE = """
CREATE FUNCTION countermeasure_is_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A countermeasure is withdrawn with a reason, never deleted.'
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER countermeasure_never_deleted
    BEFORE DELETE ON countermeasures_countermeasure
    FOR EACH ROW EXECUTE FUNCTION countermeasure_is_never_deleted();
"""
DROP = """
DROP TRIGGER countermeasure_never_deleted ON countermeasures_countermeasure;
DROP FUNCTION countermeasure_is_never_deleted();
"""


class Migration(migrations.Migration):
    dependencies = [("countermeasures", "0001_causes_and_countermeasures")]

    operations = [migrations.RunSQL(sql=CREATE, reverse_sql=DROP)]
