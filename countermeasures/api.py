"""Countermeasures and causes for programs; each call does one verb of the lifecycle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import django_filters
from django.db.models import QuerySet
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from countermeasures import bandages, lifecycle, serializers, workarounds
from countermeasures.family_history import history
from countermeasures.history import events_of
from countermeasures.models import LIVE, Answer, Cause, Countermeasure, CountermeasureQuerySet, Kind, Stage
from countermeasures.suggestions import suggest
from countermeasures.where_else import where_else
from incidents import api as incidents
from incidents import families
from incidents.models import Incident
from incidents.models.incident import parse_number
from incidents.permissions import Action, refuse_unless
from incidents.serializers import EventSerializer, ReasonInput, Said
from opsdesk.errors import Missing, NotAllowed
from opsdesk.paging import OldestFirst
from plant.models import Person

Verb = Callable[..., Countermeasure]

WORDS = OpenApiParameter("q", str, description="Words that were typed; its own when left out.")


class IncidentViewSet(incidents.IncidentViewSet):
    """Adds why it happened."""

    @extend_schema(
        methods=["GET"],
        parameters=[incidents.NUMBER],
        responses=serializers.CauseSerializer,
        filters=False,
    )
    @extend_schema(
        methods=["POST"],
        parameters=[incidents.NUMBER],
        request=serializers.CauseInput,
        responses=serializers.CauseSerializer,
        filters=False,
    )
    @action(detail=True, methods=["get", "post"])
    def cause(self, request: Request, number: str) -> Response:
        """Why it happened and why nothing caught it. POST writes them; what is sent empty stays."""
        if request.method == "POST":
            said = serializers.CauseInput(data=request.data)
            said.is_valid(raise_exception=True)
            cause = lifecycle.write_cause(number, by=self.person, **said.validated_data)
        else:
            incident = self.one(number)
            found = Cause.objects.select_related("written_by").filter(incident=incident).first()
            cause = found or Cause(incident=incident)
        return Response(serializers.CauseSerializer(cause).data)

    @extend_schema(
        parameters=[incidents.NUMBER, WORDS],
        responses=serializers.SuggestionSerializer(many=True),
        filters=False,
    )
    @action(detail=True, url_path="cause/suggestions", filterset_class=None, pagination_class=None)
    def suggestions(self, request: Request, number: str) -> Response:
        """Causes that were found before: of the same family first, then those with like words."""
        words = request.query_params.get("q", "").replace("\0", "")[:200]
        found: Any = suggest(self.one(number), reader=self.person, words=words)
        return Response(serializers.SuggestionSerializer(found, many=True).data)

    @extend_schema(
        parameters=[incidents.NUMBER],
        responses=serializers.WorkaroundSerializer(many=True),
        filters=False,
    )
    @action(detail=True, filterset_class=None, pagination_class=None)
    def workarounds(self, request: Request, number: str) -> Response:
        """What kept product moving the last times, and the standing workaround of its system."""
        known: Any = workarounds.of_incident(self.one(number), now=timezone.now())
        return Response(serializers.WorkaroundSerializer(known, many=True).data)


class FamilyView(APIView):
    """The same kind of trouble over and over: how often, what was tried, what held, and why."""

    @extend_schema(responses=serializers.FamilySerializer)
    def get(self, request: Request, key: str) -> Response:
        found = families.named(key)
        if not cast(Person, request.user).sees_site(found.site):
            raise NotAllowed("wrong_site", _("This is at a site that you do not work for."))
        known = history(found, now=timezone.now())
        return Response(serializers.FamilySerializer(known, context={"now": timezone.now()}).data)


urlpatterns = [path("families/<str:key>/", FamilyView.as_view(), name="api-family")]


class CountermeasureFilter(django_filters.FilterSet):
    incident = django_filters.CharFilter(method="of_incident", max_length=20, label=_("1042 or INC-1042"))
    kind = django_filters.ChoiceFilter(choices=Kind.choices)
    status = django_filters.ChoiceFilter(field_name="stage", choices=Stage.choices)
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.all(), to_field_name="username")
    site = django_filters.CharFilter(field_name="incident__site__code", max_length=24)
    live = django_filters.BooleanFilter(method="is_live", label=_("Promised or being proved"))
    area = django_filters.CharFilter(field_name="incident__area__code", max_length=24)
    checker = django_filters.ModelChoiceFilter(queryset=Person.objects.all(), to_field_name="username")
    due_before = django_filters.DateFilter(
        field_name="due_on", lookup_expr="lt", label=_("Promised for a day before this one")
    )
    ends_before = django_filters.DateFilter(
        field_name="expires_on", lookup_expr="lt", label=_("A bandage that ends before this day")
    )

    worn = django_filters.BooleanFilter(method="is_worn", label=_("A bandage that is on"))
    expired = django_filters.BooleanFilter(method="has_expired", label=_("A bandage that should be off"))

    class Meta:
        model = Countermeasure
        fields: tuple[str, ...] = ()

    def is_worn(self, found: CountermeasureQuerySet, name: str, value: bool) -> CountermeasureQuerySet:
        worn = Countermeasure.objects.worn().values("pk")
        return found.filter(pk__in=worn) if value else found.exclude(pk__in=worn)

    def has_expired(self, found: CountermeasureQuerySet, name: str, value: bool) -> CountermeasureQuerySet:
        """By the day of each site: it may be tomorrow there."""
        past = bandages.expired(timezone.now()).values("pk")
        return found.filter(pk__in=past) if value else found.exclude(pk__in=past)

    def of_incident(self, found: CountermeasureQuerySet, name: str, value: str) -> CountermeasureQuerySet:
        return found.filter(incident__number=parse_number(value))

    def is_live(self, found: CountermeasureQuerySet, name: str, value: bool) -> CountermeasureQuerySet:
        return found.live() if value else found.exclude(stage__in=LIVE)


def verb(name: str, run: Verb, shape: type[BaseSerializer[Any]] = Said, **how: Any) -> Any:
    """`POST countermeasures/{id}/name/`: the body becomes the verb's keyword arguments."""

    def call(self: CountermeasureViewSet, request: Request, pk: int) -> Response:
        said = shape(data=request.data)
        said.is_valid(raise_exception=True)
        return Response(self.shown(run(pk, by=self.person, **said.validated_data)))

    call.__name__ = name.replace("-", "_")
    call.__doc__ = run.__doc__
    described = extend_schema(request=shape, filters=False)(call)
    return action(detail=True, methods=["post"], url_path=name, **how)(described)


