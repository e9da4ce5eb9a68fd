"""What we do so that it stays fixed, and the check that proves it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from countermeasures.models.cause import Cause
from countermeasures.models.terms import LIVE, SHIFT_STARTS, STRONG_ENOUGH, Kind, Stage, Strength
from incidents.models import Impact, Incident, Photo, Severity, Status
from opsdesk.errors import Missing
from plant.models import Person, System
from plant.models.labels import label_of

_NOT_COUNTING = (Stage.WITHDRAWN, Stage.NOT_EFFECTIVE)


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is missing before an incident may close, and the address where it is done.

    `short` says it in few words, as in a text message; `what`: the countermeasure that it is about.
    """

    sentence: str
    address: str
    short: str = ""
    what: str = ""


SHOWN_ON_A_CARD = (
    *("owner__name", "owner__username", "checker__name", "checker__username"),
    *("checked_by__name", "checked_by__username", "incident__site", "incident__area"),
    *("incident__number", "incident__version", "incident__status", "incident__severity", "incident__impact"),
    *("incident__is_drill", "incident__reopen_count", "incident__repeat_of"),
    *("incident__times_in_30_days", "incident__times_in_90_days"),
)
"""Of the tables beside its own."""


class CountermeasureQuerySet(models.QuerySet["Countermeasure"]):
    def with_people(self) -> CountermeasureQuerySet:
        return self.select_related("owner", "checker", "checked_by", "waived_by")

    def for_cards(self) -> CountermeasureQuerySet:
        """With everything a card shows and its buttons ask about, and no more: six wide tables meet here."""
        own = [column.name for column in self.model._meta.concrete_fields]
        people = self.select_related("owner", "checker", "checked_by")
        return people.select_related("incident__site", "incident__area").only(*own, *SHOWN_ON_A_CARD)

    def with_measurements(self) -> CountermeasureQuerySet:
        """With `logged`: how many lines its measurement log has."""
        return self.annotate(logged=models.Count("measurements"))

    def live(self) -> CountermeasureQuerySet:
        return self.filter(stage__in=LIVE)

    def counting(self) -> CountermeasureQuerySet:
        """Those that decide whether an incident may close: withdrawn and failed ones do not."""
        return self.exclude(stage__in=_NOT_COUNTING)

    def containment(self) -> CountermeasureQuerySet:
        return self.filter(kind=Kind.CONTAINMENT)

    def permanent(self) -> CountermeasureQuerySet:
        return self.filter(kind=Kind.PERMANENT)

    def in_place(self) -> CountermeasureQuerySet:
        return self.filter(stage__in=[Stage.IN_PLACE, Stage.CHECKING, Stage.EFFECTIVE])

    def gaps(self, incident: Incident) -> list[Gap]:
        """What is missing before closing, each with where it is done: what stands first is done first."""
        counting = [c for c in self.filter(incident=incident).with_people() if c.stage not in _NOT_COUNTING]
        found = [gap for one in counting if (gap := one.gap()) is not None]
        if not any(c.kind == Kind.PERMANENT for c in counting):
            add = reverse("countermeasure-add", args=[incident.number])
            sentence = _("A countermeasure that stops it coming back is missing.")
            found.insert(0, Gap(str(sentence), add, gettext("a lasting fix")))
        cause = Cause.objects.filter(incident=incident).first()
        why = reverse("cause", args=[incident.number])
        if cause is None or not cause.root_cause.strip():
            sentence = _("Why it happened is not written yet.")
            found.append(Gap(str(sentence), why, gettext("why it happened")))
        if cause is None or not cause.escape_cause.strip():
            sentence = _("Why nothing caught it is not written yet.")
            found.append(Gap(str(sentence), why, gettext("why not caught")))
        return found

    def worn(self) -> CountermeasureQuerySet:
        """Bandages that are still on."""
        return self.containment().filter(removed_at=None).exclude(stage=Stage.WITHDRAWN)

    def expired(self, today: date) -> CountermeasureQuerySet:
        return self.worn().filter(expires_on__lt=today)

    def locked(self, pk: int) -> Countermeasure:
        """The countermeasure with its incident row locked first: the incident is the lock of its family.

        Raises Missing when there is no such countermeasure.
        """
        number = self.filter(pk=pk).values_list("incident__number", flat=True).first()
        if number is None:
            raise Missing("unknown_countermeasure", _("There is no such countermeasure."))
        incident = Incident.objects.locked(number)
        found = self.with_people().get(pk=pk)
        found.incident = incident
        return found


