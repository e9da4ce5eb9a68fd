"""Who was told what, and how each message got there."""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from django.db import models
from django.db.models import F, Prefetch, Q
from django.utils.translation import gettext_lazy as _

from escalation.models.policy import Clock
from escalation.models.timers import Timer
from incidents.models import Incident
from plant.models import Channel, Language, Person, Site
from plant.models.labels import label_of


class Reason(models.TextChoices):
    """Why somebody is written to."""

    STEP = "step", _("A step of the clock")
    ASSIGNED = "assigned", _("Asked to take it")
    UPDATE = "update", _("News")
    TOLD_PICKED_UP = "told_picked_up", _("Somebody has it")
    TOLD_MOVING = "told_moving", _("Product is moving")
    TOLD_CLOSED = "told_closed", _("Closed")
    TOLD_REOPENED = "told_reopened", _("Came back")
    DID_NOT_HOLD = "did_not_hold", _("The fix did not hold")
    TOLD_HOLDS = "told_holds", _("It holds after all")
    FALLBACK = "fallback", _("Somebody else could not be reached")
    ASKED_AGAIN = "asked_again", _("Asked again for an answer")
    LAPSED = "lapsed", _("Silence: nobody has it any more")
    BRING_SOMEONE = "bring_someone", _("Bring someone in?")
    HELP = "help", _("Asked to help")
    SHIFT_START = "shift_start", _("What is open, at shift start")
    GAP_AHEAD = "gap_ahead", _("A gap in the roster ahead")
    REACHABILITY = "reachability", _("Who cannot be reached")
    DRILL_REPORT = "drill_report", _("What a drill found")
    PROMISE = "promise", _("Asked about a promise")
    PROVIDER = "provider", _("A way for messages is down, or works again")
    LISTENER_OFF = "listener_off", _("A room or program does not hear us")
    VERIFY = "verify", _("Is this your number or address?")
    TEST = "test", _("Test message")
    REPLY = "reply", _("What came of their mail")
    DIGEST = "digest", _("Several things in one message")


TOKEN_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # noqa: S105 - not a password


def new_token() -> str:
    """Ten characters of a 31-letter alphabet without look-alikes: 49 random bits, short enough for an SMS."""
    return "".join(secrets.choice(TOKEN_ALPHABET) for _unused in range(10))


class NotificationQuerySet(models.QuerySet["Notification"]):
    def with_deliveries(self) -> NotificationQuerySet:
        """With the message that carried each delivery, where it went out together with others.

        The HTML stays where it is: some kilobytes of each email of a long incident, which nobody reads here.
        """
        deliveries = Delivery.objects.select_related("bundled_into__notification")
        deliveries = deliveries.defer("html", "bundled_into__html")
        return self.select_related("person").prefetch_related(Prefetch("deliveries", deliveries))


