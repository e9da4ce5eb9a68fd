"""Setting up the plant: Django's admin, let in by role and entered through the one sign-in page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from plant.models import Role


def is_it_manager(request: HttpRequest) -> bool:
    """Whether whoever asks sets up policies, rosters, people and systems: an IT manager, or a superuser."""
    user = request.user
    if not user.is_authenticated or not user.is_active:
        return False
    return bool(user.is_superuser) or user.holds(Role.IT_MANAGER)


class SetupSite(AdminSite):
    site_header = site_title = _("OpsDesk setup")
    index_title = _("People, places and how they are told")

    def has_permission(self, request: HttpRequest) -> bool:
        return is_it_manager(request) or super().has_permission(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one sign-in page; who has signed in and may not come in is told so."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or request.path, settings.LOGIN_URL)
