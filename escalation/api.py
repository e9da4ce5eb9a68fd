"""Incidents with who is told next and what was sent; policies; and the preview of who would be told."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import django_filters
from django.db.models import Q, QuerySet
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from countermeasures import api as countermeasures
from escalation import policies, policy_diff, serializers
from escalation.models import Policy
from escalation.preview import preview, told_at_once
from escalation.reach import reach_of
from escalation.recent import foreseen
from incidents import where
from incidents.api import NUMBER
from incidents.models import Impact, Incident, Severity
from incidents.serializers import RaiseInput
from opsdesk.errors import Invalid, Missing, NotAllowed
from opsdesk.paging import OldestFirst
from plant.models import Area, Line, Person, Site, Station
from plant.permissions import refuse_reach


@extend_schema_view(
    create=extend_schema(
        request=RaiseInput,
        responses={201: serializers.IncidentWithNextStep, 200: serializers.IncidentWithNextStep},
    )
)
class IncidentViewSet(countermeasures.IncidentViewSet):
    """Raise, read and move incidents."""

    serializer_class = serializers.IncidentWithNextStep

    def known_about(self, incidents: list[Incident], now: datetime) -> dict[str, Any]:
        return {"next_steps": foreseen(incidents, now)}

    @extend_schema(
        parameters=[NUMBER], responses=serializers.NotificationSerializer(many=True), filters=False
    )
    @action(detail=True, pagination_class=OldestFirst, filterset_class=None)
    def notifications(self, request: Request, number: str) -> Response:
        """Who was told, by which channels, how far each message got, and who answered."""
        sent = self.one(number).notifications.with_deliveries().select_related("timer")
        return self.paged(sent, serializers.NotificationSerializer, reader=self.person)


class PolicyFilter(django_filters.FilterSet):
    severity = django_filters.ChoiceFilter(choices=Severity.choices)
    site = django_filters.CharFilter(field_name="site__code", max_length=24)
    area = django_filters.CharFilter(field_name="area__code", max_length=24)
    category = django_filters.CharFilter(field_name="category__code", max_length=24)
    current = django_filters.BooleanFilter(field_name="is_current", label=_("In force"))

    class Meta:
        model = Policy
        fields: tuple[str, ...] = ()


class PolicyViewSet(ReadOnlyModelViewSet[Policy]):
    """Every published version of who is told when. A version never changes; publishing makes the next one."""

    queryset = Policy.objects.select_related("site", "area__site", "category", "published_by", "withdrawn_by")
    serializer_class = serializers.PolicySerializer
    filterset_class = PolicyFilter
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Policy]:
        person, found = cast(Person, self.request.user), super().get_queryset()
        if person.is_corporate:
            return found
        here = Q(site=None) | Q(site_id__in=person.site_ids)
        return found.filter(here, Q(area=None) | Q(area__site_id__in=person.site_ids))

    @extend_schema(request=serializers.PublishInput, responses={201: serializers.PolicySerializer})
    def create(self, request: Request) -> Response:
        """Put a new version in force. Running incidents keep theirs."""
        said = serializers.PublishInput(data=request.data)
        said.is_valid(raise_exception=True)
        published = policies.publish(by=cast(Person, request.user), **said.validated_data)
        return Response(serializers.PolicySerializer(published).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=serializers.WithdrawInput, responses=serializers.PolicySerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take an override back: its place does as it would without it. Running incidents keep theirs."""
        said = serializers.WithdrawInput(data=request.data)
        said.is_valid(raise_exception=True)
        found = policies.withdraw(self.get_object(), by=cast(Person, request.user), **said.validated_data)
        return Response(serializers.PolicySerializer(found).data)

    @extend_schema(
        parameters=[serializers.DiffInput], responses=serializers.ChangeSerializer(many=True), filters=False
    )
    @action(detail=True, pagination_class=None, filterset_class=None)
    def diff(self, request: Request, pk: str) -> Response:
        """What changed in this version, step by step in words. The first version has nothing before it."""
        said = serializers.DiffInput(data=request.query_params)
        said.is_valid(raise_exception=True)
        new, since = self.get_object(), said.validated_data.get("since")
        earlier = policies.versions_of(new).filter(version__lt=new.version)
        old = earlier.first() if since is None else earlier.filter(version=since).first()
        if since is not None and old is None:
            raise Missing("unknown_policy", _("There is no such earlier version."))
        return Response(serializers.ChangeSerializer(_changes(old, new), many=True).data)


def _changes(old: Policy | None, new: Policy) -> list[policy_diff.Change]:
    if old is None:
        return []
    names = policies.names_in([old, new])
    return policy_diff.diff(policies.clocks_of(old), policies.clocks_of(new), names)


class PreviewView(APIView):
    """Who would be told, when and how, and where the gaps are: before it happens."""

    @extend_schema(parameters=[serializers.PreviewInput], responses=serializers.PreviewSerializer)
    def get(self, request: Request) -> Response:
        said = serializers.PreviewInput(data=request.query_params.dict())
        said.is_valid(raise_exception=True)
        asked = said.validated_data
        place, at = _place(asked), asked.get("at") or timezone.now()
        if not cast(Person, request.user).sees_site(where.site_of(place)):
            raise NotAllowed("wrong_site", _("This is at a site that you do not work for."))
        steps = preview(place, asked.get("category"), asked["impact"], at, asked.get("flow"))
        row = {
            "severity": Impact(asked["impact"]).severity,
            "place": place.code,
            "at": at,
            "told_at_once": told_at_once(steps, at),
            "steps": steps,
        }
        return Response(serializers.PreviewSerializer(row, context={"at": at}).data)


def _place(asked: dict[str, Any]) -> Station | Line | Area | Site:
    """The most exact place that was named."""
    for kind in ("station", "line", "area", "site"):
        if asked.get(kind):
            return cast("Station | Line | Area | Site", asked[kind])
    raise Invalid("no_place", _("Say where: a station, a line, an area or a site."))


class ReachView(APIView):
    """Who can be reached: each person an alert about the site could go to, and what is wrong with it."""

    @extend_schema(parameters=[serializers.ReachInput], responses=serializers.ReachSerializer)
    def get(self, request: Request) -> Response:
        said = serializers.ReachInput(data=request.query_params.dict())
        said.is_valid(raise_exception=True)
        person = cast(Person, request.user)
        site = said.validated_data.get("site") or person.site
        if site is None:
            raise Invalid("no_site", _("Say which site."))
        refuse_reach(person, site)
        return Response(serializers.ReachSerializer(reach_of(site, timezone.now())).data)


urlpatterns = [
    path("escalation/preview/", PreviewView.as_view(), name="api-preview"),
    path("plant/reachability/", ReachView.as_view(), name="api-reachability"),
]
