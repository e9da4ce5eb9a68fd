"""Incidents for programs: check the shape, do one verb, answer with the incident as it is now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, cast

import django_filters
from django.db.models import Prefetch, prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from incidents import lifecycle, serializers
from incidents.models import Category, Downtime, Incident, IncidentQuerySet, Severity, Status
from incidents.permissions import Action, refuse_unless
from incidents.search import with_words
from opsdesk.paging import OldestFirst
from plant.models import Line, Person, Site, Station, System

Verb = Callable[..., Incident]

SELDOM_SET = ("shelved_by", "floor_confirmed_by", "closed_agreed_by", "no_fix_accepted_by", "repeat_of")
"""Who paused or ended it, and what it repeats: looked up where any row has them."""


class ManyOf(django_filters.BaseInFilter, django_filters.ChoiceFilter):
    """One or more choices, separated by commas."""


class IncidentFilter(django_filters.FilterSet):
    status = ManyOf(choices=Status.choices)
    severity = ManyOf(choices=Severity.choices)
    site = django_filters.ModelChoiceFilter(queryset=Site.objects.all(), to_field_name="code")
    line = django_filters.ModelChoiceFilter(queryset=Line.objects.all(), to_field_name="code")
    station = django_filters.ModelChoiceFilter(queryset=Station.objects.all(), to_field_name="code")
    system = django_filters.ModelChoiceFilter(queryset=System.objects.all(), to_field_name="code")
    category = django_filters.ModelChoiceFilter(queryset=Category.objects.all(), to_field_name="code")
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.all(), to_field_name="username")
    open = django_filters.BooleanFilter(method="is_open", label=_("Still open"))
    q = django_filters.CharFilter(
        method="with_words", max_length=100, label=_("A number, or words of the title or of who raised it")
    )
    since = django_filters.IsoDateTimeFilter(
        field_name="raised_at", lookup_expr="gte", label=_("Raised since")
    )

    class Meta:
        model = Incident
        fields: tuple[str, ...] = ()

    def is_open(self, found: IncidentQuerySet, name: str, value: bool) -> IncidentQuerySet:
        return found.open() if value else found.filter(status=Status.CLOSED)

    def with_words(self, found: IncidentQuerySet, name: str, value: str) -> IncidentQuerySet:
        return with_words(found, value)


NUMBER = OpenApiParameter("number", str, OpenApiParameter.PATH, description="1042 or INC-1042")


def verb(name: str, run: Verb, shape: type[BaseSerializer[Any]] = serializers.Said, **how: Any) -> Any:
    """`POST incidents/{number}/name/`: the body becomes the verb's keyword arguments."""

    def call(self: IncidentViewSet, request: Request, number: str) -> Response:
        said = shape(data=request.data)
        said.is_valid(raise_exception=True)
        incident = run(number, by=self.person, **said.validated_data)
        return Response(self.shown([incident])[0])

    call.__name__ = name.replace("-", "_")
    call.__doc__ = run.__doc__
    described = extend_schema(parameters=[NUMBER], request=shape, filters=False)(call)
    return action(detail=True, methods=["post"], url_path=name, **how)(described)


