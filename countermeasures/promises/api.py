"""Promises for programs: the ledger's list and numbers, and the verbs behind its buttons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from countermeasures.promises import doing, lifecycle
from countermeasures.promises.access import FLOOR, IT, may_see, people_seen, without_others_late
from countermeasures.promises.ledger import TEAMS, Asked, ledger, rows_of
from countermeasures.promises.models import InTheWay, Outcome, Promise, PromiseKind, PromiseQuerySet
from opsdesk.errors import Missing, NotAllowed
from plant.models import Person, RoleAssignment, Site


class PromiseSerializer(serializers.ModelSerializer[Promise]):
    """`due_on` is given when a day was promised; `due_at` is then the end of that day."""

    incident = serializers.CharField(source="incident.code", default=None, read_only=True)
    person = serializers.CharField(source="person.username", read_only=True)
    given_to = serializers.CharField(source="given_to.username", default=None, read_only=True)
    site = serializers.CharField(source="site.code", read_only=True)
    area = serializers.CharField(source="area.code", default=None, read_only=True)
    waits_on = serializers.CharField(
        read_only=True, help_text=_("Whom or what its incident waits on, in words; empty when on nobody.")
    )
    waits_until = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text=_("When that was promised for.")
    )

    class Meta:
        model = Promise
        fields = (
            "id",
            "kind",
            "what",
            "person",
            "given_to",
            "incident",
            "countermeasure",
            "site",
            "area",
            "given_at",
            "first_due_at",
            "due_at",
            "due_on",
            "moved",
            "slipped",
            "outcome",
            "ended_at",
            "in_the_way",
            "in_the_way_words",
            "waits_on",
            "waits_until",
        )
        read_only_fields = fields


class KeepInput(serializers.Serializer[Any]):
    words = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class NewDateInput(serializers.Serializer[Any]):
    due_on = serializers.DateField()
    reason = serializers.CharField(max_length=300)
    in_the_way = serializers.ChoiceField(choices=InTheWay.choices, required=False, default="")


class InTheWayInput(serializers.Serializer[Any]):
    in_the_way = serializers.ChoiceField(choices=InTheWay.choices)
    words = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class PersonRow(serializers.Serializer[Any]):
    """One person's own numbers over their last promises."""

    person = serializers.CharField(source="person.username")
    kept = serializers.IntegerField()
    ended = serializers.IntegerField()
    moved = serializers.IntegerField()
    late_since = serializers.DateTimeField(allow_null=True)
    open = serializers.IntegerField(source="carried.open")
    due_in_two_weeks = serializers.IntegerField(source="carried.two_weeks")
    in_the_way = serializers.CharField()


class ReasonRow(serializers.Serializer[Any]):
    """What was in the way, in words, and how often."""

    reason = serializers.CharField(source="label")
    count = serializers.IntegerField()


class TeamNumbers(serializers.Serializer[Any]):
    """How promises ended in the last 30 days, what is open now, and what was in the way."""

    kept = serializers.IntegerField(source="numbers.kept", help_text=_("Kept on the first date"))
    kept_by_agreement = serializers.IntegerField(source="numbers.by_agreement")
    late = serializers.IntegerField(source="numbers.finished_late", help_text=_("Finished late"))
    open = serializers.IntegerField(source="numbers.open")
    passed = serializers.IntegerField(source="numbers.passed", help_text=_("Open, and the date is over"))
    due_in_a_week = serializers.IntegerField(source="numbers.week")
    in_the_way = ReasonRow(source="bars", many=True)


SITE = OpenApiParameter("site", OpenApiTypes.STR, description="A code; else your own site.")
ASKED = [
    SITE,
    OpenApiParameter("team", OpenApiTypes.STR, enum=list(TEAMS)),
    OpenApiParameter("area", OpenApiTypes.STR, description="A code."),
    OpenApiParameter("kind", OpenApiTypes.STR, enum=list(PromiseKind.values)),
]


class PromiseFilter(django_filters.FilterSet):
    site = django_filters.CharFilter(field_name="site__code", max_length=24)
    area = django_filters.CharFilter(field_name="area__code", max_length=24)
    kind = django_filters.ChoiceFilter(choices=PromiseKind.choices)
    outcome = django_filters.ChoiceFilter(choices=Outcome.choices)
    incident = django_filters.NumberFilter(field_name="incident__number", label=_("A number, without INC-"))
    due_before = django_filters.DateFilter(
        field_name="due_on", lookup_expr="lt", label=_("Promised for a day before this one")
    )
    team = django_filters.ChoiceFilter(
        choices=[("it", _("IT")), ("floor", _("The floor"))], method="of_team", label=_("Whose promises")
    )
    passed = django_filters.BooleanFilter(method="has_passed", label=_("Open, and the date is over"))

    class Meta:
        model = Promise
        fields: ClassVar[tuple[str, ...]] = ()

    def of_team(self, found: PromiseQuerySet, name: str, value: str) -> PromiseQuerySet:
        """By the roles of who promised: a team's promises are for everybody to see."""
        roles = IT if value == "it" else FLOOR
        return found.filter(person__in=RoleAssignment.objects.filter(role__in=roles).values("person"))

    def has_passed(self, found: PromiseQuerySet, name: str, value: bool) -> PromiseQuerySet:
        now = timezone.now()
        return found.passed(now) if value else found.open().filter(due_at__gt=now)


