"""What programs send and read about countermeasures and causes. Shape only; the lifecycle keeps the rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from countermeasures.family_history import History, Tried
from countermeasures.models import (
    Answer,
    Cause,
    Countermeasure,
    Elsewhere,
    Kind,
    Measurement,
    Stage,
    Strength,
)
from countermeasures.promises.models import InTheWay
from countermeasures.suggestions import Suggestion
from countermeasures.where_else import Place, WhereElse
from countermeasures.workarounds import Workaround
from incidents.photos import PhotoField
from incidents.serializers import (
    DayField,
    MomentField,
    ReasonInput,
    Said,
    SpanField,
    by_code,
    code_of,
    person_field,
    span,
)
from plant.models import Station, System

LONGEST_WINDOW = timedelta(days=730)
MOST_TIMES = 1_000_000


class WindowField(SpanField):
    """Whole days, like P30D."""

    def __init__(self, **kwargs: Any):
        super().__init__(min_value=timedelta(days=1), max_value=LONGEST_WINDOW, **kwargs)

    def to_internal_value(self, value: Any) -> timedelta:
        window: timedelta = super().to_internal_value(value)
        if window % timedelta(days=1):
            raise serializers.ValidationError(_("A window is whole days, like P30D."), code="not_days")
        return window


class CheckPlan(serializers.Serializer[Any]):
    """How we will know that it works. `window` is turned into the verbs' `window_days`."""

    baseline = serializers.CharField(required=False, allow_blank=True, max_length=120)
    window = WindowField(required=False, allow_null=True)
    window_exposure = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=MOST_TIMES, help_text=_("Times it must hold.")
    )
    exposure_unit = serializers.CharField(
        required=False, allow_blank=True, max_length=60, help_text=_("Times of what, like shift starts.")
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        window = attrs.pop("window", None)
        return {**attrs, "window_days": window.days} if window else attrs


class AddInput(CheckPlan, Said):
    incident = serializers.CharField(max_length=20, help_text="1042 or INC-1042")
    kind = serializers.ChoiceField(choices=Kind.choices)
    what = serializers.CharField(max_length=300)
    owner = person_field(required=False, allow_null=True)
    due_on = DayField(required=False, allow_null=True)
    strength = serializers.ChoiceField(choices=Strength.choices, required=False, allow_blank=True)
    expires_on = DayField(required=False, allow_null=True)
    metric = serializers.CharField(required=False, allow_blank=True, max_length=200)
    target = serializers.CharField(required=False, allow_blank=True, max_length=120)
    checker = person_field(required=False, allow_null=True)


class PlanCheckInput(CheckPlan, Said):
    metric = serializers.CharField(max_length=200)
    target = serializers.CharField(max_length=120)
    checker = person_field()


class StartInput(Said):
    owner = person_field(required=False, allow_null=True)
    due_on = DayField(required=False, allow_null=True)
    strength = serializers.ChoiceField(choices=Strength.choices, required=False, allow_blank=True)


class PromiseInput(StartInput):
    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=300, help_text=_("Needed for another day.")
    )
    in_the_way = serializers.ChoiceField(choices=InTheWay.choices, required=False, allow_blank=True)


class CheckerInput(Said):
    checker = person_field()


class OwnerInput(Said):
    owner = person_field()


class StrengthInput(Said):
    strength = serializers.ChoiceField(choices=Strength.choices)


class InPlaceInput(Said):
    """As JSON, or as a form (multipart) when a photo comes with it."""

    evidence = serializers.CharField(max_length=2000)
    photo = serializers.ImageField(
        _DjangoImageField=PhotoField,
        required=False,
        help_text=_("JPEG, PNG or WebP of at most 8 MB; sent as multipart/form-data."),
    )


class CheckInput(Said):
    effective = serializers.BooleanField()
    measured = serializers.CharField(max_length=300)


class MeasureInput(Said):
    value = serializers.DecimalField(
        max_digits=12, decimal_places=3, required=False, allow_null=True, coerce_to_string=False
    )
    unit = serializers.CharField(required=False, allow_blank=True, max_length=30)
    times = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=MOST_TIMES,
        help_text=_("Since the one before."),
    )
    note = serializers.CharField(required=False, allow_blank=True, max_length=300)
    at = MomentField(required=False, allow_null=True, help_text=_("When it was measured; now if left out."))


