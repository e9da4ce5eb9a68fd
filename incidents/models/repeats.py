"""Repeats from which nobody has drawn the conclusion yet."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incidents.models.incident import Incident


class UnweighedRepeatQuerySet(models.QuerySet["UnweighedRepeat"]):
    def due(self, now: datetime) -> UnweighedRepeatQuerySet:
        return self.filter(Q(not_before=None) | Q(not_before__lte=now)).order_by("incident")


class UnweighedRepeat(models.Model):
    """A repeat that was raised and not weighed yet: whether an old fix failed, and who has to know.

    The row is written with the raise and deleted with the conclusion, so that neither is ever alone.
    """

    incident = models.OneToOneField(
        Incident, primary_key=True, on_delete=models.CASCADE, related_name="unweighed"
    )
    not_before = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)

    objects = UnweighedRepeatQuerySet.as_manager()

    class Meta:
        verbose_name = _("repeat to be weighed")
        verbose_name_plural = _("repeats to be weighed")

    def __str__(self) -> str:
        return f"{self.incident_id}"
