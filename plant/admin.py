"""Setup of the plant for IT managers: people, rosters, cover, places, systems and vendors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, cast

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet, TimeField
from django.forms import TimeInput
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from plant.admin_forms import CrewForm, CrewFormSet, PersonAddForm, PersonChangeForm, RoleHeldForm
from plant.admin_site import is_it_manager
from plant.models import (
    Area,
    CalendarEntry,
    Cover,
    Crew,
    Line,
    Person,
    RoleAssignment,
    Roster,
    Shift,
    ShiftPattern,
    Site,
    SiteCalendar,
    Station,
    System,
    Vendor,
    VendorContact,
)
from plant.reach_warnings import warn_about
from plant.visibility import of_sites

admin.site.unregister(Group)  # permission comes from roles


class ITMayManage:
    """IT managers may do everything with these rows, other staff what their permissions say."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_it_manager(request) or super().has_view_permission(request, obj)  # type: ignore[misc]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        more = (obj,) if isinstance(self, admin.options.InlineModelAdmin) else ()
        return is_it_manager(request) or super().has_add_permission(request, *more)  # type: ignore[misc]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_it_manager(request) or super().has_change_permission(request, obj)  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_it_manager(request) or super().has_delete_permission(request, obj)  # type: ignore[misc]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_it_manager(request) or super().has_module_permission(request)  # type: ignore[misc]


class ManagedByIT(ITMayManage, admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows of the IT manager's own sites. ``site_lookup`` leads from the row to its site, if it has one."""

    site_lookup: ClassVar[str] = ""
    seen_without_site: ClassVar[bool] = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found = super().get_queryset(request)
        if not self.site_lookup:
            return found
        reader = cast(Person, request.user)
        return of_sites(found, reader=reader, by=self.site_lookup, shared=self.seen_without_site)


class WarnsAboutPeople:
    """After saving says at once who of the people concerned may not be reached; it never blocks."""

    def people_concerned(self, saved: Any) -> Iterable[Person | None]:
        raise AssertionError(f"{type(self).__name__} does not say whom it is about.")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)  # type: ignore[misc]
        warn_about(request, self.people_concerned(form.instance))


class RowsManagedByIT(ITMayManage, admin.TabularInline):  # type: ignore[type-arg]
    extra = 0


# --- places and systems -------------------------------------------------------------------------------------


class AreaRows(RowsManagedByIT):
    model = Area
    show_change_link = True


class LineRows(RowsManagedByIT):
    model = Line
    show_change_link = True
    fields = ("code", "name", "kind", "criticality", "flow", "buffer_minutes", "takt_seconds")


class StationRows(RowsManagedByIT):
    model = Station
    show_change_link = True
    fields = ("code", "name", "note", "systems")
    autocomplete_fields = ("systems",)


@admin.register(Site)
class SiteAdmin(WarnsAboutPeople, ManagedByIT):
    site_lookup = "pk"
    list_display = ("name", "code", "timezone", "it_phone", "last_resort")
    list_select_related = ("last_resort",)
    search_fields = ("code", "name")
    autocomplete_fields = ("last_resort",)
    inlines = (AreaRows,)

    def people_concerned(self, saved: Site) -> Iterable[Person | None]:
        return (saved.last_resort,)


@admin.register(Area)
class AreaAdmin(ManagedByIT):
    site_lookup = "site"
    list_display = ("name", "code", "site")
    list_filter = ("site",)
    list_select_related = ("site",)
    search_fields = ("code", "name")
    autocomplete_fields = ("site",)
    inlines = (LineRows,)


@admin.register(Line)
class LineAdmin(ManagedByIT):
    site_lookup = "area__site"
    list_display = ("name", "code", "area", "kind", "criticality", "flow", "buffer_minutes")
    list_filter = ("area__site", "kind", "criticality", "flow")
    list_select_related = ("area",)
    search_fields = ("code", "name")
    autocomplete_fields = ("area",)
    inlines = (StationRows,)


@admin.register(Station)
class StationAdmin(ManagedByIT):
    site_lookup = "line__area__site"
    list_display = ("name", "code", "line", "area")
    list_filter = ("line__area__site", "line__area")
    list_select_related = ("line__area",)
    search_fields = ("code", "name", "line__name")
    autocomplete_fields = ("line", "systems")

    @admin.display(description=_("area"), ordering="line__area__name")
    def area(self, station: Station) -> Area:
        return station.line.area


