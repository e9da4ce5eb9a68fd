"""When a promise is asked about next: a row, like an incident's timer, but it lives on after closing."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from countermeasures.models import Promise
from escalation.models.timers import TimerState
from plant.models import Site

A_YEAR = 24 * 365


def _hours(label: object, default: int) -> models.PositiveIntegerField:
    limits = [MinValueValidator(1), MaxValueValidator(A_YEAR)]
    return models.PositiveIntegerField(label, default=default, validators=limits)  # type: ignore[arg-type]


class ChaseRule(models.Model):
    """When people are asked about promises at a site, in hours; without a row the defaults hold."""

    site = models.OneToOneField(Site, on_delete=models.CASCADE, related_name="chase_rule")
    before = _hours(_("hours before: who promised is reminded"), 48)
    lead_after = _hours(_("hours after: the lead too"), 24)
    it_manager_after = _hours(_("hours after: the IT manager too"), 72)
    managers_after = _hours(_("hours after: the production manager too"), 168)
    again_every = _hours(_("then again every so many hours"), 168)

    class Meta:
        verbose_name = _("when promises are asked about")
        verbose_name_plural = _("when promises are asked about")
        constraints = [
            models.CheckConstraint(
                condition=Q(lead_after__lt=models.F("it_manager_after"))
                & Q(it_manager_after__lt=models.F("managers_after")),
                name="chase_goes_up_in_order",
            )
        ]

    def __str__(self) -> str:
        return str(self.site)


class Chase(models.Model):
    """The next question about one promise. `epoch` is since when the promise is as it is, so that a new date
    or another person starts anew; `round` counts the repeats of the last step."""

    promise = models.ForeignKey(Promise, on_delete=models.PROTECT, related_name="chases", db_index=False)
    epoch = models.DateTimeField()
    step = models.PositiveSmallIntegerField()
    round = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    planned_at = models.DateTimeField(null=True, blank=True)
    waits_for = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=10, choices=TimerState.choices, default=TimerState.ARMED)
    armed_at = models.DateTimeField()
    fired_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(
        null=True, blank=True, help_text=_("When it should have been asked, while that fails.")
    )

    class Meta:
        ordering = ["due_at", "id"]
        verbose_name = _("question about a promise")
        verbose_name_plural = _("questions about promises")
        constraints = [
            models.UniqueConstraint(
                fields=["promise", "epoch", "step", "round"],
                condition=~Q(state="cancelled"),
                name="each_question_once",
            ),
            models.UniqueConstraint(
                fields=["promise"], condition=Q(state="armed"), name="one_armed_question_each"
            ),
            models.CheckConstraint(
                condition=~Q(state="fired") | Q(fired_at__isnull=False), name="fired_question_has_a_time"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="armed"), name="chase_due"),
            models.Index(fields=["promise", "-id"], name="chase_of_promise"),
            models.Index(
                fields=["failing_since"],
                condition=Q(state="armed", failing_since__isnull=False),
                name="chase_failing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.promise_id} {self.step} {self.due_at:%Y-%m-%d %H:%M}"
