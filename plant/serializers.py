"""How the plant reads to programs. Places, systems and people travel as their codes and usernames."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from plant.models import (
    Area,
    Cover,
    Crew,
    Line,
    Person,
    RoleAssignment,
    Shift,
    ShiftPattern,
    Site,
    Station,
    System,
    Vendor,
    VendorContact,
)
from plant.visibility import may_read_contacts


def code(source: str, **kwargs: Any) -> Any:
    """The code of a related row, such as the line of a station."""
    return serializers.CharField(source=source, read_only=True, **kwargs)


@extend_schema_field({"type": "string", "format": "duration", "example": "PT15M", "nullable": True})
class Span(serializers.Field[int, int, str, Any]):
    """A whole number of seconds (S), minutes (M) or hours (H) as ISO 8601: PT52S, PT45M, PT4H."""

    def __init__(self, unit: str, *, source: str) -> None:
        self.unit = unit
        super().__init__(read_only=True, source=source, allow_null=True)

    def to_representation(self, value: int) -> str:
        return f"PT{value}{self.unit}"


class ForSomeReaders(serializers.CharField):
    """A text that only some people may read; null for others. Everybody reads their own."""

    def __init__(self, *, about: str = "", **kwargs: Any) -> None:
        self.about = about
        super().__init__(read_only=True, allow_null=True, **kwargs)

    def get_attribute(self, instance: Any) -> str | None:
        reader = cast(Person, self.context["request"].user)
        person_id = getattr(instance, self.about) if self.about else instance.pk
        if person_id == reader.pk or may_read_contacts(reader):
            return cast(str, super().get_attribute(instance))
        return None


class SiteSerializer(serializers.ModelSerializer[Site]):
    last_resort = code("last_resort.username", default=None, allow_null=True)

    class Meta:
        model = Site
        fields = ("code", "name", "about", "timezone", "it_phone", "last_resort")


class AreaSerializer(serializers.ModelSerializer[Area]):
    site = code("site.code")

    class Meta:
        model = Area
        fields = ("code", "name", "site")


class LineSerializer(serializers.ModelSerializer[Line]):
    area = code("area.code")
    site = code("area.site.code")
    buffer = Span("M", source="buffer_minutes")
    takt = Span("S", source="takt_seconds")

    class Meta:
        model = Line
        fields = ("code", "name", "area", "site", "kind", "criticality", "flow", "buffer", "takt")


class StationSerializer(serializers.ModelSerializer[Station]):
    line = code("line.code")
    area = code("line.area.code")
    site = code("line.area.site.code")
    systems = serializers.SlugRelatedField[System](many=True, read_only=True, slug_field="code")

    class Meta:
        model = Station
        fields = ("code", "name", "note", "line", "area", "site", "systems")


class VendorContactSerializer(serializers.ModelSerializer[VendorContact]):
    class Meta:
        model = VendorContact
        fields = ("name", "phone", "email", "is_escalation")


class VendorSerializer(serializers.ModelSerializer[Vendor]):
    response = Span("M", source="response_minutes")
    onsite = Span("H", source="onsite_hours")
    contacts = VendorContactSerializer(many=True, read_only=True)

    class Meta:
        model = Vendor
        fields = (
            "code",
            "name",
            "supplies",
            "support_hours",
            "response",
            "onsite",
            "phone",
            "email",
            "contacts",
        )


class SystemSerializer(serializers.ModelSerializer[System]):
    owner = code("owner.username", default=None, allow_null=True)
    vendor = code("vendor.code", default=None, allow_null=True)
    site = code("site.code", default=None, allow_null=True)

    class Meta:
        model = System
        fields = ("code", "name", "plain_name", "owner", "vendor", "site", "if_down", "workaround")


class RoleHeldSerializer(serializers.ModelSerializer[RoleAssignment]):
    """Without a site the role is corporate; without areas it is for the whole site."""

    site = code("site.code", default=None, allow_null=True)
    areas = serializers.SlugRelatedField[Area](many=True, read_only=True, slug_field="code")

    class Meta:
        model = RoleAssignment
        fields = ("role", "site", "areas")


class PersonSerializer(serializers.ModelSerializer[Person]):
    site = code("site.code", default=None, allow_null=True)
    roles = RoleHeldSerializer(source="role_assignments", many=True, read_only=True)
    email = ForSomeReaders()
    mobile = ForSomeReaders()

    class Meta:
        model = Person
        fields = (
            "username",
            "name",
            "title",
            "department",
            "site",
            "roles",
            "language",
            "email",
            "mobile",
        )


class ShiftSerializer(serializers.ModelSerializer[Shift]):
    """By the clock on the wall of the site; it ends the next day when the end is not after the start."""

    class Meta:
        model = Shift
        fields = ("code", "name", "starts", "ends")


class CrewSerializer(serializers.ModelSerializer[Crew]):
    rotation = serializers.ListField(child=serializers.CharField(allow_blank=True), read_only=True)

    class Meta:
        model = Crew
        fields = ("code", "name", "rotation")


class ShiftPatternSerializer(serializers.ModelSerializer[ShiftPattern]):
    """`anchor` is a day on which the cycle of `cycle_days` starts; each crew's rotation counts from it."""

    site = code("site.code")
    areas = serializers.SlugRelatedField[Area](many=True, read_only=True, slug_field="code")
    handover = Span("M", source="handover_minutes")
    shifts = ShiftSerializer(many=True, read_only=True)
    crews = CrewSerializer(many=True, read_only=True)

    class Meta:
        model = ShiftPattern
        fields = ("code", "name", "site", "areas", "cycle_days", "anchor", "handover", "shifts", "crews")


class CoverSerializer(serializers.ModelSerializer[Cover]):
    absent = code("absent.username")
    stand_in = code("stand_in.username", default=None, allow_null=True)
    kind = ForSomeReaders(about="absent_id")
    note = ForSomeReaders(about="absent_id")

    class Meta:
        model = Cover
        fields = ("id", "absent", "stand_in", "starts_at", "ends_at", "kind", "note")


class DutyPersonSerializer(serializers.Serializer[Any]):
    username = serializers.CharField()
    name = serializers.CharField()
    title = serializers.CharField()
    email = ForSomeReaders()
    mobile = ForSomeReaders()


class StandInSerializer(serializers.Serializer[Any]):
    person = code("person.username")
    absent = code("absent.username")


class SpanOfShiftSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class DutySerializer(serializers.Serializer[Any]):
    """`note` is what the message says about a gap, else empty; `shift` is the one on in the area."""

    role = serializers.CharField()
    place = serializers.CharField()
    at = serializers.DateTimeField()
    level = serializers.ChoiceField(choices=["area", "site", "off_shift", "last_resort"])
    is_gap = serializers.BooleanField()
    note = serializers.CharField(allow_blank=True)
    people = DutyPersonSerializer(many=True)
    stand_ins = StandInSerializer(many=True)
    shift = SpanOfShiftSerializer(allow_null=True)
