"""What shows that the engine works."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Heartbeat(models.Model):
    """The last time something that must never stop was seen to work."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.name


class TurnCount(models.Model):
    """How many turns of the engine took up to so long: a row for each bucket, counted by all processes."""

    bound = models.FloatField(unique=True, help_text=_("Seconds; infinity for the last bucket."))
    turns = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0.0, help_text=_("Of all these turns together."))

    class Meta:
        verbose_name = _("count of turns")
        verbose_name_plural = _("counts of turns")

    def __str__(self) -> str:
        return f"{self.bound}: {self.turns}"
