"""A promise and the dates it had before."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from countermeasures.promises import rules
from incidents.models import Incident
from plant.models import Area, Person, Site


class PromiseKind(models.TextChoices):
    """What is promised."""

    FIX = "fix", _("Countermeasure")
    CHECK = "check", _("Check")
    BANDAGE = "bandage", _("Bandage")
    WHERE_ELSE = "where_else", _("Where else")
    WAITING = "waiting", _("Waits on")
    REVIEW = "review", _("Review")


class Outcome(models.TextChoices):
    OPEN = rules.OPEN, _("Open")
    KEPT = rules.KEPT, _("Kept on the first date")
    KEPT_BY_AGREEMENT = rules.KEPT_BY_AGREEMENT, _("Kept, new date agreed in time")
    LATE = rules.LATE, _("Finished late")
    WITHDRAWN = rules.WITHDRAWN, _("Withdrawn")


class InTheWay(models.TextChoices):
    """What was in the way of a date: short, so that it can be counted. None of them is a person."""

    PART = "part", _("A part or a delivery")
    VENDOR = "vendor", _("A vendor or another team")
    WINDOW = "window", _("No quiet time on the line")
    URGENT = "urgent", _("Something urgent came first")
    LOAD = "load", _("Too much at once")
    BIGGER = "bigger", _("Bigger than thought")
    UNCLEAR = "unclear", _("Not clear what was wanted")
    OTHER = "other", _("Something else")


SHOWN_IN_A_LINE = (
    *("kind", "what", "due_at", "due_on", "moved", "outcome", "in_the_way", "in_the_way_words"),
    *("person__name", "person__username", "given_to__name", "given_to__username", "incident__number"),
    *("incident__waiting_name", "incident__waiting_until"),
)


class PromiseQuerySet(models.QuerySet["Promise"]):
    def open(self) -> PromiseQuerySet:
        return self.filter(outcome=Outcome.OPEN)

    def ended(self) -> PromiseQuerySet:
        return self.exclude(outcome__in=(Outcome.OPEN, Outcome.WITHDRAWN))

    def passed(self, now: datetime) -> PromiseQuerySet:
        """Open, and the date is over."""
        return self.open().filter(due_at__lte=now)

    def lately(self, since: datetime) -> PromiseQuerySet:
        """What is open, and what has ended since then."""
        return self.filter(Q(ended_at=None) | Q(ended_at__gt=since))

    def due_within(self, span: timedelta, now: datetime) -> PromiseQuerySet:
        return self.open().filter(due_at__gt=now, due_at__lte=now + span)

    def of(self, person: Person) -> PromiseQuerySet:
        return self.filter(person=person)

    def with_people(self) -> PromiseQuerySet:
        return self.select_related("person", "given_to", "site", "area", "incident", "countermeasure")

    def for_ledger(self) -> PromiseQuerySet:
        """With what a line of the ledger shows, and nothing else: four wide tables meet here."""
        return self.select_related("person", "given_to", "incident").only(*SHOWN_IN_A_LINE)


class Promise(models.Model):
    """What somebody said would be done, to whom, and by when.

    `subject` names the one thing that it is about (`fix:12`, `bandage:12`, `review:7`), whatever table that
    is in: one open promise each. `due_on` is given when a day was promised; then `due_at` is its end.
    """

    kind = models.CharField(_("kind"), max_length=12, choices=PromiseKind.choices)
    subject = models.CharField(max_length=60)
    incident = models.ForeignKey(
        Incident, null=True, blank=True, on_delete=models.PROTECT, related_name="promises"
    )
    countermeasure = models.ForeignKey(
        "countermeasures.Countermeasure",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="promises",
    )
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    area = models.ForeignKey(Area, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    what = models.CharField(_("what"), max_length=300)
    person = models.ForeignKey(
        Person, verbose_name=_("by whom"), on_delete=models.PROTECT, related_name="promises"
    )
    given_to = models.ForeignKey(
        Person, verbose_name=_("to whom"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    given_at = models.DateTimeField(_("promised"))
    first_due_at = models.DateTimeField(_("first date"))
    due_at = models.DateTimeField(_("by when"))
    due_on = models.DateField(_("by which day"), null=True, blank=True)
    moved = models.PositiveSmallIntegerField(_("how often a later date was agreed"), default=0)
    slipped = models.BooleanField(_("a date passed before a new one was agreed"), default=False)
    outcome = models.CharField(_("outcome"), max_length=18, choices=Outcome.choices, default=Outcome.OPEN)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    in_the_way = models.CharField(
        _("what is in the way"), max_length=10, choices=InTheWay.choices, blank=True
    )
    in_the_way_words = models.CharField(_("in words"), max_length=300, blank=True)
    chased_from = models.DateTimeField(help_text=_("Nothing is asked for what lies before this."))
    is_unread = models.BooleanField(default=True, help_text=_("It changed since the engine last planned it."))

    objects = PromiseQuerySet.as_manager()

    class Meta:
        ordering = ["due_at", "id"]
        verbose_name = _("promise")
        verbose_name_plural = _("promises")
        constraints = [
            models.UniqueConstraint(
                fields=["subject"], condition=Q(outcome="open"), name="one_open_promise_each"
            ),
            models.CheckConstraint(
                condition=Q(outcome="open", ended_at=None) | (~Q(outcome="open") & Q(ended_at__isnull=False)),
                name="ended_promise_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="kept") | Q(moved=0, slipped=False), name="kept_on_the_first_date"
            ),
        ]
        indexes = [
            models.Index(fields=["site", "due_at", "id"], condition=Q(outcome="open"), name="promise_open"),
            models.Index(fields=["person", "due_at"], condition=Q(outcome="open"), name="promise_of_person"),
            models.Index(fields=["site", "ended_at"], name="promise_lately"),
            models.Index(
                fields=["site", "person", "-due_at", "-id"],
                condition=~Q(outcome="withdrawn"),
                name="promise_last",
            ),
            models.Index(fields=["id"], condition=Q(is_unread=True), name="promise_unread"),
        ]

    def __str__(self) -> str:
        return self.what

    @property
    def is_open(self) -> bool:
        return self.outcome == Outcome.OPEN

    def has_passed(self, now: datetime | None = None) -> bool:
        return self.is_open and self.due_at <= (now or timezone.now())

    @property
    def waits_on(self) -> str:
        """Whom or what its incident waits on while it is open: "Box label vendor"; empty when on nobody.

        The promise to look after the waiting itself says so by its kind. Reads `incident`.
        """
        return self.incident.waiting_name if self._waits and self.incident is not None else ""

    @property
    def waits_until(self) -> datetime | None:
        """When that was promised for."""
        return self.incident.waiting_until if self._waits and self.incident is not None else None

    @property
    def _waits(self) -> bool:
        if not self.is_open or self.incident is None or self.kind == PromiseKind.WAITING:
            return False
        return self.incident.waiting_until is not None


class PromiseChange(models.Model):
    """One new date or one new person, with the reason; the database lets nobody change it."""

    promise = models.ForeignKey(Promise, on_delete=models.PROTECT, related_name="changes")
    at = models.DateTimeField()
    by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    was_due_at = models.DateTimeField()
    due_at = models.DateTimeField()
    was_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    after_due = models.BooleanField(_("agreed after the old date had passed"))
    reason = models.CharField(_("why"), max_length=300, blank=True)

    class Meta:
        ordering = ["at", "id"]
        verbose_name = _("change of a promise")
        verbose_name_plural = _("changes of promises")

    def __str__(self) -> str:
        return f"{self.promise_id} {self.due_at:%Y-%m-%d}"
