from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('escalation', '0014_chases'),
    ]

    operations = [
        migrations.AddField(
            model_name='listener',
            name='roles',
            field=models.JSONField(blank=True, default=list),
        ),
    ]
