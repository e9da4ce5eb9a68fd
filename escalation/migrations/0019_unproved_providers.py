from django.db import migrations, models


class Migration(migrations.Migration):
    """An answer counts as back once, until a message has gone through (ADR 135)."""

    dependencies = [
        ("escalation", "0018_questions_that_fail"),
    ]

    operations = [
        migrations.AddField(
            model_name="providerhealth",
            name="is_unproved",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="It counts as back because it answers; no message has gone through since.",
            ),
        ),
    ]
