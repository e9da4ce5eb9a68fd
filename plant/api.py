"""The plant for programs: lists of who and where, who is on duty, and that somebody is back.

``routes`` (prefix, viewset, basename) and ``urlpatterns`` are registered under ``/api/v1/`` by
``opsdesk.api``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import django_filters
from django.db.models import Q, QuerySet
from django.urls import path
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from opsdesk.errors import Invalid, NotAllowed, Text
from opsdesk.paging import NewestFirst
from plant import lifecycle, serializers
from plant.duty import DutyBook, Place
from plant.models import (
    Area,
    Cover,
    Criticality,
    Flow,
    Line,
    LineKind,
    Person,
    Role,
    ShiftPattern,
    Site,
    Station,
    System,
    Vendor,
)
from plant.visibility import cover_seen_by, of_sites, people_seen_by


class ByCode(NewestFirst):
    ordering = "code"


class ByUsername(NewestFirst):
    ordering = "username"


def code_filter(path_to_code: str) -> Any:
    """Rows whose related code is exactly this."""
    return django_filters.CharFilter(field_name=path_to_code, lookup_expr="iexact", max_length=40)


class AreaFilter(django_filters.FilterSet):
    site = code_filter("site__code")


class LineFilter(django_filters.FilterSet):
    site = code_filter("area__site__code")
    area = code_filter("area__code")
    kind = django_filters.ChoiceFilter(choices=LineKind.choices)
    criticality = django_filters.ChoiceFilter(choices=Criticality.choices)
    flow = django_filters.ChoiceFilter(choices=Flow.choices)


class StationFilter(django_filters.FilterSet):
    site = code_filter("line__area__site__code")
    area = code_filter("line__area__code")
    line = code_filter("line__code")
    system = code_filter("systems__code")
    q = django_filters.CharFilter(method="with_words", max_length=60, label=_("Part of the code or the name"))

    def with_words(self, found: QuerySet[Station], name: str, value: str) -> QuerySet[Station]:
        return found.filter(Q(code__icontains=value) | Q(name__icontains=value))


class SystemFilter(django_filters.FilterSet):
    site = code_filter("site__code")
    vendor = code_filter("vendor__code")


class PersonFilter(django_filters.FilterSet):
    site = code_filter("site__code")
    role = django_filters.ChoiceFilter(choices=Role.choices, method="with_role", label=_("Role"))
    q = django_filters.CharFilter(method="with_words", max_length=60, label=_("Part of the name"))

    def with_role(self, found: QuerySet[Person], name: str, value: str) -> QuerySet[Person]:
        return found.filter(pk__in=Person.objects.holding(value).order_by().values("pk"))

    def with_words(self, found: QuerySet[Person], name: str, value: str) -> QuerySet[Person]:
        return found.filter(Q(name__icontains=value) | Q(username__icontains=value))


class ShiftFilter(django_filters.FilterSet):
    site = code_filter("site__code")
    area = code_filter("areas__code")


class CoverFilter(django_filters.FilterSet):
    person = code_filter("absent__username")
    stand_in = code_filter("stand_in__username")
    at = django_filters.IsoDateTimeFilter(method="holds_at", label=_("In force at this time"))

    def holds_at(self, found: QuerySet[Cover], name: str, value: datetime) -> QuerySet[Cover]:
        return found.filter(starts_at__lte=value, ends_at__gt=value)


class PlantViewSet(ReadOnlyModelViewSet[Any]):
    """Rows of the reader's sites, found by their code; other rows are not there for them."""

    lookup_field = "code"
    pagination_class: type[NewestFirst] = ByCode

    @property
    def reader(self) -> Person:
        return cast(Person, self.request.user)


class SiteViewSet(PlantViewSet):
    queryset = Site.objects.select_related("last_resort")
    serializer_class = serializers.SiteSerializer

    def get_queryset(self) -> QuerySet[Site]:
        return of_sites(super().get_queryset(), reader=self.reader, by="pk")


class AreaViewSet(PlantViewSet):
    queryset = Area.objects.select_related("site")
    serializer_class = serializers.AreaSerializer
    filterset_class = AreaFilter

    def get_queryset(self) -> QuerySet[Area]:
        return of_sites(super().get_queryset(), reader=self.reader, by="site")


class LineViewSet(PlantViewSet):
    queryset = Line.objects.select_related("area__site")
    serializer_class = serializers.LineSerializer
    filterset_class = LineFilter

    def get_queryset(self) -> QuerySet[Line]:
        return of_sites(super().get_queryset(), reader=self.reader, by="area__site")


class StationViewSet(PlantViewSet):
    queryset = Station.objects.select_related("line__area__site").prefetch_related("systems")
    serializer_class = serializers.StationSerializer
    filterset_class = StationFilter

    def get_queryset(self) -> QuerySet[Station]:
        return of_sites(super().get_queryset(), reader=self.reader, by="line__area__site")


class SystemViewSet(PlantViewSet):
    queryset = System.objects.select_related("owner", "vendor", "site")
    serializer_class = serializers.SystemSerializer
    filterset_class = SystemFilter

    def get_queryset(self) -> QuerySet[System]:
        return of_sites(super().get_queryset(), reader=self.reader, by="site", shared=True)


class VendorViewSet(PlantViewSet):
    queryset = Vendor.objects.prefetch_related("contacts")
    serializer_class = serializers.VendorSerializer


