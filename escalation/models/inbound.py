"""What people sent back to us, and what came of it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident
from plant.models import Channel, Person


class Did(models.TextChoices):
    """What a message from outside did."""

    TOOK_IT = "took_it", _("Took it")
    SEEN = "seen", _("Said “seen”")
    SEVERAL = "several", _("Answered several")
    UPDATED = "updated", _("Said what is new")
    WORDS = "words", _("Added words")
    HELP_ASKED = "help_asked", _("Asked somebody to help")
    CLOSED_IT = "closed_it", _("Closed it")
    CLOSED = "closed", _("Was closed already")
    REFUSED = "refused", _("Refused")
    WHICH = "which", _("Asked which one is meant")
    WHO = "who", _("Asked who it is")
    HELP_TEXT = "help_text", _("Asked how this works")
    STOPPED = "stopped", _("Wants no more texts")
    STARTED = "started", _("Wants texts again")
    NOT_UNDERSTOOD = "not_understood", _("Not understood")
    UNKNOWN_SENDER = "unknown_sender", _("From nobody we know")
    IGNORED = "ignored", _("Automatic, left alone")
    BOUNCED = "bounced", _("Our email came back")
    BROKEN = "broken", _("Went wrong here")


class Inbound(models.Model):
    """One message from outside. `provider` and `reference` make it act once, however often it comes."""

    channel = models.CharField(max_length=8, choices=Channel.choices)
    provider = models.CharField(max_length=32)
    reference = models.CharField(max_length=200)
    received_at = models.DateTimeField()
    sender = models.CharField(max_length=254, blank=True)
    to = models.CharField(max_length=254, blank=True)
    text = models.TextField(blank=True)
    person = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="inbound", db_index=False
    )
    incident = models.ForeignKey(
        Incident, null=True, blank=True, on_delete=models.PROTECT, related_name="inbound"
    )
    did = models.CharField(max_length=16, choices=Did.choices, blank=True)
    reply = models.TextField(blank=True)
    replied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-received_at", "-id"]
        verbose_name = _("message from outside")
        verbose_name_plural = _("messages from outside")
        constraints = [
            models.UniqueConstraint(fields=["provider", "reference"], name="inbound_acts_once"),
        ]
        indexes = [
            models.Index(fields=["-received_at", "-id"], name="inbound_newest"),
            models.Index(fields=["sender", "-received_at"], name="inbound_of_a_sender"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.did}"
