"""The page behind the link in a message: no login, no script, one button.

Opening it changes nothing, however often and by whom: mail scanners and phone previews open links by
themselves. Only the POST of the button answers. It needs no cookie: a nonce made when it was drawn comes
back with it, signed, for this link, and not older than a day.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Protocol

from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from escalation import answering, ladder
from escalation.answering import Link
from escalation.messages.facts import so_far
from escalation.recent import with_roster
from escalation.views import panel, question
from escalation.views.face import face_of
from incidents import readings
from incidents.models import Incident
from opsdesk.errors import Missing, Refused
from plant.context import Shell
from plant.throttle import Brake, address_of
from plant.wording import moment

NONCE_SALT = "opsdesk.answer"
NONCE_LASTS = timedelta(days=1)

OPENED = Brake("answer", tries=60, seconds=60)
"""Per link, not per address: behind a proxy a whole plant has one, and nobody may lock the others out."""

GUESSED = Brake("answer-unknown", tries=20, seconds=600)
"""Ten letters cannot be guessed; this keeps a machine that tries from costing much."""


class View(Protocol):
    def __call__(self, request: HttpRequest, token: str) -> HttpResponseBase: ...


def private(view: View) -> View:
    """Kept by nobody, found by nobody, and the address goes nowhere with a click."""

    @wraps(view)
    def guarded(request: HttpRequest, token: str) -> HttpResponseBase:
        response = view(request, token)
        response["Cache-Control"] = "no-store, private"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return guarded


@csrf_exempt
@private
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, token: str) -> HttpResponseBase:
    try:
        link = answering.open_link(token)
    except Missing:
        return unknown(request) if GUESSED.allows(address_of(request)) else too_many(request)
    if not OPENED.allows(str(link.notification.pk)):
        return too_many(request)
    Shell.of(request).is_about(link.incident.site)
    with translation.override(link.person.language), timezone.override(link.incident.site.tz):
        return _answered(request, link, token) if request.method == "POST" else _page(request, link, token)


def _answered(request: HttpRequest, link: Link, token: str) -> HttpResponseBase:
    """Do it once and show the page afresh, so that Back and Reload do not ask to send again."""
    take = asked_of(request.POST.get("nonce", ""), link)
    if take is None:
        refusal = Refused(
            "old_page", _("This page was open for long. Press the button once more."), status=403
        )
        return _page(request, link, token, refusal=refusal)
    try:
        question.answer(link, request.POST)
        answering.answer(token, take=take)
    except Refused as refusal:
        return _page(request, answering.open_link(token), token, refusal=refusal)
    return redirect("answer", token)


def nonce(link: Link) -> str:
    """For this link, and for what its button said when it was drawn."""
    return signing.dumps([link.notification.pk, link.can_take], salt=NONCE_SALT)


def asked_of(given: str, link: Link) -> bool | None:
    """Whether the button that was pressed takes the incident; None for one that is not of this page."""
    try:
        drawn_for, take = signing.loads(given, salt=NONCE_SALT, max_age=NONCE_LASTS)
    except (signing.BadSignature, TypeError, ValueError):
        return None
    return bool(take) if drawn_for == link.notification.pk else None


def _page(request: HttpRequest, link: Link, token: str, *, refusal: Refused | None = None) -> HttpResponse:
    now = timezone.now()
    incident = link.incident
    context: dict[str, Any] = {"link": link, "incident": incident, "person": link.person, "token": token}
    if incident.is_open:
        context |= _open_page(link, now) | {"refusal": refusal, "nonce": nonce(link)}
    return render(request, "escalation/answer.html", context, status=refusal.status if refusal else 200)


def _open_page(link: Link, now: datetime) -> dict[str, Any]:
    incident, person = link.incident, link.person
    drawn = with_roster(lambda book: ladder.for_incident(incident, book, now), now)
    said, more = _said(link, now)
    owner = incident.owner if incident.owner_id not in (None, person.pk) else None
    return {
        "state": state_of(incident, now),
        "headline": readings.headline(incident),
        "reading": readings.read(incident, now=now),
        "note": link.notification.note,
        "face": face_of(incident, drawn.next, now=now, reader=person),
        "rungs": panel.panel(incident, drawn, reader=person, now=now).rungs,
        "said": said,
        "said_more": more,
        "offer": offer_of(link),
        "call": owner if owner and owner.mobile else None,
        **(question.page(link, now) if question.is_asked(link) else {}),
    }


def state_of(incident: Incident, now: datetime) -> str:
    """ "Line down 6 min"; without a span once product moves."""
    state = readings.state(incident)
    return state if incident.is_moving else f"{state} {so_far(now - incident.troubled_since)}"


def offer_of(link: Link) -> str:
    """The one big button: take it, say "seen", or nothing more to press."""
    if link.can_take:
        return "take"
    return "" if link.is_mine or (link.was_answered and not link.is_asked) else "seen"


def _said(link: Link, now: datetime) -> tuple[str, str]:
    """What the page says after the answer: thanks, and what happens now. Empty before."""
    incident, name = link.incident, link.person.get_short_name()
    if link.is_mine and incident.acknowledged_at:
        since = moment(incident.acknowledged_at, now)
        return (
            _("Thanks, %(name)s. You have it since %(time)s.") % {"name": name, "time": since},
            _("Everybody who was told hears your name. The clock keeps running until product moves."),
        )
    if link.notification.answered_at is None or link.is_asked:
        return "", ""
    seen = _("Thanks, %(name)s. Seen %(time)s.") % {
        "name": name,
        "time": moment(link.notification.answered_at, now),
    }
    if incident.is_drill:
        return seen, _("It reached you. This is practice: nothing else is needed.")
    if incident.owner_id:
        known = _("%(owner)s can see you know.") % {"owner": incident.owner}
    else:
        known = _("Nobody has it yet.")
    return seen, f"{known} {_keeps_running(link)}"


def _keeps_running(link: Link) -> str:
    if link.incident.is_moving:
        return _("It stays open until the fix is proved.")
    return _("The clock keeps running until product moves.")


def unknown(request: HttpRequest) -> HttpResponse:
    """Says nothing about what exists, and what to do all the same."""
    context = {
        "title": _("This link does not work"),
        "more": _("It may be mistyped or old. Nothing was answered by opening it."),
        "to_do": [
            _("Open the newest message about it: its link works. Or text its number back, such as 1042."),
            _("If it cannot wait, call IT as you always do."),
        ],
    }
    return render(request, "escalation/answer_unknown.html", context, status=404)


def too_many(request: HttpRequest) -> HttpResponse:
    context = {"title": _("Too many tries"), "more": _("Wait a minute, then open the link again.")}
    response = render(request, "escalation/answer_unknown.html", context, status=429)
    response["Retry-After"] = "60"
    return response
