"""What programs read and send about escalation: the next step, what was sent, policies, the preview."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from escalation import policy_diff
from escalation.keys import without_keys
from escalation.models import Clock, Delivery, Notification, Policy
from escalation.steps import CLOCKS, SAFETY
from incidents.models import Category, Flow, Impact, Incident, Severity
from incidents.serializers import IncidentSerializer, MomentField, SpanField, by_code, code_of
from plant.models import Area, Channel, Line, Person, Role, Site, Station
from plant.reachability import Fault, Level
from plant.visibility import may_read_contacts

MINUTE = timedelta(minutes=1)
LONGEST = timedelta(days=90)

WAITS_FOR = _("Why the place does not work before then; empty when it does not wait.")


class PersonBrief(serializers.ModelSerializer[Person]):
    class Meta:
        model = Person
        fields = ["username", "name"]
        read_only_fields = fields


class NextStepSerializer(serializers.Serializer[Any]):
    """The next step of the clock that fires first, with the people it reaches if nothing changes."""

    clock = serializers.ChoiceField(choices=Clock.choices)
    due_at = serializers.DateTimeField()
    roles = serializers.ListField(child=serializers.CharField())
    people = PersonBrief(many=True)
    channels = serializers.ListField(child=serializers.CharField())
    gaps = serializers.ListField(
        child=serializers.CharField(), help_text=_("Where nobody on shift holds the role.")
    )
    state = serializers.CharField(help_text="calm, soon, late, paused")
    waits_for = serializers.CharField(help_text=WAITS_FOR)


class IncidentWithNextStep(IncidentSerializer):
    """`next_steps` in the context: what `ladder.next_steps` found for all rows at once."""

    next_step = serializers.SerializerMethodField()
    report = serializers.SerializerMethodField(help_text=_("The A3 / 8D report on one page, as a PDF."))

    class Meta(IncidentSerializer.Meta):
        fields = [*IncidentSerializer.Meta.fields, "next_step", "report"]
        read_only_fields = fields

    @cached_property
    def _shape_of_a_step(self) -> NextStepSerializer:
        """Made once for all rows: making it costs more than using it."""
        return NextStepSerializer()

    @extend_schema_field(serializers.URLField())
    def get_report(self, incident: Incident) -> str:
        return f"{settings.BASE_URL}{reverse('incident-a3-pdf', args=[incident.number])}"

    @extend_schema_field(NextStepSerializer(allow_null=True))
    def get_next_step(self, incident: Incident) -> Any:
        step = self.context["next_steps"].get(incident.pk)
        return self._shape_of_a_step.to_representation(step) if step else None


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """One attempt, without what answers for its reader. `reader` in the context: who asks.

    What went out in one message with others has that message's state and times, but not its words: they are
    about other things too.
    """

    address = serializers.CharField(
        read_only=True,
        allow_null=True,
        help_text=_(
            "Null unless the reader is from IT, a supervisor, a manager or the person who was written to."
        ),
    )
    others = serializers.IntegerField(
        read_only=True, help_text=_("How many other things were said in the same message.")
    )

    def to_representation(self, instance: Delivery) -> dict[str, Any]:
        shown = super().to_representation(instance.carrier)
        words = dict.fromkeys(("subject", "text"), "") if instance.others else {}
        return {
            **shown,
            **{name: without_keys(shown[name]) for name in ("subject", "text", "provider_ref")},
            **words,
            "address": shown["address"] if self._may_read_address(instance) else None,
            "queued_at": super().to_representation(instance)["queued_at"],
            "others": instance.others,
        }

    def _may_read_address(self, delivery: Delivery) -> bool:
        reader: Person = self.context["reader"]
        return delivery.notification.person_id == reader.pk or may_read_contacts(reader)

    class Meta:
        model = Delivery
        fields = [
            "channel",
            "address",
            "state",
            "attempt",
            "provider",
            "provider_ref",
            "queued_at",
            "sent_at",
            "delivered_at",
            "failed_at",
            "error",
            "subject",
            "text",
            "others",
        ]
        read_only_fields = fields


class NotificationSerializer(serializers.ModelSerializer[Notification]):
    """One person told one thing, and each attempt to reach them. What answers for them stays theirs."""

    person = PersonBrief(read_only=True)
    planned_at = serializers.DateTimeField(
        source="timer.planned_at",
        read_only=True,
        default=None,
        allow_null=True,
        help_text=_("When the step would have been due if the place had worked then."),
    )
    waited_for = serializers.CharField(
        source="timer.waits_for", read_only=True, default="", help_text=_("Why it waited; mostly empty.")
    )
    deliveries = DeliverySerializer(many=True, read_only=True)

    class Meta:
        model = Notification
        fields = [
            "id",
            "person",
            "reason",
            "clock",
            "role",
            "is_urgent",
            "wants_answer",
            "times_asked",
            "ask_again_at",
            "due_at",
            "planned_at",
            "waited_for",
            "created_at",
            "note",
            "answered_at",
            "answer",
            "answered_by_channel",
            "deliveries",
        ]
        read_only_fields = fields


# --- policies ---


class MinutesField(SpanField):
    """Whole minutes as ISO 8601, kept as a number of minutes."""

    def __init__(self, **kwargs: Any):
        super().__init__(min_value=timedelta(0), max_value=LONGEST, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        length = super().run_validation(data)
        if not isinstance(length, timedelta):
            return length
        if length % MINUTE:
            raise serializers.ValidationError(_("Give whole minutes, like PT15M."), code="not_minutes")
        return length // MINUTE

    def to_representation(self, value: int) -> str:  # type: ignore[override]
        return super().to_representation(timedelta(minutes=value))


class StepSerializer(serializers.Serializer[Any]):
    after = MinutesField(help_text=_("Since the clock started."))
    roles = serializers.ListField(child=serializers.CharField(max_length=24), required=False)
    people = serializers.ListField(
        child=serializers.CharField(max_length=150), required=False, help_text=_("Usernames.")
    )
    channels = serializers.ListField(child=serializers.ChoiceField(choices=Channel.choices))
    repeat = MinutesField(required=False, allow_null=True)
    answer = serializers.BooleanField(
        required=False,
        help_text=_("Each is asked to say “I’ve seen it”, and asked again three times while they do not."),
    )

    def to_representation(self, instance: Mapping[str, Any]) -> dict[str, Any]:
        whole = {"roles": [], "people": [], "repeat": None, "answer": False, **instance}
        return dict(super().to_representation(whole))


class ClocksSerializer(serializers.Serializer[Any]):
    """The four ladders, and who is told at once about safety."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {name: StepSerializer(many=True, required=False) for name in (*CLOCKS, SAFETY)}

    def to_representation(self, instance: Mapping[str, Any]) -> dict[str, Any]:
        return dict(super().to_representation({name: instance.get(name) or [] for name in (*CLOCKS, SAFETY)}))


