"""Whoever put it in place never signs it off; and how much exposure there was."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [
        ("countermeasures", "0009_promise_changes_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="countermeasure",
            name="placed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="put in place by",
            ),
        ),
        migrations.AddField(
            model_name="countermeasure",
            name="exposed",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="Counted at each shift start, or from the measurements; counted anew before a sign-off.",
                verbose_name="times it has held",
            ),
        ),
        migrations.AddConstraint(
            model_name="countermeasure",
            constraint=models.CheckConstraint(
                condition=Q(checker=None) | Q(placed_by=None) | ~Q(checker=F("placed_by")),
                name="checker_did_not_place_it",
            ),
        ),
        migrations.AddConstraint(
            model_name="countermeasure",
            constraint=models.CheckConstraint(
                condition=Q(checked_by=None) | Q(placed_by=None) | ~Q(checked_by=F("placed_by")),
                name="checked_by_did_not_place_it",
            ),
        ),
    ]
