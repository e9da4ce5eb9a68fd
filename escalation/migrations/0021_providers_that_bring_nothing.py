from django.db import migrations, models


class Migration(migrations.Migration):
    """A provider that takes messages which do not arrive counts as down (ADR 150)."""

    dependencies = [
        ("escalation", "0020_mail_is_answered"),
    ]

    operations = [
        migrations.AddField(
            model_name="providerhealth",
            name="brings_nothing",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="It takes messages that do not arrive: it is back when one has arrived.",
            ),
        ),
    ]
