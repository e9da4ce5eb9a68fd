"""When people are asked about promises, for programs."""

from __future__ import annotations

from typing import cast

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from escalation.chasing.schedule import FIELDS, change_schedule, schedule_of
from escalation.models import ChaseRule
from incidents.serializers import code_of
from opsdesk.errors import Missing
from plant.models import Person, Site
from plant.visibility import of_sites


class ScheduleSerializer(serializers.ModelSerializer[ChaseRule]):
    """In hours. A site that is not listed is asked by the built-in schedule."""

    site = code_of("site.code")

    class Meta:
        model = ChaseRule
        fields = ("site", *FIELDS)


class ScheduleViewSet(mixins.ListModelMixin, GenericViewSet[ChaseRule]):
    """When people of a site are asked about their promises."""

    queryset = ChaseRule.objects.select_related("site").order_by("site__code")
    serializer_class = ScheduleSerializer
    lookup_field = "site"
    lookup_value_regex = "[A-Za-z0-9-]{1,24}"

    @property
    def person(self) -> Person:
        return cast(Person, self.request.user)

    def get_queryset(self) -> QuerySet[ChaseRule]:
        return of_sites(super().get_queryset(), reader=self.person, by="site")

    def retrieve(self, request: Request, site: str) -> Response:
        """As it is; the built-in one where nobody has changed it."""
        return Response(ScheduleSerializer(schedule_of(self._site(site))).data)

    @extend_schema(request=ScheduleSerializer, responses=ScheduleSerializer)
    def update(self, request: Request, site: str) -> Response:
        """Ask sooner or later; what is left out stays. What is promised already is planned anew."""
        found = self._site(site)
        known = schedule_of(found)
        said = ScheduleSerializer(known, data=request.data, partial=True)
        said.is_valid(raise_exception=True)
        hours = {name: said.validated_data.get(name, getattr(known, name)) for name in FIELDS}
        return Response(ScheduleSerializer(change_schedule(found, by=self.person, hours=hours)).data)

    def _site(self, code: str) -> Site:
        found = Site.objects.filter(code__iexact=code).first()
        if found is None or not self.person.sees_site(found):
            raise Missing("unknown_site", _("There is no such site."))
        return found