class PromiseViewSet(GenericViewSet[Promise]):
    """Who promised what to whom, by when, and how it ended."""

    queryset = Promise.objects.all()
    serializer_class = PromiseSerializer
    filterset_class = PromiseFilter
    lookup_value_regex = "[0-9]{1,18}"

    @property
    def reader(self) -> Person:
        return cast(Person, self.request.user)

    def get_queryset(self) -> QuerySet[Promise]:
        sites = self._sites()
        found = Promise.objects.with_people().filter(site__in=sites)
        return without_others_late(found, self.reader, sites)

    @extend_schema(parameters=[OpenApiParameter("person", OpenApiTypes.STR, description="A login.")])
    def list(self, request: Request) -> Response:
        """Newest first. Everybody sees what is open or was kept; what ended late, and `person`, only
        themselves, their lead and managers."""
        found = self.filter_queryset(self.get_queryset())
        username = request.query_params.get("person", "")
        if username:
            found = found.filter(person=self._person(username))
        return self.get_paginated_response(
            PromiseSerializer(self.paginate_queryset(found) or [], many=True).data
        )

    def _person(self, username: str) -> Person:
        """The person asked for; NotAllowed for one of another team, also when there is none."""
        person = Person.objects.filter(username=username).select_related("site").first()
        if person == self.reader:
            return self.reader
        if person is None or person.site is None or not may_see(self.reader, person, person.site):
            raise NotAllowed("not_your_team", _("Only they, their lead and managers see this."))
        return person

    def retrieve(self, request: Request, pk: int) -> Response:
        return Response(PromiseSerializer(self._one(pk)).data)

    def _one(self, pk: int) -> Promise:
        found = self.get_queryset().filter(pk=pk).first()
        if found is None:
            raise Missing("unknown_promise", _("There is no such promise."))
        return found

    @extend_schema(
        parameters=[SITE],
        responses=PersonRow(many=True),
        filters=False,
    )
    @action(detail=False, pagination_class=None, filterset_class=None)
    def people(self, request: Request) -> Response:
        """The rows that you may see: your own, your team's as lead, everybody's as manager."""
        site = self._site(request)
        here = Promise.objects.filter(site=site)
        rows = rows_of(people_seen(self.reader, site), here, timezone.now(), site=site)
        return Response(PersonRow(rows, many=True).data)

    @extend_schema(
        parameters=ASKED,
        responses=TeamNumbers,
        filters=False,
    )
    @action(detail=False, pagination_class=None, filterset_class=None)
    def numbers(self, request: Request) -> Response:
        """For everybody: the team's numbers of the last 30 days, and what was in the way, the most first."""
        asked = Asked.from_address(request.query_params.dict())
        found = ledger(asked, site=self._site(request), reader=self.reader, now=timezone.now())
        return Response(TeamNumbers(found).data)

    def _sites(self) -> Sequence[Site]:
        found = Site.objects.all()
        return tuple(found if self.reader.is_corporate else found.filter(pk__in=self.reader.site_ids))

    def _site(self, request: Request) -> Site:
        """The one that is asked for, else the reader's own; raises Missing."""
        code = request.query_params.get("site", "")
        named = [one for one in self._sites() if code in ("", one.code)]
        site = self.reader.site if not code and self.reader.site else next(iter(named), None)
        if site is None:
            raise Missing("unknown_site", _("There is no such site."))
        return site

    @extend_schema(request=KeepInput, responses=PromiseSerializer, filters=False)
    @action(detail=True, methods=["post"])
    def keep(self, request: Request, pk: int) -> Response:
        """It is done. `words` say how one can see it, where the thing asks for evidence."""
        said = KeepInput(data=request.data)
        said.is_valid(raise_exception=True)
        doing.keep(self._one(pk), by=self.reader, **said.validated_data)
        return Response(PromiseSerializer(self._one(pk)).data)

    @extend_schema(request=NewDateInput, responses=PromiseSerializer, filters=False)
    @action(detail=True, methods=["post"], url_path="new-date")
    def new_date(self, request: Request, pk: int) -> Response:
        """Another day with its reason: before the old one has passed it counts as kept, then as late."""
        said = NewDateInput(data=request.data)
        said.is_valid(raise_exception=True)
        doing.agree_new_date(self._one(pk), by=self.reader, **said.validated_data)
        return Response(PromiseSerializer(self._one(pk)).data)

    @extend_schema(request=InTheWayInput, responses=PromiseSerializer, filters=False)
    @action(detail=True, methods=["post"], url_path="in-the-way")
    def in_the_way(self, request: Request, pk: int) -> Response:
        """What is in the way of the date, from the short list, and in words."""
        said = InTheWayInput(data=request.data)
        said.is_valid(raise_exception=True)
        lifecycle.say_why(pk, by=self.reader, **said.validated_data)
        return Response(PromiseSerializer(self._one(pk)).data)
