"""The page behind the link of a message about several things: no login, no script, one button for each.

As safe as the page about one (`views.answer`): opening it changes nothing, and each button carries a nonce
that was made for the incident beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from escalation import answering
from escalation.answering import ASKING, Link
from escalation.digest import Digest, open_digest
from escalation.messages import notices
from escalation.views import answer as one
from incidents import readings
from incidents.models import Incident
from opsdesk.errors import Refused
from plant.context import Shell
from plant.wording import moment


@dataclass(frozen=True, slots=True)
class Thing:
    """One incident on the page; `said` is what became of the answer, `offer` what its button does."""

    incident: Incident
    state: str
    reading: readings.Reading
    said: str
    offer: str
    nonce: str


@csrf_exempt
@one.private
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponseBase:
    """What a link in a message opens: several things, or else one."""
    digest = open_digest(token)
    if digest is None:
        return one.answer(request, token)
    if not one.OPENED.allows(str(digest.notification.pk)):
        return one.too_many(request)
    Shell.of(request).is_about(digest.site)
    with translation.override(digest.person.language), timezone.override(digest.site.tz):
        return _answered(request, digest, token) if request.method == "POST" else _page(request, digest)


def _answered(request: HttpRequest, digest: Digest, token: str) -> HttpResponseBase:
    """Answer for the incident whose button was pressed, and show the page afresh."""
    given = request.POST.get("nonce", "")
    pressed = ((known, one.asked_of(given, known)) for known in digest.links)
    known, take = next(((known, take) for known, take in pressed if take is not None), (None, None))
    if known is None:
        refusal = Refused(
            "old_page", _("This page was open for long. Press the button once more."), status=403
        )
        return _page(request, digest, refusal=refusal)
    try:
        answering.answer(known.notification.token, take=bool(take))
    except Refused as refusal:
        return _page(request, open_digest(token) or digest, refusal=refusal)
    return redirect("answer", token)


def _page(request: HttpRequest, digest: Digest, *, refusal: Refused | None = None) -> HttpResponse:
    now = timezone.now()
    context = {
        "digest": digest,
        "person": digest.person,
        "token": digest.notification.token,
        "things": [_thing(known, now) for known in digest.links],
        "notices": [notices.notice(said, now) for said in digest.notices],
        "open_count": sum(known.incident.is_open for known in digest.links),
        "refusal": refusal,
    }
    return render(request, "escalation/digest.html", context, status=refusal.status if refusal else 200)


def _thing(known: Link, now: datetime) -> Thing:
    incident = known.incident
    can_answer = incident.is_open and known.notification.reason in ASKING
    return Thing(
        incident=incident,
        state=one.state_of(incident, now),
        reading=readings.read(incident, now=now),
        said=_said(known, now),
        offer=one.offer_of(known) if can_answer else "",
        nonce=one.nonce(known),
    )


def _said(known: Link, now: datetime) -> str:
    """ "You have it since 06:12", "Seen 06:12", "Closed 07:30"; empty while nothing was answered."""
    incident, answered_at = known.incident, known.notification.answered_at
    if not incident.is_open and incident.closed_at:
        return _("Closed %(time)s.") % {"time": moment(incident.closed_at, now)}
    if known.is_mine and incident.acknowledged_at:
        return _("You have it since %(time)s.") % {"time": moment(incident.acknowledged_at, now)}
    if answered_at is not None and not known.is_asked:
        return _("Seen %(time)s.") % {"time": moment(answered_at, now)}
    return ""
