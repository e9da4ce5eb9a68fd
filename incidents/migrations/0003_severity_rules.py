"""The numbers of domain §2 and §3 as rows, so that an IT manager has something to change."""

from django.db import migrations

# severity, minutes between words, days of a bandage, days a fix is proved over
RULES = (("S1", 30, 7, 30), ("S2", 120, 7, 60), ("S3", 480, 7, 90), ("S4", None, 7, 90))


def write(apps, schema_editor):
    SeverityRule = apps.get_model("incidents", "SeverityRule")
    for severity, update_every_minutes, bandage_days, proving_days in RULES:
        SeverityRule.objects.get_or_create(
            severity=severity,
            defaults={
                "update_every_minutes": update_every_minutes,
                "bandage_days": bandage_days,
                "proving_days": proving_days,
            },
        )


def remove(apps, schema_editor):
    apps.get_model("incidents", "SeverityRule").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("incidents", "0002_timeline_append_only")]

    operations = [migrations.RunPython(write, remove)]