class CountermeasureViewSet(GenericViewSet[Countermeasure]):
    """What is done about incidents, who does it, by when, and whether it holds."""

    queryset = Countermeasure.objects.all()
    serializer_class = serializers.CountermeasureSerializer
    filterset_class = CountermeasureFilter
    lookup_value_regex = "[0-9]{1,18}"

    @property
    def person(self) -> Person:
        return cast(Person, self.request.user)

    def get_queryset(self) -> QuerySet[Countermeasure]:
        found = Countermeasure.objects.with_people().select_related(
            "incident__site", "incident__owner", "created_by", "removed_by", "placed_by"
        )
        return found if self.person.is_corporate else found.filter(incident__site_id__in=self.person.site_ids)

    def shown(self, found: Countermeasure) -> Any:
        return serializers.CountermeasureSerializer(found, context={"now": timezone.now()}).data

    def list(self, request: Request) -> Response:
        """Newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        shown = serializers.CountermeasureSerializer(page or [], many=True, context={"now": timezone.now()})
        return self.get_paginated_response(shown.data)

    def one(self, pk: int) -> Countermeasure:
        """The countermeasure, for somebody who may see its incident; Missing or NotAllowed otherwise."""
        found = Countermeasure.objects.with_people().select_related("incident__site").filter(pk=pk).first()
        if found is None:
            raise Missing("unknown_countermeasure", _("There is no such countermeasure."))
        refuse_unless(self.person, Action.ADD_WORDS, found.incident)
        return found

    def retrieve(self, request: Request, pk: int) -> Response:
        return Response(self.shown(self.one(pk)))

    @extend_schema(responses=EventSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=OldestFirst, filterset_class=None)
    def history(self, request: Request, pk: int) -> Response:
        """Every change, oldest first: who, when, what, and in `data.changed` each field before and after."""
        rows: Any = events_of(self.one(pk))
        shown: Any = EventSerializer
        return self.get_paginated_response(shown(self.paginate_queryset(rows) or [], many=True).data)

    @extend_schema(methods=["GET"], responses=serializers.MeasurementSerializer(many=True), filters=False)
    @extend_schema(
        methods=["POST"],
        request=serializers.MeasureInput,
        responses={201: serializers.MeasurementSerializer},
        filters=False,
    )
    @action(detail=True, methods=["get", "post"], pagination_class=OldestFirst, filterset_class=None)
    def measurements(self, request: Request, pk: int) -> Response:
        """The measurement log, oldest first. POST adds a line: a number, times tried, or what was seen."""
        if request.method == "POST":
            said = serializers.MeasureInput(data=request.data)
            said.is_valid(raise_exception=True)
            logged = lifecycle.log_measurement(pk, by=self.person, **said.validated_data)
            return Response(serializers.MeasurementSerializer(logged).data, status=status.HTTP_201_CREATED)
        rows: Any = self.one(pk).measurements.select_related("by")
        page: Any = self.paginate_queryset(rows) or []
        return self.get_paginated_response(serializers.MeasurementSerializer(page, many=True).data)

    @extend_schema(request=serializers.AddInput, responses={201: serializers.CountermeasureSerializer})
    def create(self, request: Request) -> Response:
        """Write down what will be done. With an owner and a day it is promised."""
        said = serializers.AddInput(data=request.data)
        said.is_valid(raise_exception=True)
        number = said.validated_data.pop("incident")
        found = lifecycle.add(number, by=self.person, **said.validated_data)
        return Response(self.shown(found), status=status.HTTP_201_CREATED)

    start = verb("start", lifecycle.start, serializers.StartInput)
    promise = verb("promise", lifecycle.start, serializers.PromiseInput)
    plan_check = verb("plan-check", lifecycle.plan_check, serializers.PlanCheckInput)
    checker = verb("checker", lifecycle.name_checker, serializers.CheckerInput)
    owner = verb("owner", lifecycle.name_owner, serializers.OwnerInput)
    strength = verb("strength", lifecycle.say_strength, serializers.StrengthInput)
    in_place = verb(
        "in-place",
        lifecycle.put_in_place,
        serializers.InPlaceInput,
        parser_classes=[JSONParser, MultiPartParser],
    )
    check = verb("check", lifecycle.check, serializers.CheckInput)
    restore = verb("restore", lifecycle.restore, ReasonInput)
    extend = verb("extend", lifecycle.extend, serializers.ExtendInput)
    waive = verb("waive", lifecycle.waive, ReasonInput)
    take_off = verb("take-off", lifecycle.take_off)
    withdraw = verb("withdraw", lifecycle.withdraw, ReasonInput)

    @extend_schema(methods=["GET"], responses=serializers.WhereElseSerializer, filters=False)
    @extend_schema(
        methods=["POST"],
        request=serializers.ElsewhereInput,
        responses=serializers.WhereElseSerializer,
        filters=False,
    )
    @action(detail=True, methods=["get", "post"], url_path="where-else")
    def where_else(self, request: Request, pk: int) -> Response:
        """Every other station with the same system and what was found there. POST answers for one of them."""
        if request.method == "POST":
            said = serializers.ElsewhereInput(data=request.data)
            said.is_valid(raise_exception=True)
            self._answer(pk, **said.validated_data)
        found = Countermeasure.objects.with_people().select_related("system").filter(pk=pk).first()
        if found is None:
            raise Missing("unknown_countermeasure", _("There is no such countermeasure."))
        found.incident = Incident.objects.numbered(found.incident.number)
        refuse_unless(self.person, Action.ADD_WORDS, found.incident)
        return Response(serializers.WhereElseSerializer(where_else(found, reader=self.person)).data)

    def _answer(self, pk: int, *, answer: str, reason: str = "", evidence: str = "", **asked: Any) -> None:
        task = {name: asked.pop(name) for name in ("owner", "due_on") if name in asked}
        if answer == Answer.APPLIES:
            lifecycle.applies_elsewhere(pk, by=self.person, **asked, **task)
        elif answer == Answer.DONE:
            lifecycle.done_elsewhere(pk, by=self.person, evidence=evidence, **asked)
        else:
            lifecycle.does_not_apply_elsewhere(pk, by=self.person, reason=reason, **asked)

    system = verb("system", lifecycle.choose_system, serializers.SystemInput)
