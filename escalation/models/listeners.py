"""Chat rooms and other programs that hear what happens, and each thing that was posted to them."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incidents.models import Event
from plant.models import Area, Language, Person, Site


class ListenerKind(models.TextChoices):
    """What is at the other end. The values are the queues that serve them."""

    CHAT = "chat", _("Chat room")
    WEBHOOK = "webhooks", _("Program")


class ListenerQuerySet(models.QuerySet["Listener"]):
    def active(self) -> ListenerQuerySet:
        return self.filter(is_active=True)


class Listener(models.Model):
    """A chat room or a program elsewhere that hears the timeline of a site or an area as it is written.

    `address` and `secret` are sealed (`webhooks.sealed`): whoever has them can speak in our name.
    Empty `severities` or `kinds` mean all of them. With `roles` it hears what they are told, and of such
    incidents everything afterwards.
    """

    kind = models.CharField(max_length=8, choices=ListenerKind.choices)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="listeners")
    area = models.ForeignKey(Area, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(_("name"), max_length=60)
    address = models.TextField()
    secret = models.TextField(blank=True)
    severities = models.JSONField(default=list, blank=True)
    kinds = models.JSONField(default=list, blank=True)
    roles = models.JSONField(default=list, blank=True)
    language = models.CharField(max_length=5, choices=Language.choices, default=Language.EN)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    last_ok_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text=_("In a row."))
    paused_until = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    switched_off_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When it was given up on, by itself.")
    )

    objects = ListenerQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("listener")
        verbose_name_plural = _("listeners")
        constraints = [
            models.CheckConstraint(
                condition=Q(switched_off_at=None) | Q(is_active=False),
                name="given_up_on_is_not_active",
            ),
            models.CheckConstraint(
                condition=~Q(kind="webhooks") | ~Q(secret=""), name="webhook_has_a_secret"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Unposted(models.Model):
    """An event that listeners have not been given yet. A trigger adds it, in the transaction of the event."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, primary_key=True, related_name="+")

    def __str__(self) -> str:
        return str(self.pk)


class PostState(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    DROPPED = "dropped", _("Not needed any more")


class PostQuerySet(models.QuerySet["Post"]):
    def queued(self) -> PostQuerySet:
        return self.filter(state=PostState.QUEUED)

    def lease_expired(self, now: datetime) -> PostQuerySet:
        return self.filter(state=PostState.SENDING, lease_until__lte=now)


class Post(models.Model):
    """One event on its way to one listener; without an event it is a test. Claimed with a lease."""

    listener = models.ForeignKey(Listener, on_delete=models.CASCADE, related_name="posts")
    event = models.ForeignKey(
        Event, null=True, blank=True, on_delete=models.PROTECT, related_name="posts", db_index=False
    )
    state = models.CharField(max_length=8, choices=PostState.choices, default=PostState.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField()
    not_before = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text=_("Of the HTTP answer."))
    error = models.CharField(max_length=300, blank=True)
    text = models.TextField(blank=True)

    objects = PostQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("post")
        verbose_name_plural = _("posts")
        constraints = [
            models.UniqueConstraint(fields=["listener", "event"], name="posted_once"),
            models.CheckConstraint(
                condition=~Q(state="sending") | Q(lease_until__isnull=False),
                name="post_sending_has_a_lease",
            ),
            models.CheckConstraint(
                condition=~Q(state="sent") | Q(sent_at__isnull=False), name="post_sent_has_a_time"
            ),
        ]
        indexes = [
            models.Index(fields=["listener", "id"], condition=Q(state="queued"), name="post_queued"),
            models.Index(fields=["lease_until"], condition=Q(state="sending"), name="post_leased"),
            models.Index(fields=["listener", "-id"], name="post_newest_first"),
        ]

    def __str__(self) -> str:
        return f"{self.listener_id} {self.state}"
