"""When the plant works: public holidays, weekends, and what is planned for a site or some of its areas."""

from __future__ import annotations

from typing import Any

import holidays
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

SATURDAY, SUNDAY = 5, 6


def saturday_and_sunday() -> list[int]:
    return [SATURDAY, SUNDAY]


def empty_list() -> list[str]:
    return []


class SiteCalendar(models.Model):
    """Which public holidays a site keeps, and its weekend where no shift pattern says when people work."""

    site = models.OneToOneField(
        "plant.Site", verbose_name=_("site"), on_delete=models.CASCADE, related_name="calendar"
    )
    country = models.CharField(
        _("country"),
        max_length=2,
        blank=True,
        help_text=_("Two letters, such as US or MX. Empty: no public holidays."),
    )
    subdivision = models.CharField(
        _("state or region"), max_length=8, blank=True, help_text=_("As the country counts them, such as MI.")
    )
    works_on = models.JSONField(
        _("holidays worked"),
        default=empty_list,
        blank=True,
        help_text=_("English names of public holidays on which the site works as on any day."),
    )
    weekend = models.JSONField(
        _("weekend"),
        default=saturday_and_sunday,
        blank=True,
        help_text=_("Days without work where no shift pattern applies; 0 is Monday."),
    )

    class Meta:
        verbose_name = _("site calendar")
        verbose_name_plural = _("site calendars")

    def __str__(self) -> str:
        return str(self.site)

    def clean(self) -> None:
        known: dict[str, Any] = holidays.list_supported_countries()
        if self.country and self.country not in known:
            raise ValidationError(
                {"country": _("%(code)s is not a country we know holidays of.") % {"code": self.country}}
            )
        if self.subdivision and self.subdivision not in known.get(self.country, ()):
            said = {"code": self.subdivision, "country": self.country or "–"}
            raise ValidationError(
                {"subdivision": _("%(code)s is not a state or region of %(country)s.") % said}
            )
        days = self.weekend
        if not isinstance(days, list) or any(not isinstance(day, int) or not 0 <= day <= 6 for day in days):
            raise ValidationError({"weekend": _("Days are numbers from 0, Monday, to 6, Sunday.")})


class EntryKind(models.TextChoices):
    DOWNTIME = "downtime", _("Planned downtime")
    SHUTDOWN = "shutdown", _("Shutdown")
    HOLIDAY = "holiday", _("Day off")
    WORKING = "working", _("We work all the same")


class CalendarEntry(models.Model):
    """Something out of the ordinary: the site or some areas stand still, or work when they usually do not."""

    site = models.ForeignKey(
        "plant.Site", verbose_name=_("site"), on_delete=models.CASCADE, related_name="calendar_entries"
    )
    areas = models.ManyToManyField(
        "plant.Area",
        verbose_name=_("areas"),
        blank=True,
        related_name="calendar_entries",
        help_text=_("None chosen: the whole site."),
    )
    kind = models.CharField(_("what"), max_length=12, choices=EntryKind.choices, default=EntryKind.DOWNTIME)
    name = models.CharField(_("name"), max_length=80)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))

    class Meta:
        ordering = ["starts_at"]
        verbose_name = _("calendar entry")
        verbose_name_plural = _("calendar entries")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")),
                name="calendar_entry_ends_after_it_starts",
                violation_error_message=_("It must end after it starts."),
            )
        ]
        indexes = [models.Index(fields=["site", "ends_at"], name="calendar_entry_ends")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_stop(self) -> bool:
        return self.kind != EntryKind.WORKING
