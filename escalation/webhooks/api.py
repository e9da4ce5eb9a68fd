"""Chat rooms and webhooks for programs: set up, test, see what was posted, send it again."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from escalation.models import Listener, ListenerKind, Post, PostState
from escalation.webhooks import lifecycle
from incidents.models import EventKind, Severity
from incidents.serializers import by_code, code_of
from plant.models import Area, Language, Person, Role, Site


class ListenerSerializer(serializers.ModelSerializer[Listener]):
    """The address and the secret are never given back."""

    site = code_of("site.code")
    area = code_of("area.code")

    class Meta:
        model = Listener
        fields = [
            *("id", "site", "area", "name", "severities", "kinds", "roles", "language", "is_active"),
            *("created_at", "last_ok_at", "failing_since", "failures", "last_error", "switched_off_at"),
        ]
        read_only_fields = fields


class NewWebhookSerializer(ListenerSerializer):
    secret = serializers.SerializerMethodField(help_text="Shown now, and never again.")

    class Meta(ListenerSerializer.Meta):
        fields = [*ListenerSerializer.Meta.fields, "secret"]
        read_only_fields = fields

    @extend_schema_field(serializers.CharField())
    def get_secret(self, _listener: Listener) -> str:
        return str(self.context["secret"])


class SecretSerializer(serializers.Serializer[Any]):
    secret = serializers.CharField()


class PostSerializer(serializers.ModelSerializer[Post]):
    event = serializers.IntegerField(source="event_id", allow_null=True, help_text="Empty for a test.")
    state = serializers.ChoiceField(choices=PostState.choices)

    class Meta:
        model = Post
        fields = ["id", "event", "state", "attempt", "queued_at", "not_before", "sent_at", "status", "error"]
        read_only_fields = fields


class ChangeListenerInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=60)
    area = by_code(Area.objects.all(), required=False, allow_null=True)
    severities = serializers.ListField(
        child=serializers.ChoiceField(choices=Severity.choices), required=False, help_text="Empty: all."
    )
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=EventKind.choices), required=False, help_text="Empty: all."
    )
    roles = serializers.ListField(
        child=serializers.ChoiceField(choices=Role.choices),
        required=False,
        help_text="Only what these are told, and how it goes on. Empty: everybody's.",
    )
    language = serializers.ChoiceField(choices=Language.choices, required=False)
    address = serializers.CharField(max_length=2000, required=False, help_text="Empty: as it is.")


class ListenerInput(ChangeListenerInput):
    site = by_code(Site.objects.all())
    address = serializers.CharField(max_length=2000)


class ListenerViewSet(mixins.ListModelMixin, GenericViewSet[Listener]):
    queryset = Listener.objects.all()
    serializer_class = ListenerSerializer
    lookup_value_regex = "[0-9]{1,18}"
    kind: ClassVar[ListenerKind]

    @property
    def person(self) -> Person:
        return cast(Person, self.request.user)

    def get_queryset(self) -> QuerySet[Listener]:
        sites = [site.pk for site in Site.objects.all() if lifecycle.may_set_up(self.person, site)]
        found = Listener.objects.filter(kind=self.kind, site__in=sites)
        return found.select_related("site", "area").order_by("-pk")

    @extend_schema(responses=ListenerSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(ListenerSerializer(self.get_object()).data)

    @extend_schema(request=ChangeListenerInput, responses=ListenerSerializer)
    def update(self, request: Request, pk: str) -> Response:
        """What it is called and what it hears."""
        said = ChangeListenerInput(data=request.data)
        said.is_valid(raise_exception=True)
        found = lifecycle.change(self.get_object().pk, by=self.person, **said.validated_data)
        return Response(ListenerSerializer(found).data)

    @extend_schema(request=None, responses=ListenerSerializer)
    @action(detail=True, methods=["post"], url_path="switch-on")
    def switch_on(self, request: Request, pk: str) -> Response:
        """It hears what happens from now on."""
        return self._switch(on=True)

    @extend_schema(request=None, responses=ListenerSerializer)
    @action(detail=True, methods=["post"], url_path="switch-off")
    def switch_off(self, request: Request, pk: str) -> Response:
        """It hears nothing more."""
        return self._switch(on=False)

    def _switch(self, *, on: bool) -> Response:
        found = lifecycle.switch(self.get_object().pk, by=self.person, on=on)
        return Response(ListenerSerializer(found).data)

    @extend_schema(request=None, responses=PostSerializer)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """A test goes out now; what came of it is the answer."""
        return Response(PostSerializer(lifecycle.try_out(self.get_object().pk, by=self.person)).data)

    @extend_schema(responses=PostSerializer(many=True))
    @action(detail=True)
    def posts(self, request: Request, pk: str) -> Response:
        """What was posted, newest first."""
        page: Any = self.paginate_queryset(self.get_object().posts.order_by("-pk"))  # type: ignore[arg-type]
        return self.get_paginated_response(PostSerializer(page, many=True).data)

    @extend_schema(request=None, responses=PostSerializer)
    @action(detail=True, methods=["post"], url_path="posts/(?P<post>[0-9]{1,18})/resend")
    def resend(self, request: Request, pk: str, post: str) -> Response:
        """Once more, with the same event id."""
        found = lifecycle.resend(self.get_object().pk, int(post), by=self.person)
        return Response(PostSerializer(found).data)


class ChatRoomViewSet(ListenerViewSet):
    """Rooms in Microsoft Teams, Slack, Telegram … that hear what happens. `address` is an Apprise URL."""

    kind = ListenerKind.CHAT

    @extend_schema(request=ListenerInput, responses={201: ListenerSerializer})
    def create(self, request: Request) -> Response:
        said = ListenerInput(data=request.data)
        said.is_valid(raise_exception=True)
        found, _secret = lifecycle.add(by=self.person, kind=self.kind, **said.validated_data)
        return Response(ListenerSerializer(found).data, status=status.HTTP_201_CREATED)


class WebhookViewSet(ListenerViewSet):
    """Programs that get every event of the timeline as signed JSON. See docs/integrations.md."""

    kind = ListenerKind.WEBHOOK

    @extend_schema(request=ListenerInput, responses={201: NewWebhookSerializer})
    def create(self, request: Request) -> Response:
        """The answer holds the secret that signs. It is shown this once."""
        said = ListenerInput(data=request.data)
        said.is_valid(raise_exception=True)
        found, secret = lifecycle.add(by=self.person, kind=self.kind, **said.validated_data)
        row = NewWebhookSerializer(found, context={"secret": secret}).data
        return Response(row, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=SecretSerializer)
    @action(detail=True, methods=["post"], url_path="new-secret")
    def new_secret(self, request: Request, pk: str) -> Response:
        """Another secret; the one before signs nothing any more."""
        return Response({"secret": lifecycle.new_secret(self.get_object().pk, by=self.person)})
