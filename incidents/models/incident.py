"""The incident: one problem on the floor, from the moment it is raised until its fix is proved."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Func, Q, Value
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incidents.models.always import CONSTRAINTS
from incidents.models.choices import OWN_TROUBLE, Category
from incidents.models.terms import IMPACT_OF, Impact, Severity, Status, WaitingOn
from opsdesk.errors import Missing, Stale
from plant.models import Area, Flow, Line, Person, Site, Station, System
from plant.models.labels import label_of


class IncidentQuerySet(models.QuerySet["Incident"]):
    def open(self) -> IncidentQuerySet:
        return self.exclude(status=Status.CLOSED)

    def on_line(self, line: Line) -> IncidentQuerySet:
        return self.filter(line=line)

    def at_site(self, site: Site) -> IncidentQuerySet:
        return self.filter(site=site)

    def visible_to(self, person: Person) -> IncidentQuerySet:
        """People see the incidents of their sites; corporate roles see all."""
        return self if person.is_corporate else self.filter(site_id__in=person.site_ids)

    def owned_by(self, person: Person) -> IncidentQuerySet:
        return self.filter(Q(owner=person) | Q(assigned_to=person))

    def meant(self) -> IncidentQuerySet:
        """Real trouble: no practice, and no wrong tap that was taken back before anybody had it."""
        return self.filter(is_drill=False).exclude(status=Status.CLOSED, acknowledged_at=None)

    def with_place(self) -> IncidentQuerySet:
        return self.select_related(
            "category",
            "site",
            "area",
            "line",
            "station",
            "system",
            "owner",
            "raised_by",
            "assigned_to",
        )

    def with_shared_places(self) -> IncidentQuerySet:
        """For a long list at one site: what many rows share is read once, and no wide rows are sorted.

        Seven queries more; the site is the caller's.
        """
        return self.prefetch_related(
            "category", "area", "line", "station", "system", "owner", "assigned_to", "shelved_by"
        )

    def by_cover_left(self) -> IncidentQuerySet:
        """What stops product next comes first: safety, then cover left, then severity, then age.

        Where product moves again, its cover no longer runs out: those come last.
        """
        hurts = models.Case(
            models.When(impact=Impact.SAFETY, then=models.Value(0)),
            models.When(status__in=(Status.CONTAINED, Status.RESOLVED), then=models.Value(2)),
            default=models.Value(1),
        )
        return self.order_by(hurts, F("cover_until").asc(nulls_last=True), "severity", "raised_at")

    def locked(self, number: int | str) -> Incident:
        """The incident row, locked until the transaction ends. It is the lock for its whole family.

        Raises Missing when there is no such number.
        """
        # Locked without joins, and read after that: a wait for a lock with joins ends in the new row with the
        # old owner (PostgreSQL looks again at the locked row alone), so `owner` is None beside an `owner_id`.
        found = (
            self.select_for_update().filter(number=parse_number(number)).values_list("pk", flat=True).first()
        )
        if found is None:
            raise Missing("unknown_incident", _("There is no incident %(number)s.") % {"number": number})
        return self.with_place().get(pk=found)

    def numbered(self, number: int | str) -> Incident:
        """The incident with this number (1042 or INC-1042); raises Missing."""
        incident = self.with_place().filter(number=parse_number(number)).first()
        if incident is None:
            raise Missing(
                "unknown_incident",
                _("There is no incident %(number)s.") % {"number": number},
            )
        return incident


def parse_number(number: int | str) -> int:
    """1042 from 1042, "1042" or "INC-1042"; -1, which no incident has, from anything else."""
    text = str(number).upper().removeprefix("INC-")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


class Incident(models.Model):
    """A problem on the floor, its owner, and how it goes."""

    number = models.PositiveIntegerField(
        _("number"),
        unique=True,
        editable=False,
        db_default=Func(
            Value("incident_number"),
            function="nextval",
            output_field=models.PositiveIntegerField(),
        ),
    )
    client_id = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    title = models.CharField(_("title"), max_length=120)
    words = models.TextField(_("in the words of who raised it"), blank=True)
    technical = models.TextField(_("technical detail"), blank=True)
    category = models.ForeignKey(
        Category, verbose_name=_("category"), on_delete=models.PROTECT, related_name="+"
    )
    impact = models.CharField(_("impact"), max_length=12, choices=Impact.choices)
    severity = models.CharField(_("severity"), max_length=2, choices=Severity.choices)
    flow = models.CharField(_("flow"), max_length=16, choices=Flow.choices)
    is_drill = models.BooleanField(_("practice"), default=False)
    # Without a constraint in the database: its check would make a raise wait for whoever holds the old one.
    # Incidents are never deleted, so nothing can be left pointing nowhere.
    repeat_of = models.ForeignKey(
        "self",
        db_constraint=False,
        verbose_name=_("repeat of"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="repeats",
    )
    # Of the same family up to this one, when it was raised: the third time in 30 days stays the third time
    times_in_30_days = models.PositiveSmallIntegerField(default=1, db_default=1, editable=False)
    times_in_90_days = models.PositiveSmallIntegerField(default=1, db_default=1, editable=False)

    site = models.ForeignKey(Site, verbose_name=_("site"), on_delete=models.PROTECT, related_name="incidents")
    area = models.ForeignKey(
        Area,
        verbose_name=_("area"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="incidents",
    )
    line = models.ForeignKey(
        Line,
        verbose_name=_("line"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="incidents",
    )
    station = models.ForeignKey(
        Station,
        verbose_name=_("station"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="incidents",
    )
    system = models.ForeignKey(
        System,
        verbose_name=_("system"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="incidents",
    )

    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.RAISED)
    owner = models.ForeignKey(
        Person,
        verbose_name=_("owner"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="incidents_owned",
    )
    assigned_to = models.ForeignKey(
        Person,
        verbose_name=_("asked to take it"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="incidents_assigned",
    )
    raised_by = models.ForeignKey(
        Person,
        verbose_name=_("raised by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="incidents_raised",
    )

    noticed_at = models.DateTimeField(_("noticed"))
    raised_at = models.DateTimeField(_("raised"))
    clocks_from = models.DateTimeField(
        _("clocks count from"), help_text=_("When it was raised, or last came back.")
    )
    acknowledged_at = models.DateTimeField(_("picked up"), null=True, blank=True)
    arrived_at = models.DateTimeField(_("arrived at the station"), null=True, blank=True)
    contained_at = models.DateTimeField(_("product moving"), null=True, blank=True)
    resolved_at = models.DateTimeField(_("fix in place"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    reopened_at = models.DateTimeField(_("came back"), null=True, blank=True)
    reopen_count = models.PositiveSmallIntegerField(default=0)
    cover_until = models.DateTimeField(
        _("cover until"),
        null=True,
        blank=True,
        help_text=_("When it starts to hurt: the buffer is empty, the truck leaves."),
    )

    next_update_due = models.DateTimeField(_("next word by"), null=True, blank=True)
    # Words in a row that its last owner did not say: set when that cost them the incident, 0 when it is taken
    missed_updates = models.PositiveSmallIntegerField(default=0)

    waiting_on = models.CharField(_("waiting on"), max_length=20, choices=WaitingOn.choices, blank=True)
    waiting_name = models.CharField(_("who or what"), max_length=80, blank=True)
    waiting_until = models.DateTimeField(_("promised for"), null=True, blank=True)

    shelved_by = models.ForeignKey(
        Person,
        verbose_name=_("paused by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    shelved_at = models.DateTimeField(_("paused at"), null=True, blank=True)
    shelved_until = models.DateTimeField(_("paused until"), null=True, blank=True)
    shelved_reason = models.CharField(_("why paused"), max_length=300, blank=True)

    floor_confirmed_by = models.ForeignKey(
        Person,
        verbose_name=_("confirmed by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    floor_confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)

    closed_cause = models.CharField(_("cause, in a sentence"), max_length=300, blank=True)
    closed_agreed_by = models.ForeignKey(
        Person,
        verbose_name=_("agreed by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    no_fix_accepted_by = models.ForeignKey(
        Person,
        verbose_name=_("no permanent fix accepted by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    no_fix_reason = models.CharField(_("why no permanent fix"), max_length=300, blank=True)
    review_on = models.DateField(_("review on"), null=True, blank=True)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        constraints = CONSTRAINTS
        indexes = [
            models.Index(
                fields=["site", "severity", "raised_at"],
                condition=~Q(status=Status.CLOSED),
                name="incident_open",
            ),
            models.Index(
                fields=["owner"],
                condition=~Q(status=Status.CLOSED),
                name="incident_open_owner",
            ),
            models.Index(fields=["line", "-raised_at"], name="incident_line"),
            models.Index(fields=["-raised_at"], name="incident_raised"),
            models.Index(
                fields=["category", "station", "-raised_at"],
                condition=Q(system__isnull=True, is_drill=False),
                name="incident_family",
            ),
            models.Index(
                fields=["system", "category", "site", "-raised_at"],
                condition=Q(system__isnull=False, is_drill=False),
                name="incident_family_system",
            ),
            models.Index(
                fields=["category", "station", "closed_at"],
                condition=Q(system__isnull=True, is_drill=False),
                name="incident_family_closed",
            ),
            models.Index(
                fields=["system", "category", "site", "closed_at"],
                condition=Q(system__isnull=False, is_drill=False),
                name="incident_system_closed",
            ),
            GinIndex(SearchVector("title", "words", config="simple"), name="incident_words"),
        ]

    get_impact_display = label_of("impact", Impact)
    get_status_display = label_of("status", Status)

    def __str__(self) -> str:
        return self.code

    @property
    def code(self) -> str:
        return f"INC-{self.number}"

    def get_absolute_url(self) -> str:
        return reverse("incident", args=[self.number])

    @property
    def place(self) -> Station | Line | Area | Site:
        """The most exact place known."""
        return self.station or self.line or self.area or self.site

    @property
    def where(self) -> str:
        """The place in words, line first: "Door Panel Line D1, Label & pack"."""
        if self.station_id and self.line_id:
            return f"{self.line}, {self.station}"
        return str(
            self.system.plain_name if self.system_id and not self.line_id and self.system else self.place
        )

    @property
    def is_open(self) -> bool:
        return self.status != Status.CLOSED

    @property
    def is_safety(self) -> bool:
        return self.impact == Impact.SAFETY

    @property
    def is_own_trouble(self) -> bool:
        """Whether it is about OpsDesk itself."""
        return self.category.code == OWN_TROUBLE

    @property
    def is_moving(self) -> bool:
        """Product moves again, perhaps on a bandage."""
        return self.status in (Status.CONTAINED, Status.RESOLVED, Status.CLOSED)

    @property
    def is_repeat(self) -> bool:
        """The same trouble as one that was thought to be over."""
        return self.repeat_of_id is not None

    @property
    def times_again(self) -> tuple[int, int] | None:
        """How many times in how many days, for the mark on boards; None for what is here the first time."""
        if self.times_in_30_days > 1:
            return self.times_in_30_days, 30
        if self.times_in_90_days > 1 or self.is_repeat:
            return max(self.times_in_90_days, 2), 90
        return None

    @property
    def is_grey(self) -> bool:
        """Its shape has no colour: colour is for now, not for what moves again, and never for practice."""
        return self.is_moving or self.is_drill

    @property
    def troubled_since(self) -> datetime:
        """Since when product suffers: raised, or came back. Response may count from later: from a lapse."""
        return self.reopened_at or self.raised_at

    @property
    def level(self) -> Impact:
        """The impact whose word and shape are shown: what was raised, or what a floor call made of it."""
        impact = Impact(self.impact)
        return impact if impact.severity == self.severity else IMPACT_OF[Severity(self.severity)]

    @property
    def line_is_stopped(self) -> bool:
        return self.severity == Severity.S1 and not self.is_moving

    def is_shelved(self, now: datetime | None = None) -> bool:
        return self.shelved_until is not None and self.shelved_until > (now or timezone.now())

    def open_for(self, now: datetime | None = None) -> timedelta:
        """Time since it was raised, until closed."""
        return (self.closed_at or now or timezone.now()) - self.raised_at

    def refuse_if_stale(self, seen_version: int | None) -> None:
        """Refuse when the reader acted on an older screen than the incident is now."""
        if seen_version is not None and seen_version != self.version:
            raise Stale(
                _("This changed a moment ago. Read what is new, then do it again. Your words are kept.")
            )
