"""What programs send and read about incidents: shape only, no rules.

The names of what is sent are the verbs' keyword arguments. Places, categories and people travel as their
codes and usernames, in both directions.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, cast

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from incidents import families
from incidents.lifecycle.helping import LONGEST_WORDS
from incidents.models import Category, Downtime, Event, Flow, Impact, Incident, Severity, WaitingOn
from incidents.photos import PhotoField
from incidents.who_helps import UNKNOWN, named
from opsdesk.errors import Invalid
from plant.models import Area, Line, Person, Site, Station, System

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""Times outside are slips of a program; near the ends of the calendar a time zone would overflow."""

LONGEST_CODE_SAID = 60
"""Characters of an unknown code that its refusal repeats."""

WORDS, TECHNICAL = 4000, 20_000
"""Characters of plain words and of technical detail."""


class MomentField(serializers.DateTimeField):
    """A time with its offset, within the lifetime of a plant."""

    def to_internal_value(self, value: Any) -> datetime:
        moment: datetime = super().to_internal_value(value)
        if not EARLIEST <= moment < LATEST:
            raise serializers.ValidationError(_("That time cannot be right."), code="unlikely")
        return moment


class DayField(serializers.DateField):
    """A day by the plant's calendar."""

    def to_internal_value(self, value: Any) -> Any:
        day = super().to_internal_value(value)
        if not EARLIEST.date() <= day < LATEST.date():
            raise serializers.ValidationError(_("That day cannot be right."), code="unlikely")
        return day


def span(length: timedelta) -> str:
    """A length of time as ISO 8601 in whole seconds, never negative: PT15M, P30D, P1DT8H, PT0S."""
    seconds = max(0, int(length.total_seconds()))
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    time = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n)
    said = "P" + (f"{days}D" if days else "") + (f"T{time}" if time else "")
    return said if said != "P" else "PT0S"


@extend_schema_field({"type": "string", "format": "duration", "example": "PT15M"})
class SpanField(serializers.DurationField):
    """A length of time as ISO 8601, like PT15M."""

    def to_representation(self, value: timedelta) -> str:
        return span(value)


class CodeField(serializers.SlugRelatedField[Any]):
    """A row named by its code. What there is not is refused with the word for it and the code that came."""

    default_error_messages = {"does_not_exist": _("There is no {what} “{value}”.")}

    def fail(self, key: str, **said: Any) -> NoReturn:
        rows = cast(QuerySet[Any], self.get_queryset())
        what, value = rows.model._meta.verbose_name, said.get("value", "")
        super().fail(key, what=what, value=Truncator(value).chars(LONGEST_CODE_SAID))


def by_code(queryset: QuerySet[Any], *, slug: str = "code", **kwargs: Any) -> Any:
    """A row named by its code."""
    return CodeField(slug_field=slug, queryset=queryset, **kwargs)


def person_field(**kwargs: Any) -> Any:
    """Somebody named by their username; only people who are active."""
    return by_code(Person.objects.active(), slug="username", **kwargs)


# --- what a verb is told ------------------------------------------------------------------------------------


class Said(serializers.Serializer[Any]):
    """What every verb may be told: the version on the caller's screen, so that a stale one is refused."""

    seen_version = serializers.IntegerField(required=False, allow_null=True, min_value=0)


class RaiseInput(serializers.Serializer[Any]):
    station = by_code(Station.objects.select_related("line__area__site"), required=False, allow_null=True)
    line = by_code(Line.objects.select_related("area__site"), required=False, allow_null=True)
    area = by_code(Area.objects.select_related("site"), required=False, allow_null=True)
    system = by_code(System.objects.select_related("site"), required=False, allow_null=True)
    site = by_code(Site.objects.all(), required=False, allow_null=True)
    category = by_code(Category.objects.all())
    impact = serializers.ChoiceField(choices=Impact.choices)
    title = serializers.CharField(required=False, allow_blank=True, max_length=120)
    words = serializers.CharField(required=False, allow_blank=True, max_length=WORDS)
    technical = serializers.CharField(required=False, allow_blank=True, max_length=TECHNICAL)
    flow = serializers.ChoiceField(choices=Flow.choices, required=False, allow_null=True)
    noticed_at = MomentField(required=False, allow_null=True)
    cover_until = MomentField(required=False, allow_null=True)
    client_id = serializers.UUIDField(required=False, allow_null=True)


