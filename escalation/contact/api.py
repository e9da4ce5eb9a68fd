"""How the signed-in person is told, for programs: choices, proofs and tests. The same verbs as the page's."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.urls import path
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from escalation.contact import proving
from escalation.models import Delivery, DeliveryState, Notification, Reason, Weekday
from opsdesk.errors import Missing
from plant.lifecycle import Choices, change_addresses, choose_ways
from plant.lifecycle.contact import NORMAL, URGENT
from plant.models import Channel, Language, Person


class ContactSerializer(serializers.Serializer[Any]):
    """Channels in order of preference; none: as the plant's rules say. Hours by the clock of the site."""

    mobile = serializers.CharField(
        max_length=40, allow_blank=True, required=False, help_text=_("As people write it; kept as E.164.")
    )
    mobile_verified_at = serializers.DateTimeField(read_only=True, allow_null=True)
    email = serializers.CharField(max_length=254, allow_blank=True, required=False)
    email_verified_at = serializers.DateTimeField(read_only=True, allow_null=True)
    urgent = serializers.ListField(
        child=serializers.ChoiceField(choices=[(one.value, one.label) for one in URGENT]),
        source="urgent_channels",
        required=False,
    )
    normal = serializers.ListField(
        child=serializers.ChoiceField(choices=[(one.value, one.label) for one in NORMAL]),
        source="normal_channels",
        required=False,
    )
    works_from = serializers.TimeField(allow_null=True, required=False)
    works_until = serializers.TimeField(allow_null=True, required=False)
    works_days = serializers.ListField(
        child=serializers.ChoiceField(choices=Weekday.choices), required=False, help_text=_("0 is Monday.")
    )
    language = serializers.ChoiceField(choices=Language.choices, required=False)


class ReceiptSerializer(serializers.Serializer[Any]):
    """How far a code or a test got."""

    channel = serializers.ChoiceField(choices=Channel.choices)
    reason = serializers.ChoiceField(choices=[(one.value, one.label) for one in proving.PROVES])
    state = serializers.ChoiceField(choices=DeliveryState.choices)
    queued_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField(allow_blank=True)


class CodeInput(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=12)


class ContactView(APIView):
    @extend_schema(responses=ContactSerializer)
    def get(self, request: Request) -> Response:
        """How you are told."""
        return Response(ContactSerializer(cast(Person, request.user)).data)

    @extend_schema(request=ContactSerializer, responses=ContactSerializer)
    def patch(self, request: Request) -> Response:
        """Change what is given; a new number or address must be verified again."""
        person = cast(Person, request.user)
        said = ContactSerializer(data=request.data, partial=True)
        said.is_valid(raise_exception=True)
        given = said.validated_data
        if {"mobile", "email"} & set(given):
            to = {name: given.get(name, getattr(person, name)) for name in ("mobile", "email")}
            person = change_addresses(person, mobile=to["mobile"], email=to["email"], by=person)
        person = choose_ways(person, _choices(person, given), by=person)
        return Response(ContactSerializer(person).data)


def _choices(person: Person, given: dict[str, Any]) -> Choices:
    """What was given over what was chosen before."""

    def value(name: str) -> Any:
        return given.get(name, getattr(person, name))

    return Choices(
        urgent=value("urgent_channels"),
        normal=value("normal_channels"),
        works_from=value("works_from"),
        works_until=value("works_until"),
        works_days=value("works_days"),
        language=value("language"),
    )


def _receipt(notification: Notification) -> dict[str, Any]:
    sent = Delivery.objects.get(notification=notification)
    return {
        "channel": sent.channel,
        "reason": notification.reason,
        "state": sent.state,
        "queued_at": sent.queued_at,
        "sent_at": sent.sent_at,
        "delivered_at": sent.delivered_at,
        "answered_at": notification.answered_at,
        "error": sent.error,
    }


def _known(channel: str) -> str:
    if channel not in settings.CHANNELS:
        raise Missing("unknown_channel", _("There is no such way here."))
    return channel


class VerifyView(APIView):
    @extend_schema(request=None, responses={201: ReceiptSerializer})
    def post(self, request: Request, channel: str) -> Response:
        """Send a code by SMS or a link by email that proves the number or address."""
        person = cast(Person, request.user)
        sent = proving.start(person, _known(channel), by=person)
        return Response(ReceiptSerializer(_receipt(sent)).data, status=status.HTTP_201_CREATED)


class CodeView(APIView):
    @extend_schema(request=CodeInput, responses=ContactSerializer)
    def post(self, request: Request) -> Response:
        """Enter the code that was texted."""
        said = CodeInput(data=request.data)
        said.is_valid(raise_exception=True)
        person = cast(Person, request.user)
        proving.confirm_code(person, said.validated_data["code"], by=person)
        person.refresh_from_db()
        return Response(ContactSerializer(person).data)


class TestView(APIView):
    @extend_schema(responses=ReceiptSerializer)
    def get(self, request: Request, channel: str) -> Response:
        """How far the last test got."""
        found = proving.newest(cast(Person, request.user), _known(channel), Reason.TEST)
        if found is None:
            raise Missing("no_test", _("No test was sent by this way yet."))
        return Response(ReceiptSerializer(_receipt(found)).data)

    @extend_schema(request=None, responses={201: ReceiptSerializer})
    def post(self, request: Request, channel: str) -> Response:
        """Send a real test message by this channel."""
        person = cast(Person, request.user)
        sent = proving.send_test(person, _known(channel), by=person)
        return Response(ReceiptSerializer(_receipt(sent)).data, status=status.HTTP_201_CREATED)


urlpatterns = [
    path("me/contact/", ContactView.as_view(), name="api-contact"),
    path("me/contact/code/", CodeView.as_view(), name="api-contact-code"),
    path("me/contact/<slug:channel>/verify/", VerifyView.as_view(), name="api-contact-verify"),
    path("me/contact/<slug:channel>/test/", TestView.as_view(), name="api-contact-test"),
]