class Notification(models.Model):
    """One person is told one thing, once. `key` makes a second one impossible.

    It is about one incident, or (`incident` is None) about a site: a shift, its roster, several incidents;
    then `data` holds what the words need.

    Indexes are few on purpose: rows are written by the thousand, and read by incident, person or token.
    """

    incident = models.ForeignKey(
        Incident,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="notifications",
        db_index=False,
    )
    site = models.ForeignKey(
        Site,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text=_("The site of a message that is about no single incident."),
    )
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="notifications")
    timer = models.ForeignKey(
        Timer,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="notifications",
        db_index=False,
    )
    reason = models.CharField(max_length=16, choices=Reason.choices)
    key = models.CharField(max_length=120)
    token = models.CharField(max_length=16, default=new_token)
    clock = models.CharField(max_length=12, choices=Clock.choices, blank=True)
    role = models.CharField(max_length=24, blank=True)
    is_urgent = models.BooleanField(default=True)
    wants_answer = models.BooleanField(default=False)
    due_at = models.DateTimeField(help_text=_("When the step was due."))
    created_at = models.DateTimeField()
    note = models.CharField(
        max_length=300,
        blank=True,
        help_text=_("Coverage gap or lateness, in plain words."),
    )
    data = models.JSONField(default=dict, blank=True)
    ask_again_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When they are asked again if they have not answered.")
    )
    times_asked = models.PositiveSmallIntegerField(default=1, db_default=1)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by_channel = models.CharField(max_length=12, blank=True)
    answer = models.CharField(max_length=12, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints = [
            models.UniqueConstraint(fields=["key"], name="told_once"),
            models.UniqueConstraint(fields=["token"], name="answer_link_once"),
            models.CheckConstraint(
                condition=Q(incident__isnull=False) ^ Q(site__isnull=False),
                name="about_an_incident_or_a_site",
            ),
        ]
        indexes = [
            models.Index(fields=["incident", "created_at"], name="notification_of_incident"),
            models.Index(
                fields=["ask_again_at"],
                condition=Q(ask_again_at__isnull=False),
                name="notification_ask_again",
            ),
        ]

    get_reason_display = label_of("reason", Reason)

    def __str__(self) -> str:
        return f"{self.person} {self.reason}"

    @property
    def about(self) -> Incident:
        """The incident of a message that is about one."""
        assert self.incident is not None, f"Notification {self.pk} is about no incident."
        return self.incident

    @property
    def about_id(self) -> int:
        """The id of that incident, without reading it."""
        assert self.incident_id is not None, f"Notification {self.pk} is about no incident."
        return self.incident_id


class DeliveryState(models.TextChoices):
    """How far a message got. Sent, delivered and answered are three different things."""

    QUEUED = "queued", _("Waiting")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")
    DROPPED = "dropped", _("Not needed any more")
    BUNDLED = "bundled", _("In a message with others")


class Rank(models.IntegerChoices):
    """Who goes first when many wait: somebody could get hurt, then what cannot wait, then the rest."""

    SAFETY = 0, _("Safety")
    URGENT = 1, _("Urgent")
    QUIET = 2, _("Quiet")


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def queued(self) -> DeliveryQuerySet:
        return self.filter(state=DeliveryState.QUEUED)

    def claimable(self, channel: str, now: datetime) -> DeliveryQuerySet:
        return self.queued().filter(channel=channel, not_before__lte=now)

    def lease_expired(self, now: datetime) -> DeliveryQuerySet:
        return self.filter(state=DeliveryState.SENDING, lease_until__lte=now)


class Delivery(models.Model):
    """One attempt to reach a person over one channel, and how it went.

    A row is written before the provider is called, and claimed with a lease: whoever dies in the middle of
    a send leaves a lease that expires, and the message goes out again (it may go twice, never zero times).
    """

    notification = models.ForeignKey(Notification, on_delete=models.PROTECT, related_name="deliveries")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    address = models.CharField(max_length=254)
    language = models.CharField(max_length=5, choices=Language.choices, default=Language.EN)
    rank = models.PositiveSmallIntegerField(choices=Rank.choices, default=Rank.URGENT)
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.QUEUED)
    bundled_into = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="bundled",
        db_index=False,
        help_text=_("The message that says this together with others."),
    )
    instead_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="stand_ins",
        db_index=False,
        help_text=_("The same message by the provider before, which failed or gave no receipt in time."),
    )
    attempt = models.PositiveSmallIntegerField(default=0)
    provider = models.CharField(max_length=32, blank=True)
    provider_ref = models.CharField(max_length=120, blank=True)
    queued_at = models.DateTimeField()
    not_before = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_by = models.CharField(max_length=64, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    receipt_due_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When it goes another way if no receipt has come.")
    )
    silent_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When it went another way because no receipt had come.")
    )
    error = models.CharField(max_length=300, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["queued_at", "id"]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(
                fields=["notification", "channel"],
                condition=Q(state__in=["queued", "sending"]),
                name="one_live_delivery_per_channel",
            ),
            models.CheckConstraint(
                condition=~Q(state="sending") | Q(lease_until__isnull=False),
                name="sending_has_a_lease",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["sent", "delivered"]) | Q(sent_at__isnull=False),
                name="sent_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="bundled") | Q(bundled_into__isnull=False),
                name="bundled_is_in_something",
            ),
        ]
        indexes = [
            models.Index(
                fields=["channel", "rank", "not_before", "id"],
                condition=Q(state="queued"),
                name="delivery_queued",
            ),
            models.Index(
                fields=["lease_until"],
                condition=Q(state="sending"),
                name="delivery_leased",
            ),
            models.Index(
                fields=["channel", "receipt_due_at"],
                condition=Q(receipt_due_at__isnull=False),
                name="delivery_receipt_due",
            ),
            models.Index(F("sent_at").desc(nulls_last=True), name="delivery_newest"),
            models.Index(
                fields=["provider_ref"],
                condition=~Q(provider_ref=""),
                name="delivery_by_reference",
            ),
            models.Index(
                fields=["queued_at"],
                condition=Q(state__in=["failed", "dropped"]),
                name="delivery_not_sent",
            ),
            models.Index(
                fields=["address", "-sent_at"],
                condition=Q(channel="sms", sent_at__isnull=False),
                name="sms_of_a_person",
            ),
            models.Index(
                fields=["bundled_into"],
                condition=Q(bundled_into__isnull=False),
                name="delivery_bundled",
            ),
        ]

    get_channel_display = label_of("channel", Channel)
    get_state_display = label_of("state", DeliveryState)

    def __str__(self) -> str:
        return f"{self.channel} {self.state}"

    def note_trouble(self, why: str) -> None:
        """Why it did not get there, without the address: everybody of the site reads it in the timeline."""
        if self.address:
            why = re.sub(re.escape(self.address), "…", why, flags=re.IGNORECASE)
        self.error = why[:300]

    @property
    def carrier(self) -> Delivery:
        """The delivery whose fate this one shares: the message it is in with others, else itself."""
        if self.state == DeliveryState.BUNDLED and self.bundled_into is not None:
            return self.bundled_into
        return self

    @property
    def others(self) -> int:
        """How many other things were said in the same message."""
        return 0 if self.carrier is self else max(int(self.carrier.notification.data.get("things", 1)) - 1, 0)
