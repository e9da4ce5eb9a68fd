"""The phones and tablets that show a person's alerts; and what makes OpsDesk an app on them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.staticfiles import finders
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from escalation import devices as signing_up
from escalation.channels import push
from escalation.models import PushDevice
from opsdesk.errors import Missing, Refused
from opsdesk.htmx import show
from plant.views.places import person_of


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def devices(request: HttpRequest) -> HttpResponseBase:
    """One's own devices, and signing this one up: the browser fills the form in (`push.js`)."""
    person, refusal = person_of(request), None
    if request.method == "POST":
        fields = ("endpoint", "p256dh", "auth", "name")
        asked: dict[str, Any] = {name: request.POST.get(name, "") for name in fields}
        try:
            device = signing_up.subscribe(by=person, **asked)
            said = _("“%(name)s” shows your alerts from now on.") % {"name": device.name}
            messages.success(request, said)
            return redirect("devices")
        except Refused as found:
            refusal = found
    context = {
        "devices": PushDevice.objects.filter(person=person),
        "key": push.public_key(),
        "is_practice": settings.PUSH_URL.startswith("sandbox"),
    }
    return show(request, "escalation/devices.html", context, refusal=refusal)


@login_required
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponseBase:
    signing_up.remove(pk, by=person_of(request))
    messages.success(request, _("It shows no more alerts."))
    return redirect("devices")


@require_safe
@cache_control(max_age=0, must_revalidate=True)
def service_worker(request: HttpRequest) -> HttpResponseBase:
    """At the top, because it looks after every page below where it is served from."""
    path = finders.find("js/sw.js")
    if not isinstance(path, str):
        raise Missing("no_service_worker", _("There is no such file."))
    return FileResponse(open(path, "rb"), content_type="text/javascript; charset=utf-8")  # noqa: PTH123


@require_safe
@cache_control(max_age=3600)
def manifest(request: HttpRequest) -> HttpResponse:
    """What a phone needs to put OpsDesk on its home screen."""
    sizes = (192, 512)
    icons = [
        {"src": static(f"icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"} for size in sizes
    ]
    return JsonResponse(
        {
            "id": "/",
            "name": "OpsDesk",
            "short_name": "OpsDesk",
            "start_url": "/",
            "scope": "/",
            "display": "standalone",
            "background_color": "#e3e6e8",
            "theme_color": "#171d21",
            "icons": icons,
        },
        content_type="application/manifest+json",
    )
