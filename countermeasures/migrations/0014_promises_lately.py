"""Find what is open or ended lately, and the last promises of a person, among years of promises."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("countermeasures", "0013_photos_as_evidence")]

    operations = [
        migrations.RemoveIndex(model_name="promise", name="promise_ended"),
        migrations.AddIndex(
            model_name="promise", index=models.Index(fields=["site", "ended_at"], name="promise_lately")
        ),
        migrations.AddIndex(
            model_name="promise",
            index=models.Index(
                condition=models.Q(("outcome", "withdrawn"), _negated=True),
                fields=["site", "person", "-due_at", "-id"],
                name="promise_last",
            ),
        ),
    ]
