"""A storm: so many incidents in one area at once that each person gets one message that lists them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from plant.models import Area, Site

STORM_WITHIN = timedelta(minutes=5)
"""Domain §4: more than 10 incidents in 5 minutes on one area."""


class StormQuerySet(models.QuerySet["Storm"]):
    def on(self) -> StormQuerySet:
        return self.filter(ended_at=None).select_related("site", "area")


class Storm(models.Model):
    """Storm mode of an area from its begin to its end; without one, of incidents that have no area."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="storms")
    area = models.ForeignKey(Area, null=True, blank=True, on_delete=models.PROTECT, related_name="storms")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = StormQuerySet.as_manager()

    class Meta:
        ordering = ["-began_at"]
        verbose_name = _("storm")
        verbose_name_plural = _("storms")
        constraints = [
            models.UniqueConstraint(
                fields=["site", "area"],
                condition=Q(ended_at__isnull=True),
                name="one_storm_per_area",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.area or self.site} {self.began_at:%Y-%m-%d %H:%M}"

    @property
    def place(self) -> Area | Site:
        return self.area or self.site

    @property
    def counts_from(self) -> datetime:
        """What was raised since then belongs to it."""
        return self.began_at - STORM_WITHIN
