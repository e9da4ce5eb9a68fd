"""Setup for IT managers: the tiles and the numbers. Incidents are read here; only the verbs change them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from incidents.models import Category, Event, Incident, SeverityRule
from plant.admin import ManagedByIT, RowsManagedByIT

A_QUARTER, TWO_YEARS = 92, 730
"""Days: the longest bandage and the longest proof that make sense."""


class OnlyRead:
    """Shown, never written: everything is changed by the verbs, which keep the timeline."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Category)
class CategoryAdmin(ManagedByIT):
    """A tile that is not wanted any more is switched off, so that old incidents keep their category."""

    list_display = ("name", "name_es", "code", "icon", "position", "is_active")
    list_editable = ("position", "is_active")
    search_fields = ("code", "name", "name_es")
    prepopulated_fields = {"code": ("name",)}

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class SeverityRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    update_every_minutes = forms.IntegerField(
        label=_("Word from the owner every (minutes)"),
        min_value=5,
        max_value=7 * 24 * 60,
        required=False,
        help_text=_("Empty: never."),
    )
    bandage_days = forms.IntegerField(
        label=_("A bandage is good for (days)"), min_value=1, max_value=A_QUARTER
    )
    proving_days = forms.IntegerField(
        label=_("A fix is proved over (days)"), min_value=1, max_value=TWO_YEARS
    )
    proving_shift_starts = forms.IntegerField(
        label=_("A fix is proved over (shift starts)"),
        min_value=1,
        max_value=2_000,
        required=False,
        help_text=_("Counted from the shift patterns and the calendar of the place. Both must be reached."),
    )
    extension_days = forms.IntegerField(
        label=_("A manager extends a bandage by at most (days)"),
        min_value=1,
        max_value=A_QUARTER,
        required=False,
    )
    repeat_days = forms.IntegerField(
        label=_("The same again is a repeat for (days)"),
        min_value=1,
        max_value=TWO_YEARS,
        required=False,
        help_text=_("Counted from when the old one was closed. Empty: as it is."),
    )

    class Meta:
        model = SeverityRule
        fields = (
            "update_every_minutes",
            "bandage_days",
            "extension_days",
            "proving_days",
            "proving_shift_starts",
            "repeat_days",
        )

    def clean_proving_shift_starts(self) -> int:
        return self.cleaned_data["proving_shift_starts"] or self.instance.proving_shift_starts

    def clean_extension_days(self) -> int:
        return self.cleaned_data["extension_days"] or self.instance.extension_days

    def clean_repeat_days(self) -> int:
        return self.cleaned_data["repeat_days"] or self.instance.repeat_days


@admin.register(SeverityRule)
class SeverityRuleAdmin(ManagedByIT):
    """The four severities are given; their numbers are the plant's."""

    form = SeverityRuleForm
    list_display = (
        "severity",
        "update_every_minutes",
        "bandage_days",
        "extension_days",
        "proving_days",
        "proving_shift_starts",
        "repeat_days",
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class TimelineRows(OnlyRead, RowsManagedByIT):
    model = Event
    fields = ("at", "by", "kind", "words", "version")
    ordering = ("id",)


@admin.register(Incident)
class IncidentAdmin(OnlyRead, ManagedByIT):
    site_lookup = "site"
    list_display = ("code", "title", "severity", "status", "line", "owner", "raised_at")
    list_filter = ("status", "severity", "category", "site")
    list_select_related = ("line", "owner")
    search_fields = ("=number", "title")
    ordering = ("-number",)
    show_full_result_count = False
    inlines = (TimelineRows,)
