"""Where else the same could happen."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from countermeasures.models.countermeasure import Countermeasure
from plant.models import Person, Station


class Answer(models.TextChoices):
    """What was found at another station with the same system."""

    APPLIES = "applies", _("To do here")
    DOES_NOT_APPLY = "does_not_apply", _("Does not apply")
    DONE = "done", _("Done here")


class Elsewhere(models.Model):
    """Where else? One station with the same system, and whether the countermeasure is needed there too."""

    countermeasure = models.ForeignKey(Countermeasure, on_delete=models.PROTECT, related_name="elsewhere")
    station = models.ForeignKey(Station, on_delete=models.PROTECT, related_name="+")
    answer = models.CharField(_("answer"), max_length=16, choices=Answer.choices)
    reason = models.CharField(_("why it does not apply"), max_length=300, blank=True)
    evidence = models.CharField(_("evidence that it is in place"), max_length=300, blank=True)
    owner = models.ForeignKey(
        Person,
        verbose_name=_("owner"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="elsewhere_owned",
    )
    due_on = models.DateField(_("promised for"), null=True, blank=True)
    answered_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(_("answered"))

    class Meta:
        ordering = ["countermeasure", "station"]
        verbose_name = _("where else")
        verbose_name_plural = _("where else")
        constraints = [
            models.UniqueConstraint(fields=["countermeasure", "station"], name="elsewhere_once_a_station"),
            models.CheckConstraint(
                condition=~Q(answer="applies") | Q(owner__isnull=False, due_on__isnull=False),
                name="what_applies_is_promised",
            ),
            models.CheckConstraint(
                condition=~Q(answer="does_not_apply") | ~Q(reason=""), name="what_does_not_apply_has_a_reason"
            ),
            models.CheckConstraint(
                condition=~Q(answer="done") | ~Q(evidence=""), name="done_elsewhere_has_evidence"
            ),
        ]
        indexes = [
            models.Index(fields=["due_on"], condition=Q(answer="applies"), name="elsewhere_due"),
        ]

    def __str__(self) -> str:
        return f"{self.station}: {self.get_answer_display()}"

    @property
    def is_settled(self) -> bool:
        return self.answer in (Answer.DOES_NOT_APPLY, Answer.DONE)