@extend_schema_view(list=extend_schema(description="Newest first."))
class IncidentViewSet(GenericViewSet[Incident]):
    """Raise, read and move incidents. Apps above add what they know by subclassing."""

    queryset = Incident.objects.all()
    serializer_class: type[BaseSerializer[Any]] = serializers.IncidentSerializer
    filterset_class = IncidentFilter
    lookup_field = "number"

    @property
    def person(self) -> Person:
        return cast(Person, self.request.user)

    def get_queryset(self) -> IncidentQuerySet:
        return Incident.objects.visible_to(self.person).with_place()

    def shown(self, incidents: Iterable[Incident]) -> list[dict[str, Any]]:
        """The incidents as JSON, in a number of queries that does not grow with them."""
        rows = for_api(incidents)
        now = timezone.now()
        context = {**self.get_serializer_context(), "now": now, **self.known_about(rows, now)}
        shape: Any = self.get_serializer_class()
        return cast(list[dict[str, Any]], shape(rows, many=True, context=context).data)

    def known_about(self, incidents: list[Incident], now: datetime) -> dict[str, Any]:
        """What the serializer of a subclass needs to know about all rows at once."""
        return {}

    def paged(self, rows: Any, shape: Any, **context: Any) -> Response:
        """A page of rows that hang on an incident; `context` is what their shape needs to know."""
        page = shape(self.paginate_queryset(rows) or [], many=True, context=context)
        return self.get_paginated_response(page.data)

    def one(self, number: str) -> Incident:
        """The incident, for somebody who may see it; Missing or NotAllowed otherwise."""
        incident = Incident.objects.numbered(number)
        refuse_unless(self.person, Action.ADD_WORDS, incident)
        return incident

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.shown(page or []))

    @extend_schema(parameters=[NUMBER])
    def retrieve(self, request: Request, number: str) -> Response:
        return Response(self.shown([self.one(number)])[0])

    def create(self, request: Request) -> Response:
        """Raise. The same `client_id` again answers 200 with the incident of the first time."""
        said = serializers.RaiseInput(data=request.data)
        said.is_valid(raise_exception=True)
        incident, is_new = lifecycle.raise_incident(by=self.person, **said.validated_data)
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(self.shown([incident])[0], status=code)

    @extend_schema(parameters=[NUMBER], responses=serializers.EventSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=OldestFirst, filterset_class=None)
    def timeline(self, request: Request, number: str) -> Response:
        """Every event, oldest first."""
        return self.paged(self.one(number).events.select_related("by"), serializers.EventSerializer)

    acknowledge = verb("acknowledge", lifecycle.acknowledge)
    assign = verb("assign", lifecycle.assign, serializers.AssignInput)
    arrive = verb("arrive", lifecycle.arrive)
    words = verb("words", lifecycle.add_words, serializers.WordsInput)
    photos = verb("photos", lifecycle.add_photo, serializers.PhotoInput, parser_classes=[MultiPartParser])
    updates = verb("updates", lifecycle.post_update, serializers.UpdateInput)
    help = verb("help", lifecycle.ask_help, serializers.HelpInput)
    contain = verb("contain", lifecycle.contain, serializers.ContainInput)
    resolve = verb("resolve", lifecycle.resolve)
    confirm = verb("confirm", lifecycle.confirm_running)
    close = verb("close", lifecycle.close, serializers.CloseInput)
    accept_no_fix = verb("accept-no-fix", lifecycle.accept_no_fix, serializers.NoFixInput)
    review = verb("review", lifecycle.review, serializers.NoFixInput)
    reopen = verb("reopen", lifecycle.reopen, serializers.ReasonInput)
    severity = verb("severity", lifecycle.change_severity, serializers.SeverityInput)
    wait = verb("wait", lifecycle.wait_on, serializers.WaitInput)
    stop_waiting = verb("stop-waiting", lifecycle.stop_waiting)
    shelve = verb("shelve", lifecycle.shelve, serializers.ShelveInput)
    unshelve = verb("unshelve", lifecycle.unshelve)
    stop_line = verb("stop-line", lifecycle.stop_line, serializers.LineInput)
    line_runs = verb("line-runs", lifecycle.line_runs, serializers.LineInput)
    take_back = verb("take-back", lifecycle.take_back)


def for_api(incidents: Iterable[Incident]) -> list[Incident]:
    """Load what the serializer shows besides the row: its stops, and the people who paused or ended it."""
    rows = list(incidents)
    stops = Prefetch("downtimes", Downtime.objects.select_related("line"))
    narrow = {"repeat_of": Prefetch("repeat_of", Incident.objects.only("number"))}
    some = [name for name in SELDOM_SET if any(getattr(row, f"{name}_id") for row in rows)]
    prefetch_related_objects(rows, stops, *(narrow.get(name, name) for name in some))
    return rows