class MeasurementSerializer(serializers.ModelSerializer[Measurement]):
    """One line of the measurement log."""

    value = serializers.DecimalField(max_digits=12, decimal_places=3, coerce_to_string=False, read_only=True)
    by = code_of("by.username")

    class Meta:
        model = Measurement
        fields = ["id", "at", "value", "unit", "times", "note", "by"]
        read_only_fields = fields


class ExtendInput(ReasonInput):
    expires_on = DayField()


class CauseInput(Said):
    root_cause = serializers.CharField(required=False, allow_blank=True, max_length=4000, default="")
    escape_cause = serializers.CharField(required=False, allow_blank=True, max_length=4000, default="")
    five_whys = serializers.ListField(
        child=serializers.CharField(allow_blank=True, max_length=500), required=False, max_length=10
    )
    is_person = serializers.BooleanField(
        required=False, allow_null=True, help_text=_("A person is the cause; then `made_easy` is needed.")
    )
    made_easy = serializers.CharField(required=False, allow_blank=True, max_length=1000)
    would_stop = serializers.CharField(required=False, allow_blank=True, max_length=1000)


class CauseSerializer(serializers.ModelSerializer[Cause]):
    written_by = code_of("written_by.username")

    class Meta:
        model = Cause
        fields = [
            "root_cause",
            "escape_cause",
            "five_whys",
            "is_person",
            "made_easy",
            "would_stop",
            "written_by",
            "written_at",
        ]
        read_only_fields = fields


class CountermeasureSerializer(serializers.ModelSerializer[Countermeasure]):
    """One countermeasure. `version` is its incident's: send it back as `seen_version`."""

    incident = serializers.IntegerField(source="incident.number", read_only=True)
    version = serializers.IntegerField(source="incident.version", read_only=True)
    status = serializers.ChoiceField(source="stage", choices=Stage.choices, read_only=True)
    owner = code_of("owner.username")
    owner_name = code_of("owner.name")
    waived_by = code_of("waived_by.username")
    removed_by = code_of("removed_by.username")
    checker = code_of("checker.username")
    checked_by = code_of("checked_by.username")
    placed_by = code_of("placed_by.username")
    created_by = code_of("created_by.username")
    window = serializers.SerializerMethodField()
    held_for = serializers.SerializerMethodField(help_text=_("How much of the window has passed."))
    times_held = serializers.IntegerField(
        read_only=True, help_text=_("How much of the exposure there was, as last counted.")
    )
    proved_on = serializers.DateField(read_only=True, help_text=_("The day on which the window is over."))
    lacks = serializers.SerializerMethodField(help_text=_("What is missing before the incident may close."))

    class Meta:
        model = Countermeasure
        fields = [
            "id",
            "incident",
            "version",
            "kind",
            "status",
            "what",
            "owner",
            "owner_name",
            "due_on",
            "strength",
            "waived_by",
            "waived_reason",
            "expires_on",
            "removed_at",
            "removed_by",
            "evidence",
            "in_place_at",
            "placed_by",
            "metric",
            "baseline",
            "target",
            "window",
            "window_exposure",
            "exposure_unit",
            "held_for",
            "times_held",
            "proved_on",
            "checker",
            "checking_from",
            "checked_by",
            "checked_at",
            "measured",
            "lacks",
            "created_by",
            "created_at",
        ]
        read_only_fields = fields

    @extend_schema_field(SpanField(allow_null=True))
    def get_window(self, found: Countermeasure) -> str | None:
        return span(timedelta(days=found.window_days)) if found.window_days else None

    @extend_schema_field(SpanField())
    def get_held_for(self, found: Countermeasure) -> str:
        return span(timedelta(days=found.days_proved(self.context.get("now") or timezone.now())))

    def get_lacks(self, found: Countermeasure) -> str:
        return str(found.what_it_lacks())


# --- what is known of the same, before ----------------------------------------------------------------------


