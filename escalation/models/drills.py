"""The drill: a marked practice incident runs the real policy, and what it found is kept."""

from __future__ import annotations

from datetime import time

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident, Severity
from plant.models import Area, Person, Site


class Weekday(models.IntegerChoices):
    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class DrillPlan(models.Model):
    """When a site practises: once a week, at this local time, in each of its areas in turn."""

    site = models.OneToOneField(
        Site, verbose_name=_("site"), on_delete=models.CASCADE, related_name="drill_plan"
    )
    is_on = models.BooleanField(_("practise every week"), default=True)
    weekday = models.PositiveSmallIntegerField(_("day"), choices=Weekday.choices, default=Weekday.WEDNESDAY)
    at = models.TimeField(_("time"), default=time(10, 0), help_text=_("By the clock of the site."))
    severity = models.CharField(_("severity"), max_length=2, choices=Severity.choices, default=Severity.S1)
    last_slot = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("The last planned moment that was dealt with.")
    )

    class Meta:
        verbose_name = _("drill plan")
        verbose_name_plural = _("drill plans")

    def __str__(self) -> str:
        return str(self.site)


class Drill(models.Model):
    """One drill: its practice incident, and afterwards who was and who would not have been reached.

    `report` holds, once it is over, a row for each person or empty role of the policy; see
    `escalation.drills.report`.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="drills")
    area = models.ForeignKey(Area, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    incident = models.OneToOneField(Incident, on_delete=models.PROTECT, related_name="drill")
    started_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    report = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-started_at"]
        verbose_name = _("drill")
        verbose_name_plural = _("drills")
        constraints = [
            models.UniqueConstraint(
                fields=["site"], condition=Q(ended_at__isnull=True), name="one_running_drill_per_site"
            )
        ]

    def __str__(self) -> str:
        return f"{self.site} {self.started_at:%Y-%m-%d %H:%M}"