class PolicySerializer(serializers.ModelSerializer[Policy]):
    site = code_of("site.code")
    area = code_of("area.code")
    category = code_of("category.code")
    published_by = code_of("published_by.username")
    withdrawn_by = code_of("withdrawn_by.username")
    clocks = ClocksSerializer(read_only=True)

    class Meta:
        model = Policy
        fields = [
            "id",
            "severity",
            "site",
            "area",
            "category",
            "version",
            "is_current",
            "published_at",
            "published_by",
            "why",
            "withdrawn_at",
            "withdrawn_by",
            "withdrawn_why",
            "clocks",
        ]
        read_only_fields = fields


class PublishInput(serializers.Serializer[Any]):
    severity = serializers.ChoiceField(choices=Severity.choices)
    site = by_code(Site.objects.all(), required=False, allow_null=True)
    area = by_code(Area.objects.select_related("site"), required=False, allow_null=True)
    category = by_code(Category.objects.all(), required=False, allow_null=True)
    why = serializers.CharField(max_length=300)
    clocks = ClocksSerializer()
    seen_version = serializers.IntegerField(
        min_value=0,
        max_value=1_000_000,
        required=False,
        help_text=_("The version in force there when you began, 0 for none. Another one by now is a 409."),
    )


class WithdrawInput(serializers.Serializer[Any]):
    why = serializers.CharField(max_length=300)
    seen_version = serializers.IntegerField(
        min_value=0,
        max_value=1_000_000,
        required=False,
        help_text=_("The version in force there when you began. Another one by now is a 409."),
    )


