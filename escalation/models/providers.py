"""How the providers of each channel do."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from plant.models import Channel


class ProviderHealth(models.Model):
    """How one provider of a channel does: since when it is up or down, and its failures in a row."""

    channel = models.CharField(max_length=8, choices=Channel.choices)
    name = models.CharField(max_length=32)
    failures = models.PositiveIntegerField(default=0, help_text=_("In a row."))
    error = models.CharField(max_length=300, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    worked_at = models.DateTimeField(null=True, blank=True)
    since = models.DateTimeField(help_text=_("Since when it is up or down."))
    is_down = models.BooleanField(default=False)
    is_unproved = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_("It counts as back because it answers; no message has gone through since."),
    )
    brings_nothing = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_("It takes messages that do not arrive: it is back when one has arrived."),
    )
    probed_at = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(
        null=True, blank=True, help_text=_("Until when it asked to be left alone.")
    )

    class Meta:
        verbose_name = _("health of a provider")
        verbose_name_plural = _("health of providers")
        constraints = [models.UniqueConstraint(fields=["channel", "name"], name="one_health_per_provider")]

    def __str__(self) -> str:
        return f"{self.channel} {self.name}"
