"""What people would read about an incident, for the IT manager: every kind of message, by SMS and email."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from csp.decorators import csp
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from escalation.views.outbox import MAIL_POLICY
from escalation.words_preview import READERS, Said, preview, preview_of_room, preview_of_site
from incidents.models import Incident
from incidents.models.incident import parse_number
from opsdesk.errors import Missing, NotAllowed
from opsdesk.htmx import show
from plant.models import Language, Person, Role


@dataclass(frozen=True, slots=True)
class Asked:
    """About which incident, in which language, for whom. Odd values fall back to the first choice."""

    incident: Incident | None
    language: str
    role: str

    @classmethod
    def of(cls, request: HttpRequest, reader: Person) -> Asked:
        given, found = request.GET, Incident.objects.visible_to(reader).with_place()
        if given.get("incident", "").strip():
            chosen = found.filter(number=parse_number(given["incident"].strip()[:20])).first()
            if chosen is None:
                raise Missing("unknown_incident", _("There is no incident with this number."))
        else:
            chosen = found.open().order_by("-pk").first() or found.order_by("-pk").first()
        language, role = given.get("language", ""), given.get("role", "")
        return cls(
            chosen,
            language if language in Language.values else reader.language,
            role if role in READERS else READERS[0],
        )

    def mail_address(self) -> str:
        number = self.incident.number if self.incident else ""
        return urlencode({"incident": number, "language": self.language, "role": self.role})


def _allowed(request: HttpRequest) -> Person:
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    if not (person.is_superuser or person.holds(Role.IT_MANAGER)):
        raise NotAllowed("not_your_words", _("The IT manager looks at the words of messages. Ask them."))
    return person


def _said(asked: Asked, reader: Person) -> list[Said]:
    if asked.incident is None:
        return []
    return preview(
        asked.incident, reader=reader, role=asked.role, language=asked.language, now=timezone.now()
    )


def _said_of_site(asked: Asked, reader: Person) -> list[Said]:
    """Of the incident's site, or of the reader's own."""
    site = asked.incident.site if asked.incident else reader.site
    if site is None:
        return []
    return preview_of_site(site, reader=reader, language=asked.language, now=timezone.now())


@login_required
@require_safe
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    reader = _allowed(request)
    asked = Asked.of(request, reader)
    about, now = asked.incident, timezone.now()
    context: dict[str, Any] = {
        "asked": asked,
        "said": _said(asked, reader),
        "said_of_site": _said_of_site(asked, reader),
        "rooms": preview_of_room(about, reader=reader, language=asked.language, now=now) if about else [],
        "languages": Language,
        "roles": [Role(one) for one in READERS],
    }
    return show(request, "escalation/words.html", context)


@login_required
@require_safe
@never_cache
@xframe_options_sameorigin
@csp(MAIL_POLICY)  # type: ignore[arg-type]  # its types know only views without arguments
def mail(request: HttpRequest) -> HttpResponse:
    """The email of the kind in the address, as its reader sees it. Links open outside."""
    reader = _allowed(request)
    kind, asked = request.GET.get("kind", ""), Asked.of(request, reader)
    of_these = _said_of_site if kind.startswith("site-") else _said
    found = next((one for one in of_these(asked, reader) if one.kind == kind), None)
    if found is None:
        raise Missing("unknown_message", _("There is no such message."))
    return HttpResponse(f'<base target="_top">{found.html}')