class PersonViewSet(PlantViewSet):
    """Active people. Email and mobile are null unless the reader is from IT, a supervisor, a manager or the
    person themselves."""

    queryset = Person.objects.select_related("site")
    serializer_class = serializers.PersonSerializer
    filterset_class = PersonFilter
    pagination_class = ByUsername
    lookup_field = "username"

    def get_queryset(self) -> QuerySet[Person]:
        roles = ("role_assignments__site", "role_assignments__areas")
        return people_seen_by(self.reader).select_related("site").prefetch_related(*roles)


class ShiftViewSet(PlantViewSet):
    """Shift patterns with their shifts and the rotation of their crews."""

    queryset = ShiftPattern.objects.select_related("site").prefetch_related("areas", "shifts", "crews")
    serializer_class = serializers.ShiftPatternSerializer
    filterset_class = ShiftFilter

    def get_queryset(self) -> QuerySet[ShiftPattern]:
        return of_sites(super().get_queryset(), reader=self.reader, by="site")


class CoverViewSet(PlantViewSet):
    """Who is away and who stands in. Why is null unless the reader may know."""

    queryset = Cover.objects.all()
    serializer_class = serializers.CoverSerializer
    filterset_class = CoverFilter
    pagination_class = NewestFirst
    lookup_field = "pk"
    lookup_value_regex = "[0-9]+"

    def get_queryset(self) -> QuerySet[Cover]:
        return cover_seen_by(self.reader).select_related("absent", "stand_in")

    @extend_schema(request=None, responses=serializers.CoverSerializer, filters=False)
    @action(detail=True, methods=["post"], pagination_class=None, filterset_class=None)
    def back(self, request: Request, pk: str) -> Response:
        """Whoever is away is back now; for IT managers and leads of their site. Refused when it is over."""
        ended = lifecycle.end_cover(self.get_object().pk, by=self.reader)
        return Response(self.get_serializer(ended).data)


class DutyView(APIView):
    """Who is on duty for a role at a place, and whether that is a coverage gap."""

    @extend_schema(
        parameters=[
            OpenApiParameter("role", str, required=True, enum=Role.values),
            OpenApiParameter(
                "place", str, required=True, description="Code of a station, line, area or site"
            ),
            OpenApiParameter("at", OpenApiTypes.DATETIME, description="Now when not given"),
        ],
        responses=serializers.DutySerializer,
    )
    def get(self, request: Request) -> Response:
        role, place, at = _role(request), _place(request), _at(request)
        if not cast(Person, request.user).sees_site(_site_id(place)):
            raise NotAllowed("wrong_site", _("This is at a site that you do not work for."))
        book = DutyBook.load(at)
        answer = book.on_duty(role, place, at)
        area = _area(place)
        row = {
            "role": role,
            "place": place.code,
            "at": at,
            "level": answer.level,
            "is_gap": answer.is_gap,
            "note": answer.note,
            "people": answer.people,
            "stand_ins": answer.stand_ins,
            "shift": book.shift_at(area, at) if area else None,
        }
        return Response(serializers.DutySerializer(row, context={"request": request}).data)


def _role(request: Request) -> Role:
    said = request.query_params.get("role", "")
    if said not in Role.values:
        raise _invalid("unknown_role", "role", _("Name one of these roles: %(roles)s.") % {"roles": _roles()})
    return Role(said)


def _roles() -> str:
    return ", ".join(Role.values)


def _place(request: Request) -> Place:
    code = request.query_params.get("place", "")
    found = (
        Station.objects.select_related("line__area__site").filter(code__iexact=code).first()
        or Line.objects.select_related("area__site").filter(code__iexact=code).first()
        or Area.objects.select_related("site").filter(code__iexact=code).first()
        or Site.objects.filter(code__iexact=code).first()
    )
    if found is None:
        raise _invalid(
            "unknown_place", "place", _("There is no place with the code %(code)s.") % {"code": code}
        )
    return found


def _at(request: Request) -> datetime:
    said = request.query_params.get("at")
    if not said:
        return timezone.now()
    try:
        # The + of an offset that was not escaped in the address arrives as a space.
        at = parse_datetime(said.replace(" ", "+"))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not 2000 <= at.year < 2100:
        raise _invalid("malformed_time", "at", _("Give the time with its zone, like 2026-06-01T22:00:00Z."))
    return at.astimezone(UTC)


def _invalid(code: str, field: str, sentence: Text) -> Invalid:
    return Invalid(code, sentence, fields={field: [sentence]})


def _area(place: Place) -> Area | None:
    if isinstance(place, Station):
        return place.line.area
    if isinstance(place, Line):
        return place.area
    return place if isinstance(place, Area) else None


def _site_id(place: Place) -> int:
    area = _area(place)
    return area.site_id if area else place.pk


routes: list[tuple[str, type[PlantViewSet], str]] = [
    ("plant/sites", SiteViewSet, "api-site"),
    ("plant/areas", AreaViewSet, "api-area"),
    ("plant/lines", LineViewSet, "api-line"),
    ("plant/stations", StationViewSet, "api-station"),
    ("plant/systems", SystemViewSet, "api-system"),
    ("plant/vendors", VendorViewSet, "api-vendor"),
    ("plant/people", PersonViewSet, "api-person"),
    ("plant/shifts", ShiftViewSet, "api-shift"),
    ("plant/cover", CoverViewSet, "api-cover"),
]
urlpatterns = [path("plant/duty/", DutyView.as_view(), name="api-duty")]
