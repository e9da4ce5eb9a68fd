"""Countermeasures and causes, read by IT managers. Only the verbs change them."""

from __future__ import annotations

from django.contrib import admin

from countermeasures.models import Cause, Countermeasure, Measurement
from incidents.admin import OnlyRead
from plant.admin import ManagedByIT


@admin.register(Countermeasure)
class CountermeasureAdmin(OnlyRead, ManagedByIT):
    site_lookup = "incident__site"
    list_display = ("what", "kind", "stage", "incident", "owner", "due_on", "expires_on", "checker")
    list_filter = ("kind", "stage", "incident__site")
    list_select_related = ("incident", "owner", "checker")
    search_fields = ("=incident__number", "what")
    ordering = ("-id",)
    show_full_result_count = False


@admin.register(Measurement)
class MeasurementAdmin(OnlyRead, ManagedByIT):
    site_lookup = "countermeasure__incident__site"
    list_display = ("countermeasure", "at", "value", "unit", "times", "note", "by")
    list_select_related = ("countermeasure", "by")
    search_fields = ("=countermeasure__incident__number", "note")
    ordering = ("-id",)
    show_full_result_count = False


@admin.register(Cause)
class CauseAdmin(OnlyRead, ManagedByIT):
    site_lookup = "incident__site"
    list_display = ("incident", "root_cause", "escape_cause", "written_by")
    list_select_related = ("incident", "written_by")
    search_fields = ("=incident__number", "root_cause", "escape_cause")
    ordering = ("-id",)
    show_full_result_count = False