class DiffInput(serializers.Serializer[Any]):
    since = serializers.IntegerField(
        min_value=1,
        max_value=1_000_000,
        required=False,
        help_text=_("An earlier version of the same policy; the one before when not given."),
    )


class ChangeSerializer(serializers.Serializer[Any]):
    """One step that differs, in words."""

    clock = serializers.CharField()
    kind = serializers.ChoiceField(choices=[kind.value for kind in policy_diff.Kind])
    sentence = serializers.CharField()
    details = serializers.ListField(child=serializers.CharField())


# --- preview ---


class PreviewInput(serializers.Serializer[Any]):
    station = by_code(Station.objects.select_related("line__area__site"), required=False)
    line = by_code(Line.objects.select_related("area__site"), required=False)
    area = by_code(Area.objects.select_related("site"), required=False)
    site = by_code(Site.objects.all(), required=False)
    category = by_code(Category.objects.all(), required=False)
    impact = serializers.ChoiceField(choices=Impact.choices)
    flow = serializers.ChoiceField(choices=Flow.choices, required=False)
    at = MomentField(required=False, help_text=_("Now when not given."))


class PreviewPersonSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(source="person.username")
    name = serializers.CharField(source="person.name")
    role = serializers.CharField(help_text=", ".join(Role.values))
    channels = serializers.ListField(child=serializers.CharField())
    wants_answer = serializers.BooleanField(help_text=_("Whether they are asked to answer."))


class PreviewStepSerializer(serializers.Serializer[Any]):
    clock = serializers.ChoiceField(choices=Clock.choices)
    step = serializers.IntegerField()
    after = serializers.SerializerMethodField()
    at = serializers.DateTimeField(help_text=_("When it goes out."))
    due_at = serializers.DateTimeField(
        help_text=_("When it is due; later than `at` where nobody below is on shift.")
    )
    roles = serializers.ListField(child=serializers.CharField())
    people = PreviewPersonSerializer(many=True)
    channels = serializers.ListField(child=serializers.CharField())
    gaps = serializers.ListField(child=serializers.CharField())
    goes_up = serializers.BooleanField()
    is_repeat = serializers.BooleanField()
    waits_for = serializers.CharField(help_text=WAITS_FOR)

    @extend_schema_field(SpanField())
    def get_after(self, step: Any) -> str:
        return str(SpanField().to_representation(step.at - self.context["at"]))


class PreviewSerializer(serializers.Serializer[Any]):
    severity = serializers.ChoiceField(choices=Severity.choices)
    place = serializers.CharField()
    at = serializers.DateTimeField()
    told_at_once = PreviewPersonSerializer(many=True)
    steps = PreviewStepSerializer(many=True)


# --- who can be reached ---


class ReachInput(serializers.Serializer[Any]):
    site = by_code(Site.objects.all(), required=False, help_text=_("Your own site when not given."))


class FaultSerializer(serializers.Serializer[Any]):
    code = serializers.ChoiceField(choices=Fault.choices, source="value")
    level = serializers.ChoiceField(choices=Level.choices)
    what = serializers.CharField(source="label")
    to_do = serializers.CharField()


class JudgedSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(source="person.username")
    name = serializers.CharField(source="person.name")
    roles = serializers.SerializerMethodField()
    level = serializers.ChoiceField(
        choices=Level.choices, allow_null=True, help_text=_("Null when all is well.")
    )
    faults = FaultSerializer(many=True)

    def get_roles(self, judged: Any) -> list[str]:
        return [role for role in Role.values if role in judged.standing.roles]


class WaySerializer(serializers.Serializer[Any]):
    channel = serializers.ChoiceField(choices=["sms", "email"])
    is_up = serializers.BooleanField()
    down_since = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField()


class ReachSerializer(serializers.Serializer[Any]):
    """Everybody whom a duty or a policy could call about the site, those with errors first."""

    site = serializers.CharField(source="site.code")
    at = serializers.DateTimeField()
    ways = WaySerializer(many=True)
    people = JudgedSerializer(many=True, source="judged")
