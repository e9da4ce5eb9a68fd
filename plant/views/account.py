"""Signing in, the way home, the code on a station, and a person's own settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from rest_framework.authtoken.models import Token

from opsdesk.errors import Missing
from opsdesk.htmx import next_page, show
from plant.context import Shell, theme_of
from plant.devices import forget_station, remember_station
from plant.forms import LanguageForm, NewPasswordForm, SignInForm, ThemeForm
from plant.models import Person, Role, RoleAssignment, Station

COOKIE_SECONDS = 365 * 24 * 3600


@require_GET
def home(request: HttpRequest) -> HttpResponseBase:
    """The right home for the role: the dashboard at a desk, one's own work in IT, raising on the floor."""
    shell = Shell.of(request)
    if shell.person is None:
        return redirect("raise" if shell.tablet else "login")
    if shell.is_desk:
        return redirect("dashboard")
    return redirect("work" if shell.is_it else "raise")


@require_GET
def alerts(request: HttpRequest) -> HttpResponse:
    """The red band alone, so that a screen that is already open learns that nobody is being told."""
    return show(request, "frames/alerts.html", fragments=("alerts",))


class SignIn(LoginView):
    """Email or user name, and password. `next` is followed only inside this site."""

    authentication_form = SignInForm  # type: ignore[assignment]
    template_name = "plant/login.html"

    def get_initial(self) -> dict[str, Any]:
        return {"username": self.request.GET.get("as", "")}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "demo_logins": _demo_logins(),
            "demo_password": settings.DEMO_PASSWORD if settings.DEMO else "",
        }


class SignOut(LogoutView):
    next_page = "login"


def _demo_logins() -> list[RoleAssignment]:
    """One person for each role of the demo plant, so that everybody can look around in any shoes."""
    if not settings.DEMO:
        return []
    held = RoleAssignment.objects.filter(person__is_active=True).select_related("person").order_by("pk")
    first: dict[str, RoleAssignment] = {}
    for assignment in held:
        first.setdefault(assignment.role, assignment)
    return [first[role] for role in _DEMO_ROLES if role in first]


_DEMO_ROLES = (
    Role.IT_TECH,
    Role.IT_LEAD,
    Role.TEAM_LEADER,
    Role.SUPERVISOR,
    Role.PRODUCTION_MANAGER,
    Role.MATERIALS_MANAGER,
    Role.IT_MANAGER,
    Role.PLANT_MANAGER,
)


@require_GET
def station_code(request: HttpRequest, code: str) -> HttpResponseBase:
    """What the square code on a station opens: raising, with the station filled in and remembered here."""
    station = Station.objects.filter(code__iexact=code).first()
    if station is None:
        raise Missing(
            "unknown_station",
            _("No station has the code %(code)s. Ask IT for a new sticker.") % {"code": code},
        )
    response = redirect(f"{reverse('raise')}?where=station:{station.code}")
    remember_station(response, station)
    return response


@require_POST
def leave_station(request: HttpRequest) -> HttpResponseBase:
    """This device no longer stands at a station."""
    response = redirect("profile" if request.user.is_authenticated else "login")
    forget_station(response)
    return response


@require_POST
def language(request: HttpRequest) -> HttpResponseBase:
    """Switch the language of this device and, when signed in, of the person."""
    form = LanguageForm(request.POST)
    response = redirect(next_page(request) or reverse("home"))
    if not form.is_valid():
        return response
    chosen = form.cleaned_data["language"]
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, chosen, max_age=COOKIE_SECONDS, samesite="Lax")
    if isinstance(request.user, Person):
        request.user.language = chosen
        request.user.save(update_fields=["language"])
        with override(chosen):
            messages.success(request, _("Language changed."))
    return response


@require_POST
def theme(request: HttpRequest) -> HttpResponseBase:
    """Light, dark, or as the device prefers."""
    form = ThemeForm(request.POST)
    response = redirect(next_page(request) or reverse("home"))
    if form.is_valid():
        response.set_cookie("theme", form.cleaned_data["theme"], max_age=COOKIE_SECONDS, samesite="Lax")
    return response


@login_required
@never_cache
@require_GET
def profile(request: HttpRequest) -> HttpResponse:
    return _profile_page(request, NewPasswordForm(_person(request)))


@login_required
@require_POST
def change_password(request: HttpRequest) -> HttpResponseBase:
    form = NewPasswordForm(_person(request), request.POST)
    if not form.is_valid():
        return _profile_page(request, form, status=400)
    update_session_auth_hash(request, form.save())
    messages.success(request, _("Your password is changed."))
    return redirect("profile")


@login_required
@require_POST
def new_token(request: HttpRequest) -> HttpResponseBase:
    """A new API token; the one before stops working at once."""
    person = _person(request)
    Token.objects.filter(user=person).delete()
    Token.objects.create(user=person)
    messages.success(request, _("Here is your new token. The one before no longer works."))
    return redirect("profile")


def _profile_page(request: HttpRequest, form: NewPasswordForm, *, status: int = 200) -> HttpResponse:
    person = _person(request)
    context = {
        "person": person,
        "assignments": person.role_assignments.select_related("site").prefetch_related("areas"),
        "password_form": form,
        "chosen_theme": theme_of(request),
        "token": Token.objects.filter(user=person).first(),
    }
    return render(request, "plant/profile.html", context, status=status)


def _person(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)  # behind login_required
    return request.user