class VendorContactRows(RowsManagedByIT):
    model = VendorContact


@admin.register(Vendor)
class VendorAdmin(ManagedByIT):
    list_display = ("name", "supplies", "support_hours", "response_minutes", "phone")
    search_fields = ("code", "name", "supplies")
    prepopulated_fields = {"code": ("name",)}
    inlines = (VendorContactRows,)


@admin.register(System)
class SystemAdmin(ManagedByIT):
    site_lookup = "site"
    seen_without_site = True
    list_display = ("name", "plain_name", "owner", "vendor", "site", "if_down")
    list_filter = ("vendor", "site")
    list_select_related = ("owner", "vendor", "site")
    search_fields = ("code", "name", "plain_name")
    autocomplete_fields = ("owner", "vendor", "site")
    prepopulated_fields = {"code": ("plain_name",)}


# --- people -------------------------------------------------------------------------------------------------


class RoleRows(RowsManagedByIT):
    model = RoleAssignment
    form = RoleHeldForm
    autocomplete_fields = ("site", "areas")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        formset.form = type(formset.form.__name__, (formset.form,), {"giver": request.user})
        return formset


class RosterRows(RowsManagedByIT):
    model = Roster
    autocomplete_fields = ("person", "crew")


class HasRole(admin.SimpleListFilter):
    title = _("role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(RoleAssignment._meta.get_field("role").flatchoices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        held = RoleAssignment.objects.filter(role=self.value()).values("person")
        return queryset.filter(pk__in=held) if self.value() else queryset


@admin.register(Person)
class PersonAdmin(WarnsAboutPeople, ITMayManage, UserAdmin):  # type: ignore[type-arg]
    """People are switched off rather than deleted: what they did stays theirs."""

    form = PersonChangeForm
    add_form = PersonAddForm
    list_display = ("name", "held", "site", "mobile", "reachable", "is_active")
    list_filter = ("is_active", HasRole, "site", "language")
    list_select_related = ("site",)
    search_fields = ("name", "username", "email", "mobile", "title")
    ordering = ("name",)
    autocomplete_fields = ("site",)
    filter_horizontal = ()
    readonly_fields = ("mobile_verified_at", "email_verified_at", "last_login", "date_joined")
    inlines = (RoleRows, RosterRows)
    fieldsets = (
        (None, {"fields": ("username", "password", "name", "title", "department", "site", "language")}),
        (
            _("How they are told"),
            {
                "fields": (
                    ("mobile", "mobile_verified_at"),
                    ("email", "email_verified_at"),
                    "urgent_channels",
                    "normal_channels",
                    ("works_from", "works_until"),
                )
            },
        ),
        (_("Signing in"), {"fields": ("is_active", "badge", "last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": (
                    "username",
                    "name",
                    "site",
                    "email",
                    "mobile",
                    "language",
                    "usable_password",
                    "password1",
                    "password2",
                )
            },
        ),
    )
    superuser_fieldset = (_("Technical access"), {"fields": (("is_staff", "is_superuser"),)})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Person]:
        found = super().get_queryset(request).prefetch_related("role_assignments")
        return cast(
            QuerySet[Person], of_sites(found, reader=cast(Person, request.user), by="site", shared=True)
        )

    def get_fieldsets(self, request: HttpRequest, obj: Person | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return [*fieldsets, self.superuser_fieldset] if obj and request.user.is_superuser else fieldsets

    def people_concerned(self, saved: Person) -> Iterable[Person | None]:
        return (saved,)

    def save_model(self, request: HttpRequest, obj: Person, form: Any, change: bool) -> None:
        """A new number or address has not been verified, whatever the old one was."""
        for name in ("mobile", "email"):
            if change and name in form.changed_data:
                setattr(obj, f"{name}_verified_at", None)
        super().save_model(request, obj, form, change)

    def get_inlines(self, request: HttpRequest, obj: Person | None) -> Any:
        return self.inlines if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Person | None = None) -> bool:
        """A superuser is changed by superusers only, else an IT manager could become one; and who works for
        every site by who does so too."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        if obj is not None and obj.is_corporate and not cast(Person, request.user).is_corporate:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Person | None = None) -> bool:
        return request.user.is_superuser

    @admin.display(description=_("roles"))
    def held(self, person: Person) -> str:
        labels = dict.fromkeys(str(held.get_role_display()) for held in person.role_assignments.all())
        return ", ".join(labels) or "–"

    @admin.display(description=_("number verified"), boolean=True)
    def reachable(self, person: Person) -> bool:
        return bool(person.mobile and person.mobile_verified_at)


# --- shifts -------------------------------------------------------------------------------------------------


class ShiftRows(RowsManagedByIT):
    """Times on the wall: without the calendar's shortcuts, which speak of the browser's time zone."""

    model = Shift
    formfield_overrides: ClassVar = {TimeField: {"widget": TimeInput(format="%H:%M", attrs={"size": 6})}}


class CrewRows(RowsManagedByIT):
    model = Crew
    form = CrewForm
    formset = CrewFormSet  # type: ignore[assignment]
    show_change_link = True


@admin.register(ShiftPattern)
class ShiftPatternAdmin(ManagedByIT):
    site_lookup = "site"
    list_display = ("name", "code", "site", "cycle_days", "anchor")
    list_filter = ("site",)
    list_select_related = ("site",)
    search_fields = ("code", "name")
    autocomplete_fields = ("site", "areas")
    inlines = (ShiftRows, CrewRows)


@admin.register(Crew)
class CrewAdmin(WarnsAboutPeople, ManagedByIT):
    """Who works with the crew. The rotation is changed with the pattern, where its shifts are in view."""

    site_lookup = "pattern__site"
    list_display = ("name", "code", "pattern")
    list_filter = ("pattern__site", "pattern")
    list_select_related = ("pattern",)
    search_fields = ("code", "name", "pattern__name")
    fields = ("pattern", "code", "name", "days")
    readonly_fields = fields
    inlines = (RosterRows,)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def people_concerned(self, saved: Crew) -> Iterable[Person | None]:
        return Person.objects.filter(rosters__crew=saved).distinct()

    @admin.display(description=_("rotation"))
    def days(self, crew: Crew) -> str:
        return " ".join(code or "-" for code in crew.rotation)


@admin.register(Roster)
class RosterAdmin(WarnsAboutPeople, ManagedByIT):
    site_lookup = "crew__pattern__site"
    list_display = ("person", "crew", "pattern", "first_day", "last_day")
    list_filter = ("crew__pattern", "crew")
    list_select_related = ("person", "crew__pattern")
    search_fields = ("person__name", "person__username", "crew__name")
    autocomplete_fields = ("person", "crew")
    date_hierarchy = "first_day"

    def people_concerned(self, saved: Roster) -> Iterable[Person | None]:
        return (saved.person,)

    @admin.display(description=_("pattern"), ordering="crew__pattern__name")
    def pattern(self, roster: Roster) -> ShiftPattern:
        return roster.crew.pattern


@admin.register(SiteCalendar)
class SiteCalendarAdmin(ManagedByIT):
    site_lookup = "site"
    list_display = ("site", "country", "subdivision")
    list_select_related = ("site",)
    search_fields = ("site__name", "country")
    autocomplete_fields = ("site",)


@admin.register(CalendarEntry)
class CalendarEntryAdmin(ManagedByIT):
    site_lookup = "site"
    list_display = ("name", "kind", "site", "starts_at", "ends_at")
    list_filter = ("kind", "site")
    list_select_related = ("site",)
    search_fields = ("name",)
    autocomplete_fields = ("site", "areas")
    date_hierarchy = "starts_at"


@admin.register(Cover)
class CoverAdmin(WarnsAboutPeople, ManagedByIT):
    site_lookup = "absent__site"
    seen_without_site = True
    list_display = ("absent", "stand_in", "starts_at", "ends_at", "kind")
    list_filter = ("kind", "absent__site")
    list_select_related = ("absent", "stand_in")
    search_fields = ("absent__name", "stand_in__name", "note")
    autocomplete_fields = ("absent", "stand_in")
    date_hierarchy = "starts_at"

    def people_concerned(self, saved: Cover) -> Iterable[Person | None]:
        return (saved.stand_in,)
