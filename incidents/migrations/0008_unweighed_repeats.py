from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):
    dependencies = [("incidents", "0007_families")]

    operations = [
        migrations.CreateModel(
            name='UnweighedRepeat',
            fields=[
                ('incident', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='unweighed', serialize=False, to='incidents.incident')),
                ('not_before', models.DateTimeField(blank=True, null=True)),
                ('failures', models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                'verbose_name': 'repeat to be weighed',
                'verbose_name_plural': 'repeats to be weighed',
            },
        ),
        migrations.AlterField(
            model_name='event',
            name='kind',
            field=models.CharField(choices=[('raised', 'Raised'), ('words_added', 'Words added'), ('photo_added', 'Photo added'), ('acknowledged', 'Picked up'), ('assigned', 'Asked to take it'), ('arrived', 'Arrived at the station'), ('updated', 'Said what is new'), ('contained', 'Product moving'), ('resolved', 'Fix in place'), ('closed', 'Closed'), ('reopened', 'Came back'), ('severity_changed', 'Severity changed'), ('waiting', 'Waiting'), ('waiting_ended', 'No longer waiting'), ('shelved', 'Paused'), ('unshelved', 'Pause ended'), ('floor_confirmed', 'The floor confirms'), ('no_fix_accepted', 'No permanent fix accepted'), ('line_stopped', 'Line stopped'), ('line_running', 'Line running'), ('taken_back', 'Taken back'), ('countermeasure', 'Countermeasure'), ('cause', 'Cause written'), ('told', 'People told'), ('seen', 'Seen'), ('not_reached', 'Not reached'), ('not_answered', 'Not answered'), ('lapsed', 'Nobody has it any more'), ('help_asked', 'Somebody asked to help'), ('repeated', 'The same again')], max_length=20),
        ),
    ]
