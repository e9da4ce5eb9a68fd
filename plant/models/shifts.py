"""Shift patterns, crews that rotate through them, and who stands in for whom.

Shifts are kept as wall-clock times and expanded to instants in the site's time zone, so that a shift starts
at 22:00 by the clock on the wall on every night of the year.
"""

from __future__ import annotations

from collections.abc import Collection
from secrets import token_urlsafe

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class ShiftPattern(models.Model):
    """How a site or some areas work: 3×8, 12 h rotating 2-2-3, two shifts."""

    site = models.ForeignKey(
        "plant.Site",
        verbose_name=_("site"),
        on_delete=models.CASCADE,
        related_name="shift_patterns",
    )
    code = models.SlugField(_("code"), max_length=24, unique=True)
    name = models.CharField(_("name"), max_length=80)
    areas = models.ManyToManyField(
        "plant.Area", verbose_name=_("areas"), blank=True, related_name="shift_patterns"
    )
    cycle_days = models.PositiveSmallIntegerField(
        _("days in the cycle"),
        default=7,
        validators=[MinValueValidator(1), MaxValueValidator(366)],
        help_text=_("7 for a week that repeats, 14 for 2-2-3."),
    )
    anchor = models.DateField(
        _("first day of a cycle"),
        help_text=_("Any day on which the cycle starts, such as a Monday."),
    )
    handover_minutes = models.PositiveSmallIntegerField(_("handover overlap (minutes)"), default=0)

    class Meta:
        ordering = ["code"]
        verbose_name = _("shift pattern")
        verbose_name_plural = _("shift patterns")

    def __str__(self) -> str:
        return self.name


class Shift(models.Model):
    """One shift of a pattern, by the clock on the wall. An end not after the start is the next day's."""

    pattern = models.ForeignKey(
        ShiftPattern,
        verbose_name=_("pattern"),
        on_delete=models.CASCADE,
        related_name="shifts",
    )
    code = models.CharField(_("code"), max_length=12)
    name = models.CharField(_("name"), max_length=40)
    starts = models.TimeField(_("starts"))
    ends = models.TimeField(_("ends"))

    class Meta:
        ordering = ["pattern", "starts"]
        verbose_name = _("shift")
        verbose_name_plural = _("shifts")
        constraints = [
            models.UniqueConstraint(fields=["pattern", "code"], name="shift_code_once_per_pattern")
        ]

    def __str__(self) -> str:
        return self.name


class Crew(models.Model):
    """People who work the same rotation: which shift on each day of the cycle, or none."""

    pattern = models.ForeignKey(
        ShiftPattern,
        verbose_name=_("pattern"),
        on_delete=models.CASCADE,
        related_name="crews",
    )
    code = models.CharField(_("code"), max_length=12)
    name = models.CharField(_("name"), max_length=40)
    rotation = models.JSONField(
        _("rotation"),
        help_text=_('Shift code for each day of the cycle, "" for a day off, such as ["MD", "MD", "", …].'),
    )

    class Meta:
        ordering = ["pattern", "code"]
        verbose_name = _("crew")
        verbose_name_plural = _("crews")
        constraints = [models.UniqueConstraint(fields=["pattern", "code"], name="crew_code_once_per_pattern")]

    def __str__(self) -> str:
        return self.name


def refuse_bad_rotation(rotation: object, *, days: int, codes: Collection[str]) -> None:
    """Raise ValidationError unless each day of the cycle has one known shift code, or "" for a day off."""
    if not isinstance(rotation, list) or len(rotation) != days:
        raise ValidationError(
            {"rotation": _("Give one shift for each of the %(days)s days of the cycle.") % {"days": days}}
        )
    for code in rotation:
        if code != "" and code not in codes:
            raise ValidationError(
                {"rotation": _("%(code)s is not a shift of this pattern.") % {"code": code}}
            )


class Roster(models.Model):
    """A person works with a crew from one day to another (no last day: until further notice)."""

    person = models.ForeignKey(
        "plant.Person",
        verbose_name=_("person"),
        on_delete=models.CASCADE,
        related_name="rosters",
    )
    crew = models.ForeignKey(Crew, verbose_name=_("crew"), on_delete=models.CASCADE, related_name="rosters")
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"), null=True, blank=True)

    class Meta:
        ordering = ["person", "first_day"]
        verbose_name = _("roster")
        verbose_name_plural = _("rosters")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(last_day=None) | models.Q(last_day__gte=models.F("first_day")),
                name="roster_ends_after_it_starts",
                violation_error_message=_("The last day is before the first day."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.crew}"


class CoverKind(models.TextChoices):
    SWAP = "swap", _("Swap")
    HOLIDAY = "holiday", _("Holiday")
    SICK = "sick", _("Sick")


class Cover(models.Model):
    """Somebody is away from–until; whoever stands in answers for all of their roles in that time."""

    absent = models.ForeignKey(
        "plant.Person",
        verbose_name=_("away"),
        on_delete=models.CASCADE,
        related_name="covers_needed",
    )
    stand_in = models.ForeignKey(
        "plant.Person",
        verbose_name=_("stands in"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="covers_given",
        help_text=_("Leave empty when nobody stands in."),
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    kind = models.CharField(_("why"), max_length=12, choices=CoverKind.choices, default=CoverKind.SWAP)
    note = models.CharField(_("note"), max_length=200, blank=True)
    uid = models.CharField(
        _("name in the other calendar"),
        max_length=255,
        blank=True,
        editable=False,
        help_text=_("Set when it was read from a calendar file, so that reading it again changes nothing."),
    )

    class Meta:
        ordering = ["-starts_at"]
        verbose_name = _("cover")
        verbose_name_plural = _("covers")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")),
                name="cover_ends_after_it_starts",
                violation_error_message=_("Cover must end after it starts."),
            ),
            models.CheckConstraint(
                condition=models.Q(stand_in=None) | ~models.Q(stand_in=models.F("absent")),
                name="cover_by_somebody_else",
                violation_error_message=_("Nobody can stand in for themselves."),
            ),
        ]
        indexes = [
            models.Index(fields=["ends_at"], name="cover_ends"),
            models.Index(fields=["uid"], name="cover_uid", condition=~models.Q(uid="")),
        ]

    def __str__(self) -> str:
        return f"{self.absent} → {self.stand_in or '—'}"

    def clean(self) -> None:
        stand_in = self.stand_in
        if stand_in is None or self.starts_at is None or self.ends_at is None:
            return
        if not stand_in.is_active:
            raise ValidationError({"stand_in": _("%(name)s has left.") % {"name": stand_in}})
        away = Cover.objects.filter(absent=stand_in, starts_at__lt=self.ends_at, ends_at__gt=self.starts_at)
        if away.exclude(pk=self.pk).exists():
            raise ValidationError({"stand_in": _("%(name)s is away then too.") % {"name": stand_in}})


def new_secret() -> str:
    """32 random bytes, as 43 characters that stand in an address as they are."""
    return token_urlsafe(32)


class RosterFeed(models.Model):
    """The secret address at which a person's calendar program reads their shifts. A new one ends the old."""

    person = models.OneToOneField(
        "plant.Person", verbose_name=_("person"), on_delete=models.CASCADE, related_name="roster_feed"
    )
    token = models.CharField(max_length=64, unique=True, default=new_secret, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("roster feed")
        verbose_name_plural = _("roster feeds")

    def __str__(self) -> str:
        return str(self.person)
