"""Who must hear about it, and when: policies, the timers of each incident, and what was sent to whom."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incidents.models import Category, Incident, Severity
from plant.models import Area, Channel, Language, Person, Site

__all__ = ["Channel"]


class Clock(models.TextChoices):
    """The four clocks of a policy (domain §4)."""

    RESPONSE = "response", _("Nobody has it yet")
    CONTAINMENT = "containment", _("Product is not moving yet")
    UPDATE = "update", _("News is due")
    CLOSURE = "closure", _("Still open")


class PolicyQuerySet(models.QuerySet["Policy"]):
    def current(self) -> PolicyQuerySet:
        return self.filter(is_current=True)


class Policy(models.Model):
    """One published version of who is told when. A version never changes; a running incident keeps its own.

    `clocks` holds, for each clock, an ordered list of steps:
    {"after": minutes, "roles": [role], "people": [username], "channels": [channel],
     "repeat": minutes or null, "answer": bool}; under "safety", who is told at once when somebody could get
    hurt. `steps.PolicyClocks` reads it and says what is wrong with it.
    """

    severity = models.CharField(_("severity"), max_length=2, choices=Severity.choices)
    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    area = models.ForeignKey(Area, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    category = models.ForeignKey(Category, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(_("version"))
    is_current = models.BooleanField(_("in force"), default=True)
    clocks = models.JSONField(_("clocks"))
    published_at = models.DateTimeField(_("published"), default=timezone.now)
    published_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    why = models.CharField(_("why"), max_length=300, blank=True)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        ordering = ["severity", "site", "area", "category", "-version"]
        verbose_name = _("escalation policy")
        verbose_name_plural = _("escalation policies")
        constraints = [
            models.UniqueConstraint(
                fields=["severity", "site", "area", "category", "version"],
                name="policy_version_once",
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                fields=["severity", "site", "area", "category"],
                condition=Q(is_current=True),
                name="one_policy_in_force",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.severity} v{self.version}"


class Run(models.Model):
    """The escalation of one incident: the policy it started under and how far the engine has read it.

    `incident_version` is the incident's version the timers were last planned with. Timers of an incident that
    is ahead of it do not fire: it is read again first.
    """

    incident = models.OneToOneField(Incident, on_delete=models.PROTECT, related_name="run")
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="+")
    incident_version = models.PositiveIntegerField(default=0)
    replanned_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When its severity last changed, and with it the policy.")
    )

    class Meta:
        verbose_name = _("escalation run")
        verbose_name_plural = _("escalation runs")

    def __str__(self) -> str:
        return f"{self.incident_id}"


class Unread(models.Model):
    """An incident that changed since the engine last read it.

    Written by a database trigger in the transaction of the change, whoever makes it, so that the engine finds
    the few changed incidents among a million without looking at the others, and none is ever forgotten.
    """

    incident = models.OneToOneField(Incident, on_delete=models.CASCADE, related_name="+")
    not_before = models.DateTimeField(
        null=True, blank=True, help_text=_("Reading it failed; it is tried again then.")
    )
    failures = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("unread change")
        verbose_name_plural = _("unread changes")

    def __str__(self) -> str:
        return f"{self.incident_id}"


class TimerState(models.TextChoices):
    ARMED = "armed", _("Armed")
    FIRED = "fired", _("Fired")
    CANCELLED = "cancelled", _("Cancelled")


class TimerQuerySet(models.QuerySet["Timer"]):
    def armed(self) -> TimerQuerySet:
        return self.filter(state=TimerState.ARMED)

    def due(self, now: datetime) -> TimerQuerySet:
        return self.armed().filter(due_at__lte=now)

    def overdue(self, now: datetime, *, by: timedelta) -> TimerQuerySet:
        return self.armed().filter(due_at__lte=now - by)


class Timer(models.Model):
    """The next step of one clock of one incident. A timer is a row: nothing else remembers it.

    `epoch` is the moment the clock counts from, so that a clock that starts again never meets its old rows;
    `severity` says whose ladder `step` belongs to; `round` counts the repeats of a step. It speaks for the
    steps `first_step` to `step`: more than one when a clock starts late or a used-up ladder tells all again.
    """

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="timers", db_index=False)
    clock = models.CharField(max_length=12, choices=Clock.choices)
    epoch = models.DateTimeField()
    severity = models.CharField(max_length=2, choices=Severity.choices)
    step = models.PositiveSmallIntegerField()
    first_step = models.PositiveSmallIntegerField(default=0)
    round = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=TimerState.choices, default=TimerState.ARMED)
    armed_at = models.DateTimeField()
    fired_at = models.DateTimeField(null=True, blank=True)
    goes_up_from = models.CharField(max_length=200, blank=True, help_text=_("Why it was brought forward."))

    objects = TimerQuerySet.as_manager()

    class Meta:
        ordering = ["due_at", "id"]
        verbose_name = _("timer")
        verbose_name_plural = _("timers")
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "clock", "epoch", "severity", "step", "round"],
                condition=~Q(state="cancelled"),
                name="each_step_once",
            ),
            models.UniqueConstraint(
                fields=["incident", "clock"],
                condition=Q(state="armed"),
                name="one_armed_timer_per_clock",
            ),
            models.CheckConstraint(
                condition=~Q(state="fired") | Q(fired_at__isnull=False),
                name="fired_timer_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="armed"), name="timer_due"),
            models.Index(fields=["incident", "clock", "-id"], name="timer_of_incident"),
        ]

    def __str__(self) -> str:
        return f"{self.clock} {self.step} {self.due_at:%Y-%m-%d %H:%M:%S}"


class Reason(models.TextChoices):
    """Why somebody is written to."""

    STEP = "step", _("A step of the clock")
    ASSIGNED = "assigned", _("Asked to take it")
    UPDATE = "update", _("News")
    TOLD_PICKED_UP = "told_picked_up", _("Somebody has it")
    TOLD_MOVING = "told_moving", _("Product is moving")
    TOLD_CLOSED = "told_closed", _("Closed")
    TOLD_REOPENED = "told_reopened", _("Came back")
    FALLBACK = "fallback", _("Somebody else could not be reached")


TOKEN_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # noqa: S105 - not a password


def new_token() -> str:
    """Ten characters of a 31-letter alphabet without look-alikes: 49 random bits, short enough for an SMS."""
    return "".join(secrets.choice(TOKEN_ALPHABET) for _unused in range(10))


class NotificationQuerySet(models.QuerySet["Notification"]):
    def with_deliveries(self) -> NotificationQuerySet:
        return self.select_related("person").prefetch_related("deliveries")


class Notification(models.Model):
    """One person is told one thing, once. `key` makes a second one impossible.

    Indexes are few on purpose: rows are written by the thousand, and read by incident, person or token.
    """

    incident = models.ForeignKey(
        Incident, on_delete=models.PROTECT, related_name="notifications", db_index=False
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
        ]
        indexes = [models.Index(fields=["incident", "created_at"], name="notification_of_incident")]

    def __str__(self) -> str:
        return f"{self.person} {self.reason}"


class DeliveryState(models.TextChoices):
    """How far a message got. Sent, delivered and answered are three different things."""

    QUEUED = "queued", _("Waiting")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")
    DROPPED = "dropped", _("Not needed any more")


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
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.state}"


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