class SuggestionSerializer(serializers.Serializer[Suggestion]):
    incident = serializers.IntegerField(source="incident.number")
    root_cause = serializers.CharField()
    escape_cause = serializers.CharField()
    five_whys = serializers.ListField(child=serializers.CharField())
    held = serializers.CharField(help_text=_("What was done about it and proved."))
    is_family = serializers.BooleanField(help_text=_("The same kind of trouble at the same place."))


class WorkaroundSerializer(serializers.Serializer[Workaround]):
    what = serializers.CharField()
    system = code_of("system.code", help_text=_("Set for the standing workaround of a system."))
    incident = serializers.IntegerField(source="incident.number", default=None, allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    after = SpanField(allow_null=True, help_text=_("From raised until product moved, the last time."))
    times = serializers.IntegerField(help_text=_("How often it got product moving."))


class TriedSerializer(serializers.Serializer[Tried]):
    countermeasure = CountermeasureSerializer()
    held = serializers.BooleanField()
    is_in_question = serializers.BooleanField()
    came_again = serializers.IntegerField(source="came_again.number", default=None, allow_null=True)


class FamilyCauseSerializer(serializers.Serializer[Cause]):
    incident = serializers.IntegerField(source="incident.number")
    root_cause = serializers.CharField()
    escape_cause = serializers.CharField()


class FamilySerializer(serializers.Serializer[History]):
    key = serializers.CharField(source="family.key")
    category = serializers.CharField(source="family.category.code")
    site = serializers.CharField(source="family.site.code")
    station = code_of("family.station.code")
    system = code_of("family.system.code")
    days_30 = serializers.IntegerField(source="how_often.days_30")
    days_90 = serializers.IntegerField(source="how_often.days_90")
    incidents = serializers.SerializerMethodField(help_text=_("Numbers, newest first, 50 at most."))
    causes = FamilyCauseSerializer(many=True)
    tried = TriedSerializer(many=True)

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def get_incidents(self, known: History) -> list[int]:
        return [incident.number for incident in known.incidents]


# --- where else ---------------------------------------------------------------------------------------------


class SystemInput(Said):
    system = by_code(System.objects.all())


class ElsewhereInput(Said):
    station = by_code(Station.objects.select_related("line__area__site"))
    answer = serializers.ChoiceField(choices=Answer.choices)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=300)
    evidence = serializers.CharField(required=False, allow_blank=True, max_length=300)
    owner = person_field(required=False, allow_null=True)
    due_on = DayField(required=False, allow_null=True)


class BeforeSerializer(serializers.Serializer[Elsewhere]):
    """What was found there for an earlier fix of the same incident."""

    countermeasure = serializers.IntegerField(source="countermeasure_id")
    what = serializers.CharField(source="countermeasure.what")
    answer = serializers.CharField()
    reason = serializers.CharField()
    evidence = serializers.CharField()


class PlaceSerializer(serializers.Serializer[Place]):
    station = serializers.CharField(source="station.code")
    name = serializers.CharField(source="station.name")
    line = serializers.CharField(source="station.line.code")
    site = serializers.CharField(source="station.line.area.site.code")
    answer = code_of("answer.answer")
    reason = code_of("answer.reason")
    evidence = code_of("answer.evidence")
    owner = code_of("answer.owner.username")
    due_on = serializers.DateField(source="answer.due_on", default=None, allow_null=True)
    answered_by = code_of("answer.answered_by.username")
    answered_at = serializers.DateTimeField(source="answer.answered_at", default=None, allow_null=True)
    before = BeforeSerializer(allow_null=True)


class WhereElseSerializer(serializers.Serializer[WhereElse]):
    system = code_of("system.code", help_text=_("Empty until one of several is chosen."))
    choices = serializers.SerializerMethodField(help_text=_("Systems used where it happened."))
    settled = serializers.IntegerField(source="progress.settled")
    to_do = serializers.IntegerField(source="progress.to_do")
    total = serializers.IntegerField(source="progress.total")
    hidden = serializers.IntegerField(help_text=_("Stations at sites that you do not see."))
    places = PlaceSerializer(many=True)

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_choices(self, asked: WhereElse) -> list[str]:
        return [system.code for system in asked.choices]
