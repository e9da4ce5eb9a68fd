from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("escalation", "0017_told_that_it_holds")]

    operations = [
        migrations.AddField(
            model_name="chase",
            name="failing_since",
            field=models.DateTimeField(
                blank=True, help_text="When it should have been asked, while that fails.", null=True
            ),
        ),
        migrations.AddIndex(
            model_name="chase",
            index=models.Index(
                condition=models.Q(("failing_since__isnull", False), ("state", "armed")),
                fields=["failing_since"],
                name="chase_failing",
            ),
        ),
    ]
