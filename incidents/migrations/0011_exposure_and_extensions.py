from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("incidents", "0010_repeat_of_takes_no_lock")]

    operations = [
        migrations.AddField(
            model_name="severityrule",
            name="proving_shift_starts",
            field=models.PositiveIntegerField(
                db_default=60,
                default=60,
                help_text="Counted from the shift patterns and the calendar of the place. Both must be reached.",
                verbose_name="a fix is proved over (shift starts)",
            ),
        ),
        migrations.AddField(
            model_name="severityrule",
            name="extension_days",
            field=models.PositiveSmallIntegerField(
                db_default=30, default=30, verbose_name="a manager extends a bandage by at most (days)"
            ),
        ),
    ]
