"""Practices for programs: what they found, starting and stopping one, and the plan of each site."""

from __future__ import annotations

from typing import Any, cast

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from escalation.drills import plan, running
from escalation.drills.report import Ended, Why
from escalation.models import Clock, DeliveryState, Drill, DrillPlan, Weekday
from incidents.models import Severity
from incidents.serializers import by_code, code_of
from opsdesk.errors import NotAllowed
from plant.models import Area, Channel, Person, Site
from plant.permissions import READS_ROSTER, may_read_roster
from plant.visibility import of_sites


class DrillWaySerializer(serializers.Serializer[Any]):
    channel = serializers.ChoiceField(choices=Channel.choices)
    state = serializers.ChoiceField(choices=DeliveryState.choices)
    seconds = serializers.IntegerField(allow_null=True, help_text=_("From being recorded to going out."))
    error = serializers.CharField()


class AskedSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    role = serializers.CharField()
    told_s = serializers.IntegerField(help_text=_("Seconds after the practice began."))
    times = serializers.IntegerField(help_text=_("At how many levels."))
    reached = serializers.BooleanField(help_text=_("They said so themselves."))
    why = serializers.ChoiceField(choices=Why.choices, allow_blank=True, help_text=_("Why not."))
    answered_s = serializers.IntegerField(allow_null=True, help_text=_("Seconds after they were told."))
    answer = serializers.CharField(allow_blank=True)
    ways = DrillWaySerializer(many=True)


class DrillLevelSerializer(serializers.Serializer[Any]):
    clock = serializers.ChoiceField(choices=Clock.choices)
    step = serializers.IntegerField()
    minutes = serializers.IntegerField(help_text=_("After so many minutes of a real one."))
    roles = serializers.ListField(child=serializers.CharField())
    told_s = serializers.IntegerField(allow_null=True, help_text=_("Empty: it was not tried."))
    missing = serializers.ListField(
        child=serializers.CharField(), help_text=_("Roles that nobody on shift held.")
    )
    people = serializers.ListField(child=serializers.IntegerField())
    instead = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))


class ReportSerializer(serializers.Serializer[Any]):
    why = serializers.ChoiceField(choices=Ended.choices, help_text=_("How it ended."))
    by = serializers.CharField(allow_blank=True)
    real = serializers.CharField(allow_blank=True)
    severity = serializers.ChoiceField(choices=Severity.choices)
    policy_version = serializers.IntegerField()
    asked = serializers.IntegerField()
    missed = serializers.IntegerField()
    people = AskedSerializer(many=True)
    levels = DrillLevelSerializer(many=True)


class DrillSerializer(serializers.ModelSerializer[Drill]):
    site = code_of("site.code")
    area = code_of("area.code")
    incident = serializers.IntegerField(source="incident.number")
    severity = serializers.CharField(source="incident.severity")
    started_by = code_of("started_by.username")
    report = serializers.SerializerMethodField(help_text=_("Once it is over."))

    class Meta:
        model = Drill
        fields = [
            *("id", "site", "area", "incident", "severity"),
            *("started_by", "started_at", "ended_at", "report"),
        ]
        read_only_fields = fields

    @extend_schema_field(ReportSerializer(allow_null=True))
    def get_report(self, drill: Drill) -> dict[str, Any] | None:
        return drill.report or None


class DrillInput(serializers.Serializer[Any]):
    site = by_code(Site.objects.all())
    area = by_code(Area.objects.select_related("site"), required=False, allow_null=True)
    severity = serializers.ChoiceField(choices=Severity.choices, default=Severity.S1)


class DrillPlanSerializer(serializers.ModelSerializer[DrillPlan]):
    site = code_of("site.code")
    weekday = serializers.ChoiceField(choices=Weekday.choices, help_text=_("0 is Monday."))

    class Meta:
        model = DrillPlan
        fields = ["site", "is_on", "weekday", "at", "severity"]


class DrillFilter(django_filters.FilterSet):
    site = django_filters.CharFilter(field_name="site__code", lookup_expr="iexact", max_length=24)
    area = django_filters.CharFilter(field_name="area__code", lookup_expr="iexact", max_length=24)
    running = django_filters.BooleanFilter(
        field_name="ended_at", lookup_expr="isnull", label=_("Still running")
    )

    class Meta:
        model = Drill
        fields: tuple[str, ...] = ()


def _person(request: Request) -> Person:
    return cast(Person, request.user)


def _readable(found: QuerySet[Any], person: Person) -> QuerySet[Any]:
    """Of the sites where the person leads or manages; NotAllowed for whoever does so nowhere."""
    if not (person.is_superuser or person.holds(*READS_ROSTER)):
        raise NotAllowed("wrong_role", _("Leads and managers read what practices found."))
    sites = [site.pk for site in Site.objects.all() if may_read_roster(person, site)]
    return of_sites(found, reader=person, by="site").filter(site__in=sites)


class DrillViewSet(ReadOnlyModelViewSet[Drill]):
    """Practices and what they found. A practice sends real messages that say that they are practice."""

    queryset = Drill.objects.select_related("site", "area", "incident", "started_by")
    serializer_class = DrillSerializer
    filterset_class = DrillFilter
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Drill]:
        return _readable(super().get_queryset(), _person(self.request))

    @extend_schema(request=DrillInput, responses={201: DrillSerializer})
    def create(self, request: Request) -> Response:
        """Practise now: everybody on both ladders of the policy gets real messages."""
        said = DrillInput(data=request.data)
        said.is_valid(raise_exception=True)
        begun = running.start(by=_person(request), **said.validated_data)
        return Response(DrillSerializer(begun).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=DrillSerializer, filters=False)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str) -> Response:
        """End it at once; everybody who was told hears it."""
        running.stop(self.get_object().pk, by=_person(request))
        return Response(DrillSerializer(self.get_object()).data)


class DrillPlanViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[DrillPlan]):
    """When each site practises: once a week, by its own clock."""

    queryset = DrillPlan.objects.select_related("site").order_by("site__code")
    serializer_class = DrillPlanSerializer
    lookup_field = "site__code"
    lookup_url_kwarg = "site"
    lookup_value_regex = "[A-Za-z0-9-]{1,24}"

    def get_queryset(self) -> QuerySet[DrillPlan]:
        plan.plans(timezone.now())  # a site that has none yet gets the usual one
        return _readable(super().get_queryset(), _person(self.request))

    @extend_schema(request=DrillPlanSerializer, responses=DrillPlanSerializer)
    def update(self, request: Request, site: str) -> Response:
        """Another day, time or severity, or not at all. It counts from the next planned time."""
        found = Site.objects.filter(code__iexact=site).first()
        if found is None or not _person(request).sees_site(found):
            raise Http404
        said = DrillPlanSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        kept = plan.change_plan(found, by=_person(request), **said.validated_data)
        return Response(DrillPlanSerializer(kept).data)
