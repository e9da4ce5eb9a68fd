"""The delivery log for programs, with the same filters as the page; and sending a message again."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from escalation import delivery_log
from escalation.delivery_log import Asked
from escalation.models import Delivery, DeliveryState, Reason
from escalation.resending import LONGEST_WHY, resend
from escalation.serializers import PersonBrief
from opsdesk.paging import NewestFirst
from plant.models import Channel, Person

FILTERS = [
    OpenApiParameter("person", str, description="Part of a name, number or address; or a user name."),
    OpenApiParameter("channel", str, enum=Channel.values),
    OpenApiParameter("state", str, enum=DeliveryState.values),
    OpenApiParameter("provider", str),
    OpenApiParameter("incident", str, description="INC-1042 or 1042."),
    OpenApiParameter("since", OpenApiTypes.DATETIME, description="Queued then or later."),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="Queued then or before."),
]


class LoggedDelivery(serializers.ModelSerializer[Delivery]):
    """How far a message got. Its words stay out: a link in them answers for its reader."""

    person = PersonBrief(source="notification.person", read_only=True)
    incident = serializers.SerializerMethodField(help_text=_("Its number; null where it is about a site."))
    reason = serializers.ChoiceField(source="notification.reason", choices=Reason.choices, read_only=True)
    answered_at = serializers.DateTimeField(
        source="notification.answered_at", read_only=True, allow_null=True
    )

    def get_incident(self, row: Delivery) -> int | None:
        return row.notification.incident.number if row.notification.incident else None

    class Meta:
        model = Delivery
        fields = [
            "id",
            "person",
            "incident",
            "reason",
            "channel",
            "address",
            "state",
            "attempt",
            "provider",
            "queued_at",
            "sent_at",
            "delivered_at",
            "failed_at",
            "answered_at",
            "error",
        ]
        read_only_fields = fields


class ResendInput(serializers.Serializer[Any]):
    why = serializers.CharField(
        max_length=LONGEST_WHY, required=False, allow_blank=True, default="", help_text=_("Kept with it.")
    )


class DeliveryViewSet(mixins.ListModelMixin, GenericViewSet[Delivery]):
    """How messages got there, of the sites that you look after."""

    queryset = Delivery.objects.none()
    serializer_class = LoggedDelivery
    pagination_class = NewestFirst
    filter_backends = ()
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Delivery]:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        asked = Asked.of(self.request.query_params.dict())
        found = delivery_log.visible_to(cast(Person, self.request.user))
        return delivery_log.asked_for(found, asked).defer("text", "html")

    @extend_schema(parameters=FILTERS)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Every message, newest first."""
        return super().list(request, *args, **kwargs)

    @extend_schema(request=ResendInput, responses={201: LoggedDelivery})
    @action(detail=True, methods=["post"], pagination_class=None)
    def resend(self, request: Request, pk: str) -> Response:
        """Send it once more, by the same channel, to the address as it is now."""
        said = ResendInput(data=request.data)
        said.is_valid(raise_exception=True)
        made = resend(int(pk), by=cast(Person, request.user), why=said.validated_data["why"])
        return Response(LoggedDelivery(made).data, status=status.HTTP_201_CREATED)