class AssignInput(Said):
    to = person_field()


class WordsInput(Said):
    words = serializers.CharField(allow_blank=True, max_length=WORDS)
    technical = serializers.CharField(required=False, allow_blank=True, max_length=TECHNICAL)


class PhotoInput(Said):
    image = serializers.ImageField(_DjangoImageField=PhotoField)
    caption = serializers.CharField(required=False, allow_blank=True, max_length=200)


class UpdateInput(Said):
    conditions = serializers.CharField(max_length=WORDS)
    actions = serializers.CharField(max_length=WORDS)
    needs = serializers.CharField(max_length=WORDS, help_text=_("“No needs” is an answer."))
    technical = serializers.CharField(required=False, allow_blank=True, max_length=TECHNICAL)
    next_update_at = MomentField(required=False, allow_null=True)


class HelperField(serializers.CharField):
    """Somebody who can help, by username, role or vendor code."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        text = super().run_validation(data)
        try:
            return named(text)
        except Invalid as refusal:
            raise serializers.ValidationError(str(refusal), code=refusal.code) from refusal


class HelpInput(Said):
    who = HelperField(max_length=160, help_text=UNKNOWN)
    words = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_WORDS)


class ContainInput(Said):
    what = serializers.CharField(max_length=300)
    expires_on = DayField(required=False, allow_null=True)
    owner = person_field(required=False, allow_null=True)


class CloseInput(Said):
    cause = serializers.CharField(required=False, allow_blank=True, max_length=300)
    agreed_by = person_field(required=False, allow_null=True)


class ReasonInput(Said):
    reason = serializers.CharField(max_length=300)


class SeverityInput(ReasonInput):
    severity = serializers.ChoiceField(choices=Severity.choices)


class WaitInput(Said):
    on = serializers.ChoiceField(choices=WaitingOn.choices)
    name = serializers.CharField(max_length=80)
    until = MomentField()


class ShelveInput(ReasonInput):
    until = MomentField()


class NoFixInput(ReasonInput):
    review_on = DayField()


class LineInput(Said):
    line = by_code(Line.objects.select_related("area"), required=False, allow_null=True)
    at = MomentField(required=False, allow_null=True)


# --- what is read -------------------------------------------------------------------------------------------


def code_of(source: str, **kwargs: Any) -> Any:
    return serializers.CharField(source=source, read_only=True, default=None, allow_null=True, **kwargs)


def number_of(source: str, **kwargs: Any) -> Any:
    return serializers.IntegerField(source=source, read_only=True, default=None, allow_null=True, **kwargs)


class DowntimeSerializer(serializers.ModelSerializer[Downtime]):
    line = code_of("line.code")

    class Meta:
        model = Downtime
        fields = ["line", "started_at", "ended_at"]


class WaitingSerializer(serializers.Serializer[Incident]):
    on = serializers.ChoiceField(source="waiting_on", choices=WaitingOn.choices)
    name = serializers.CharField(source="waiting_name")
    until = serializers.DateTimeField(source="waiting_until")


class PauseSerializer(serializers.Serializer[Incident]):
    by = code_of("shelved_by.username")
    reason = serializers.CharField(source="shelved_reason")
    since = serializers.DateTimeField(source="shelved_at")
    until = serializers.DateTimeField(source="shelved_until")


class RepeatsSerializer(serializers.Serializer[Incident]):
    days_30 = serializers.IntegerField(source="times_in_30_days")
    days_90 = serializers.IntegerField(source="times_in_90_days")


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    """An incident as programs read it. `now` in the context is for the spans."""

    number = serializers.IntegerField(read_only=True)
    code = serializers.CharField(read_only=True)
    url = serializers.SerializerMethodField()
    where = serializers.CharField(read_only=True)
    category = code_of("category.code")
    site = code_of("site.code")
    area = code_of("area.code")
    line = code_of("line.code")
    station = code_of("station.code")
    system = code_of("system.code")
    owner = code_of("owner.username")
    owner_name = code_of("owner.name")
    assigned_to = code_of("assigned_to.username")
    raised_by = code_of("raised_by.username")
    floor_confirmed_by = code_of("floor_confirmed_by.username")
    closed_agreed_by = code_of("closed_agreed_by.username")
    no_fix_accepted_by = code_of("no_fix_accepted_by.username")
    repeat_of = number_of("repeat_of.number", help_text=_("The number of the old one that it repeats."))
    repeats = serializers.SerializerMethodField(
        help_text=_("How many of its family were raised in the 30 and 90 days up to it, itself included.")
    )
    family = serializers.SerializerMethodField(help_text=_("The key of its family, if it has one."))
    waiting = serializers.SerializerMethodField()
    paused = serializers.SerializerMethodField()
    downtimes = DowntimeSerializer(many=True, read_only=True)
    downtime = serializers.SerializerMethodField(
        help_text=_("All stops together, the running one until now.")
    )
    open_for = serializers.SerializerMethodField(help_text=_("From raised until closed, or until now."))

    class Meta:
        model = Incident
        fields = [
            "number",
            "code",
            "url",
            "version",
            "title",
            "status",
            "severity",
            "impact",
            "flow",
            "category",
            "is_drill",
            "site",
            "area",
            "line",
            "station",
            "system",
            "where",
            "owner",
            "owner_name",
            "assigned_to",
            "raised_by",
            "words",
            "technical",
            "noticed_at",
            "raised_at",
            "acknowledged_at",
            "arrived_at",
            "contained_at",
            "resolved_at",
            "closed_at",
            "reopened_at",
            "reopen_count",
            "repeat_of",
            "repeats",
            "family",
            "cover_until",
            "next_update_due",
            "missed_updates",
            "waiting",
            "paused",
            "floor_confirmed_by",
            "floor_confirmed_at",
            "closed_cause",
            "closed_agreed_by",
            "no_fix_accepted_by",
            "no_fix_reason",
            "review_on",
            "downtimes",
            "downtime",
            "open_for",
        ]
        read_only_fields = fields

    @property
    def _now(self) -> datetime:
        return self.context.get("now") or timezone.now()

    @extend_schema_field(RepeatsSerializer)
    def get_repeats(self, incident: Incident) -> Any:
        return RepeatsSerializer(incident).data

    def get_family(self, incident: Incident) -> str | None:
        family = families.of(incident)
        return family.key if family else None

    def get_url(self, incident: Incident) -> str:
        return f"{settings.BASE_URL}{incident.get_absolute_url()}"

    @extend_schema_field(WaitingSerializer(allow_null=True))
    def get_waiting(self, incident: Incident) -> Any:
        return WaitingSerializer(incident).data if incident.waiting_on else None

    @extend_schema_field(PauseSerializer(allow_null=True))
    def get_paused(self, incident: Incident) -> Any:
        return PauseSerializer(incident).data if incident.is_shelved(self._now) else None

    @extend_schema_field(SpanField())
    def get_downtime(self, incident: Incident) -> str:
        stops = [(stop.ended_at or self._now) - stop.started_at for stop in incident.downtimes.all()]
        return span(sum(stops, timedelta()))

    @extend_schema_field(SpanField())
    def get_open_for(self, incident: Incident) -> str:
        return span(incident.open_for(self._now))


class EventSerializer(serializers.ModelSerializer[Event]):
    """One line of the timeline."""

    by = code_of("by.username")
    by_name = code_of("by.name")
    says = serializers.CharField(source="get_kind_display", read_only=True)

    class Meta:
        model = Event
        fields = ["id", "at", "by", "by_name", "kind", "says", "words", "data", "version"]
        read_only_fields = fields
