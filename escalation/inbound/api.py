"""What came in, for programs: who sent what, what it did, and what was answered."""

from __future__ import annotations

from typing import cast

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.viewsets import GenericViewSet

from escalation.inbound import inbox
from escalation.models import Did, Inbound
from escalation.serializers import PersonBrief
from opsdesk.paging import NewestFirst
from plant.models import Channel, Person


class InboundSerializer(serializers.ModelSerializer[Inbound]):
    person = PersonBrief(read_only=True, allow_null=True)
    incident = serializers.IntegerField(source="incident.number", read_only=True, allow_null=True)
    did = serializers.ChoiceField(choices=Did.choices, read_only=True)

    class Meta:
        model = Inbound
        fields = [
            *("id", "channel", "received_at", "sender", "to", "text", "person", "incident"),
            *("did", "reply", "replied_at"),
        ]
        read_only_fields = fields


FILTERS = [
    OpenApiParameter("channel", str, enum=[Channel.SMS.value, Channel.EMAIL.value]),
    OpenApiParameter("show", str, enum=["unclear"], description="Only what somebody should look at."),
]


@extend_schema_view(list=extend_schema(parameters=FILTERS))
class InboundViewSet(mixins.ListModelMixin, GenericViewSet[Inbound]):
    """Texts and mails from outside, of the sites of an IT manager, newest first."""

    queryset = Inbound.objects.none()
    serializer_class = InboundSerializer
    pagination_class = NewestFirst
    filter_backends = ()

    def get_queryset(self) -> QuerySet[Inbound]:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        asked = self.request.query_params
        found = inbox.visible_to(cast(Person, self.request.user))
        return inbox.asked_for(found, channel=asked.get("channel", ""), show=asked.get("show", ""))
