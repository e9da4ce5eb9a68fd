"""One shift start for each of the 30 days of an S1: a plant of one shift can prove it in its window."""

from django.db import migrations


def set_number(apps, schema_editor):
    SeverityRule = apps.get_model("incidents", "SeverityRule")
    SeverityRule.objects.filter(severity="S1", proving_shift_starts=60).update(proving_shift_starts=30)


class Migration(migrations.Migration):
    dependencies = [("incidents", "0011_exposure_and_extensions")]

    operations = [migrations.RunPython(set_number, migrations.RunPython.noop)]