class Countermeasure(models.Model):
    """One thing we do about an incident, who does it, by when, and how we will know that it works."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="countermeasures")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    stage = models.CharField(_("status"), max_length=16, choices=Stage.choices, default=Stage.PLANNED)
    what = models.CharField(_("what we do"), max_length=300)
    owner = models.ForeignKey(
        Person,
        verbose_name=_("owner"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="countermeasures_owned",
    )
    due_on = models.DateField(_("promised for"), null=True, blank=True)
    system = models.ForeignKey(
        System,
        verbose_name=_("system it is about"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    strength = models.CharField(_("strength"), max_length=12, choices=Strength.choices, blank=True)
    waived_by = models.ForeignKey(
        Person,
        verbose_name=_("strength waived by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    waived_reason = models.CharField(_("why a weaker one is enough"), max_length=300, blank=True)

    expires_on = models.DateField(_("good until"), null=True, blank=True)
    removed_at = models.DateTimeField(_("taken off"), null=True, blank=True)
    removed_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    evidence = models.TextField(_("evidence that it is in place"), blank=True)
    photos = models.ManyToManyField(
        Photo, verbose_name=_("photos as evidence"), blank=True, related_name="countermeasures"
    )
    in_place_at = models.DateTimeField(_("in place since"), null=True, blank=True)

    placed_by = models.ForeignKey(
        Person,
        verbose_name=_("put in place by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )

    metric = models.CharField(_("what we measure"), max_length=200, blank=True)
    baseline = models.CharField(_("how it was before"), max_length=120, blank=True)
    target = models.CharField(_("what we want to see"), max_length=120, blank=True)
    window_days = models.PositiveSmallIntegerField(_("days it must hold"), null=True, blank=True)
    window_exposure = models.PositiveIntegerField(_("times it must hold"), null=True, blank=True)
    exposure_unit = models.CharField(_("times of what"), max_length=60, blank=True)
    exposed = models.PositiveIntegerField(
        _("times it has held"),
        default=0,
        db_default=0,
        help_text=_("Counted at each shift start, or from the measurements; counted anew before a sign-off."),
    )
    checker = models.ForeignKey(
        Person,
        verbose_name=_("checked by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="countermeasures_to_check",
    )
    checking_from = models.DateTimeField(_("being proved since"), null=True, blank=True)
    checked_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True)
    measured = models.CharField(_("what was measured"), max_length=300, blank=True)

    created_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = CountermeasureQuerySet.as_manager()

    class Meta:
        ordering = ["incident", "id"]
        verbose_name = _("countermeasure")
        verbose_name_plural = _("countermeasures")
        constraints = [
            models.CheckConstraint(
                condition=Q(checker=None) | Q(owner=None) | ~Q(checker=F("owner")),
                name="checker_is_never_the_owner",
            ),
            models.CheckConstraint(
                condition=Q(checked_by=None) | Q(owner=None) | ~Q(checked_by=F("owner")),
                name="checked_by_never_the_owner",
            ),
            models.CheckConstraint(
                condition=Q(checker=None) | Q(placed_by=None) | ~Q(checker=F("placed_by")),
                name="checker_did_not_place_it",
            ),
            models.CheckConstraint(
                condition=Q(checked_by=None) | Q(placed_by=None) | ~Q(checked_by=F("placed_by")),
                name="checked_by_did_not_place_it",
            ),
            models.CheckConstraint(
                condition=~Q(kind="containment") | Q(expires_on__isnull=False),
                name="containment_expires",
            ),
            models.CheckConstraint(
                condition=~Q(stage__in=["in_place", "checking", "effective"])
                | (Q(in_place_at__isnull=False, owner__isnull=False) & ~Q(evidence="")),
                name="in_place_has_evidence",
            ),
            models.CheckConstraint(
                condition=~Q(stage="checking")
                | (
                    Q(
                        checker__isnull=False,
                        checking_from__isnull=False,
                        window_days__isnull=False,
                    )
                    & ~Q(metric="")
                    & ~Q(target="")
                ),
                name="checking_has_a_plan",
            ),
            models.CheckConstraint(
                condition=~Q(stage="effective", kind="permanent")
                | Q(checked_by__isnull=False, checked_at__isnull=False),
                name="effective_was_checked",
            ),
            models.CheckConstraint(
                condition=Q(waived_by=None) | ~Q(waived_reason=""),
                name="waiver_has_a_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_on"],
                condition=Q(stage__in=LIVE),
                name="countermeasure_live_due",
            ),
            models.Index(
                fields=["expires_on"],
                condition=Q(kind="containment", removed_at=None),
                name="bandage_expiry",
            ),
            models.Index(
                fields=["stage", "due_on"],
                condition=Q(
                    stage__in=["planned", "in_work", "not_effective", "in_place", "checking"], removed_at=None
                ),
                name="countermeasure_board",
            ),
            models.Index(
                fields=["-checked_at"],
                condition=Q(stage="effective"),
                name="countermeasure_proven",
            ),
        ]

    get_kind_display = label_of("kind", Kind)
    get_stage_display = label_of("stage", Stage)

    def __str__(self) -> str:
        return self.what

    def get_absolute_url(self) -> str:
        return reverse("countermeasure", args=[self.pk])

    @property
    def is_planned_check_complete(self) -> bool:
        return bool(self.metric and self.target and self.window_days and self.checker_id)

    @property
    def proved_on(self) -> date | None:
        """Local date on which the window is over."""
        if self.checking_from is None or self.window_days is None:
            return None
        local = self.checking_from.astimezone(self.incident.site.tz).date()
        return local + timedelta(days=self.window_days)

    def days_proved(self, now: datetime | None = None) -> int:
        """Days of the window that have passed on the plant's calendar; none after a relapse."""
        if self.checking_from is None or self.window_days is None or self.stage == Stage.NOT_EFFECTIVE:
            return 0
        tz = self.incident.site.tz
        end = (self.checked_at or now or timezone.now()).astimezone(tz).date()
        return max(0, min(self.window_days, (end - self.checking_from.astimezone(tz).date()).days))

    @property
    def is_counted_from_shifts(self) -> bool:
        return self.window_exposure is not None and self.exposure_unit == SHIFT_STARTS

    @property
    def times_held(self) -> int:
        """How much of the exposure there was, as last counted; none after a relapse."""
        if self.window_exposure is None or self.stage == Stage.NOT_EFFECTIVE:
            return 0
        return min(self.exposed, self.window_exposure)

    def is_window_over(self, at: datetime, *, exposed: int) -> bool:
        """Both must be reached: the days, and the exposure that was planned (none for what asks for none)."""
        return self.days_proved(at) >= (self.window_days or 0) and exposed >= (self.window_exposure or 0)

    def proof_boxes(self, now: datetime | None = None) -> int:
        """How many of the ten boxes are filled: each is a tenth of the window, of days or of exposure.

        The lower of the two counts: what ran on few shifts is not proved by a quiet month.
        """
        if not self.window_days:
            return 0
        boxes = 10 * self.days_proved(now) // self.window_days
        return min(boxes, 10 * self.times_held // self.window_exposure) if self.window_exposure else boxes

    @property
    def needs_strength(self) -> bool:
        """S1, S2 or something that came back needs `detect_stop` or better; a bandage need not be strong."""
        if self.kind == Kind.CONTAINMENT:
            return False
        incident = self.incident
        came_back = incident.is_repeat or incident.reopen_count > 0
        serious = incident.severity in (Severity.S1, Severity.S2) or incident.impact == Impact.SAFETY
        return serious or came_back

    @property
    def is_strong_enough(self) -> bool:
        return not self.needs_strength or self.strength in STRONG_ENOUGH or self.waived_by_id is not None

    def what_it_lacks(self) -> str:
        """One sentence: what is still missing before its incident may close; empty when nothing is."""
        gap = self.gap()
        return gap.sentence if gap is not None else ""

    def gap(self) -> Gap | None:
        """What is still missing before its incident may close; None when nothing is."""
        if self.kind == Kind.CONTAINMENT:
            lack = None if self.removed_at else (_("The bandage “%(what)s” is still on."), _("bandage off"))
        elif self.stage != Stage.EFFECTIVE:
            lack = _("“%(what)s” is not proved yet."), _("proof")
        elif not self.is_strong_enough:
            lack = (
                _("“%(what)s” is too weak for this: make it stronger, or ask a manager to accept it."),
                _("something stronger"),
            )
        else:
            lack = None
        if lack is None:
            return None
        sentence, short = lack
        return Gap(sentence % {"what": self.what}, self.get_absolute_url(), str(short), self.what)

    @property
    def incident_is_open(self) -> bool:
        return self.incident.status != Status.CLOSED

    @property
    def is_pursued(self) -> bool:
        """Its problem is open, or was closed without a permanent fix while this was promised or being proved:
        then somebody is still asked about it, and has to be able to answer."""
        return self.incident_is_open or self.stage in (Stage.IN_WORK, Stage.CHECKING)
