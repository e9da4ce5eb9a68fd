from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):
    dependencies = [("incidents", "0008_unweighed_repeats")]

    operations = [
        migrations.AddField(
            model_name='severityrule',
            name='repeat_days',
            field=models.PositiveSmallIntegerField(db_default=90, default=90, help_text='Counted from when the old one was closed.', verbose_name='the same again is a repeat for (days)'),
        ),
    ]
