"""The page behind the link in a test or in an email that asks whether the address is right.

No login, no script, one button; as with answers, opening it changes nothing: mail scanners open every link.
"""

from __future__ import annotations

from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from escalation.contact import proving
from escalation.models import Notification
from escalation.views import answer
from opsdesk.errors import Missing
from plant.context import Shell
from plant.throttle import address_of

SALT = "opsdesk.prove"


@csrf_exempt
@answer.private
@require_http_methods(["GET", "HEAD", "POST"])
def prove(request: HttpRequest, token: str) -> HttpResponseBase:
    try:
        found = proving.open_proof(token)
    except Missing:
        allowed = answer.GUESSED.allows(address_of(request))
        return answer.unknown(request) if allowed else answer.too_many(request)
    assert found.site is not None  # a constraint: it is about a site
    Shell.of(request).is_about(found.site)
    with translation.override(found.person.language), timezone.override(found.site.tz):
        is_pressed = request.method == "POST" and _is_of(request.POST.get("nonce", ""), found)
        return _page(request, proving.confirm_link(token) if is_pressed else found, token)


def _is_of(nonce: str, found: Notification) -> bool:
    """Whether the button that was pressed was drawn for this link, not long ago."""
    try:
        return bool(signing.loads(nonce, salt=SALT, max_age=answer.NONCE_LASTS) == found.pk)
    except signing.BadSignature:
        return False


def _page(request: HttpRequest, found: Notification, token: str) -> HttpResponse:
    is_test = found.reason == proving.Reason.TEST
    context = {
        "found": found,
        "token": token,
        "is_test": is_test,
        "title": _("Did this reach you?") if is_test else _("Is this your email address?"),
        "address": found.deliveries.all()[0].address,
        "nonce": signing.dumps(found.pk, salt=SALT),
    }
    return render(request, "escalation/prove.html", context)
