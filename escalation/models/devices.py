"""Phones and tablets that show pushes."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from plant.models import Person


class PushDevice(models.Model):
    """A browser that shows this person's messages even while no page of ours is open.

    `endpoint` is the address at the push service of the browser's maker; `p256dh` and `auth` are the keys
    that only this browser can read with. It shows the messages of one person: whoever signed up last.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="push_devices")
    name = models.CharField(_("name"), max_length=60)
    endpoint = models.CharField(max_length=1000, unique=True)
    p256dh = models.CharField(max_length=120)
    auth = models.CharField(max_length=40)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When a push service last took a message for it.")
    )

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("device")
        verbose_name_plural = _("devices")

    def __str__(self) -> str:
        return self.name
