"""How far each incident has come on its ladder: a timer is a row, nothing else remembers it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from escalation.models.policy import Clock, Policy
from incidents.models import Incident, Severity


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
    planned_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When it would be due if the place worked then.")
    )
    waits_for = models.CharField(
        max_length=120,
        blank=True,
        db_default="",
        help_text=_("Why the place does not work then: a weekend, a shutdown."),
    )
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
