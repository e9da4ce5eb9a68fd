"""What an IT manager can change: the kinds of trouble offered, and the numbers that go with a severity."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from incidents.models.terms import Severity

OWN_TROUBLE = "opsdesk"
"""Category of what OpsDesk finds wrong with itself; nobody is offered it when raising."""


class Category(models.Model):
    """What kind of thing is wrong, as a tile on the raise screen."""

    code = models.SlugField(_("code"), max_length=24, unique=True)
    name = models.CharField(_("name"), max_length=60)
    name_es = models.CharField(_("name in Spanish"), max_length=60, blank=True)
    icon = models.CharField(_("icon"), max_length=24, default="i-dots")
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("offered when raising"), default=True)

    class Meta:
        ordering = ["position", "name"]
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the reader's language."""
        return self.name_es if (get_language() or "").startswith("es") and self.name_es else self.name


class SeverityRule(models.Model):
    """The numbers that go with a severity; an IT manager can change them."""

    severity = models.CharField(_("severity"), max_length=2, choices=Severity.choices, unique=True)
    update_every_minutes = models.PositiveIntegerField(
        _("word from the owner every (minutes)"),
        null=True,
        blank=True,
        help_text=_("Empty: never."),
    )
    bandage_days = models.PositiveSmallIntegerField(_("a bandage is good for (days)"), default=7)
    proving_days = models.PositiveSmallIntegerField(_("a fix is proved over (days)"), default=90)
    proving_shift_starts = models.PositiveIntegerField(
        _("a fix is proved over (shift starts)"),
        default=60,
        db_default=60,
        help_text=_("Counted from the shift patterns and the calendar of the place. Both must be reached."),
    )
    extension_days = models.PositiveSmallIntegerField(
        _("a manager extends a bandage by at most (days)"), default=30, db_default=30
    )
    repeat_days = models.PositiveSmallIntegerField(
        _("the same again is a repeat for (days)"),
        default=90,
        db_default=90,
        help_text=_("Counted from when the old one was closed."),
    )

    class Meta:
        ordering = ["severity"]
        verbose_name = _("severity rule")
        verbose_name_plural = _("severity rules")

    def __str__(self) -> str:
        return self.severity

    @classmethod
    def of(cls, severity: str) -> SeverityRule:
        """The rule in force; the defaults of domain §2 and §3 where nobody has written one."""
        return cls.objects.filter(severity=severity).first() or cls(
            severity=severity, **DEFAULT_RULES[severity]
        )

    @classmethod
    def intervals(cls) -> dict[str, timedelta | None]:
        """How often a word is owed at each severity: all four rules in one query."""
        rules = {name: cls(severity=name, **numbers) for name, numbers in DEFAULT_RULES.items()}
        rules |= {rule.severity: rule for rule in cls.objects.all()}
        return {name: rule.update_every for name, rule in rules.items()}

    @property
    def update_every(self) -> timedelta | None:
        return timedelta(minutes=self.update_every_minutes) if self.update_every_minutes else None


REPEAT_DAYS = 90
"""Days after closing in which the same again is a repeat (domain §2)."""

DEFAULT_RULES: dict[str, dict[str, int | None]] = {
    "S1": {"update_every_minutes": 30, "bandage_days": 7, "proving_days": 30, "proving_shift_starts": 30},
    "S2": {"update_every_minutes": 120, "bandage_days": 7, "proving_days": 60},
    "S3": {"update_every_minutes": 480, "bandage_days": 7, "proving_days": 90},
    "S4": {"update_every_minutes": None, "bandage_days": 7, "proving_days": 90},
}
"""Word: 30 min, 2 h, each shift, never (domain §2); bandage 7 days; proof 30, 60, 90 days (domain §3).

Shift starts: 60 (domain §3), and one for each of the 30 days of an S1: a plant of one shift can prove it
soon after its window. An extension of 30 days is a month: long enough for a part to come.
"""
