"""One's own phones and tablets, for programs."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from escalation import devices
from escalation.channels import push
from escalation.models import PushDevice
from plant.models import Person


class PushDeviceSerializer(serializers.ModelSerializer[PushDevice]):
    class Meta:
        model = PushDevice
        fields = ["id", "name", "created_at", "last_used_at"]
        read_only_fields = fields


class SignUpInput(serializers.Serializer[Any]):
    """What `PushManager.subscribe()` gave, and a name for the device."""

    endpoint = serializers.CharField(max_length=1000)
    p256dh = serializers.CharField(max_length=120)
    auth = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=devices.NAME_LENGTH, required=False, allow_blank=True)


class PushKeySerializer(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="`applicationServerKey`, base64url.")


class PushDeviceViewSet(mixins.ListModelMixin, GenericViewSet[PushDevice]):
    """The devices that show one's own alerts."""

    queryset = PushDevice.objects.all()
    serializer_class = PushDeviceSerializer
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[PushDevice]:
        return PushDevice.objects.filter(person=cast(Person, self.request.user))

    @extend_schema(request=SignUpInput, responses={201: PushDeviceSerializer})
    def create(self, request: Request) -> Response:
        """This browser shows one's alerts from now on. Repeating it is harmless."""
        said = SignUpInput(data=request.data)
        said.is_valid(raise_exception=True)
        device = devices.subscribe(by=cast(Person, request.user), **said.validated_data)
        return Response(PushDeviceSerializer(device).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """It shows no more alerts."""
        devices.remove(int(pk), by=cast(Person, request.user))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses=PushKeySerializer, filters=False)
    @action(detail=False, pagination_class=None)
    def key(self, request: Request) -> Response:
        """The public key to sign up with."""
        return Response({"key": push.public_key()})
