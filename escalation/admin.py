"""Looking at the engine: nothing here is changed by hand. Policies are published, never edited."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from escalation.keys import without_keys
from escalation.models import ChaseRule, Delivery, Heartbeat, Notification, Policy, Run, Timer, Unread
from incidents.admin import OnlyRead
from plant.admin import ManagedByIT


class ReadOnly(OnlyRead, ManagedByIT):
    """Shown to IT managers for their sites; totals are not counted, for these tables are long."""

    show_full_result_count = False
    list_per_page = 50


@admin.register(Policy)
class PolicyAdmin(ReadOnly):
    site_lookup = "site"
    seen_without_site = True
    list_display = ("severity", "site", "area", "category", "version", "is_current", "published_at", "why")
    list_filter = ("severity", "is_current")
    list_select_related = ("site", "area", "category")


@admin.register(Run)
class RunAdmin(ReadOnly):
    site_lookup = "incident__site"
    list_display = ("incident", "policy", "incident_version", "replanned_at")
    list_select_related = ("incident", "policy")
    search_fields = ("=incident__number",)


@admin.register(Timer)
class TimerAdmin(ReadOnly):
    site_lookup = "incident__site"
    list_display = ("incident", "clock", "severity", "step", "round", "due_at", "state", "fired_at")
    list_filter = ("state", "clock", "severity")
    list_select_related = ("incident",)
    search_fields = ("=incident__number",)
    ordering = ("-id",)


@admin.register(Notification)
class NotificationAdmin(ReadOnly):
    """The token is left out: whoever has it can answer in that person's name."""

    site_lookup = "incident__site"
    list_display = ("incident", "person", "reason", "clock", "role", "created_at", "answered_at", "answer")
    list_filter = ("reason", "clock")
    list_select_related = ("incident", "person")
    search_fields = ("=incident__number", "person__name")
    exclude = ("token",)
    ordering = ("-id",)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly):
    """The words are left out: they hold the link that answers. So does the reference of a mail."""

    site_lookup = "notification__incident__site"
    list_display = ("who", "channel", "address", "state", "attempt", "queued_at", "sent_at", "error")
    list_filter = ("state", "channel")
    search_fields = ("=notification__incident__number", "address", "=provider_ref")
    exclude = ("text", "html", "provider_ref")
    readonly_fields = ("reference",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return super().get_queryset(request).select_related("notification__person")

    @admin.display(description=_("Provider’s reference"))
    def reference(self, delivery: Delivery) -> str:
        return without_keys(delivery.provider_ref)

    @admin.display(description="→")
    def who(self, delivery: Delivery) -> str:
        return str(delivery.notification.person)


@admin.register(Unread)
class UnreadAdmin(ReadOnly):
    site_lookup = "incident__site"
    list_display = ("incident", "failures", "not_before")
    list_select_related = ("incident",)


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnly):
    list_display = ("name", "at")


@admin.register(ChaseRule)
class ChaseRuleAdmin(ManagedByIT):
    """An IT manager says here when people of their site are asked about promises."""

    site_lookup = "site"
    list_display = ("site", "before", "lead_after", "it_manager_after", "managers_after", "again_every")
    list_select_related = ("site",)
