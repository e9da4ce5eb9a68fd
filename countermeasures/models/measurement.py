"""The measurement log: what was seen while a fix was being proved."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from countermeasures.models.countermeasure import Countermeasure
from plant.models import Person


class MeasurementQuerySet(models.QuerySet["Measurement"]):
    def while_proving(self, found: Countermeasure, until: datetime) -> MeasurementQuerySet:
        """Those of the window that runs now, up to a moment."""
        return self.filter(countermeasure=found, at__gte=found.checking_from or until, at__lte=until)


class Measurement(models.Model):
    """One look at what the check measures: the number, and how often it was tried. It is never changed."""

    countermeasure = models.ForeignKey(Countermeasure, on_delete=models.PROTECT, related_name="measurements")
    at = models.DateTimeField(_("measured at"))
    value = models.DecimalField(_("number"), max_digits=12, decimal_places=3, null=True, blank=True)
    unit = models.CharField(_("of what"), max_length=30, blank=True)
    times = models.PositiveIntegerField(
        _("times tried"), default=0, help_text=_("Since the measurement before, in the unit of the check.")
    )
    note = models.CharField(_("note"), max_length=300, blank=True)
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = MeasurementQuerySet.as_manager()

    class Meta:
        ordering = ["at", "id"]
        verbose_name = _("measurement")
        verbose_name_plural = _("measurements")
        constraints = [
            models.CheckConstraint(
                condition=Q(value__isnull=False) | Q(times__gt=0) | ~Q(note=""),
                name="measurement_says_something",
            ),
        ]
        indexes = [models.Index(fields=["countermeasure", "at"], name="measurements_of_one")]

    def __str__(self) -> str:
        return " ".join(filter(None, [self.number, self.unit])) or self.note

    @property
    def number(self) -> str:
        """The value without needless zeros: "2.5"."""
        return "" if self.value is None else f"{self.value.normalize():f}"
