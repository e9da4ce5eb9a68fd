from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):
    dependencies = [("incidents", "0006_help_and_silence")]

    operations = [
        migrations.RemoveIndex(
            model_name='incident',
            name='incident_family',
        ),
        migrations.AddField(
            model_name='incident',
            name='repeat_of',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='repeats', to='incidents.incident', verbose_name='repeat of'),
        ),
        migrations.AddField(
            model_name='incident',
            name='times_in_30_days',
            field=models.PositiveSmallIntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.AddField(
            model_name='incident',
            name='times_in_90_days',
            field=models.PositiveSmallIntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(condition=models.Q(('is_drill', False), ('system__isnull', True)), fields=['category', 'station', '-raised_at'], name='incident_family'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(condition=models.Q(('is_drill', False), ('system__isnull', False)), fields=['system', 'category', 'site', '-raised_at'], name='incident_family_system'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('repeat_of', None), models.Q(('is_drill', False), models.Q(('repeat_of', models.F('id')), _negated=True)), _connector='OR'), name='a_repeat_is_no_practice_and_not_its_own'),
        ),
    ]
