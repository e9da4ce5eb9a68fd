"""The delivery log: every message with how far it got, newest first, for who looks after how people are told.

It shows addresses and errors, never words or links: those answer for somebody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from escalation.models import Delivery, DeliveryState
from incidents.models.incident import parse_number
from opsdesk.errors import NotAllowed
from opsdesk.htmx import show
from plant.models import Channel, Person, Role

PAGE = 50
READERS = (Role.IT_MANAGER, Role.IT_LEAD)
LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters in the address; a wrong one finds nothing rather than everything."""

    person: str = ""
    channel: str = ""
    state: str = ""
    provider: str = ""
    incident: str = ""
    before: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> Asked:
        return cls(**{name: request.GET.get(name, "").strip()[:80] for name in cls.__slots__})

    def query(self, **changes: object) -> str:
        asked = {name: getattr(self, name) for name in self.__slots__} | changes
        return "?" + urlencode({name: value for name, value in asked.items() if value})


def visible_to(reader: Person) -> QuerySet[Delivery]:
    """Of the sites that the reader looks after. Raises NotAllowed for anybody else."""
    held = [one for one in reader.assignments if one.role in READERS]
    if not (held or reader.is_superuser):
        raise NotAllowed(
            "not_your_log", _("The IT manager and the IT leads see how messages got there. Ask them.")
        )
    found = Delivery.objects.all()
    if not reader.is_superuser and all(one.site_id for one in held):
        sites = [one.site_id for one in held]
        found = found.filter(Q(notification__incident__site__in=sites) | Q(notification__site__in=sites))
    return found.select_related(
        "notification__person", "notification__incident", "bundled_into__notification"
    ).order_by("-pk")


def asked_for(found: QuerySet[Delivery], asked: Asked) -> QuerySet[Delivery]:
    exact = {"channel": asked.channel, "state": asked.state, "provider": asked.provider}
    found = found.filter(**{name: value for name, value in exact.items() if value})
    if asked.person:
        named = Q(notification__person__name__icontains=asked.person) | Q(address__icontains=asked.person)
        found = found.filter(named | Q(notification__person__username__iexact=asked.person))
    if asked.incident:
        found = found.filter(notification__incident__number=parse_number(asked.incident))
    if asked.before.isascii() and asked.before.isdecimal() and int(asked.before) <= LARGEST:
        found = found.filter(pk__lt=int(asked.before))
    return found


@login_required
@require_safe
def deliveries(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, Person)  # behind login_required
    asked = Asked.of(request)
    found = list(asked_for(visible_to(request.user), asked).defer("text", "html")[: PAGE + 1])
    context: dict[str, Any] = {
        "asked": asked,
        "rows": found[:PAGE],
        "older": asked.query(before=found[PAGE - 1].pk) if len(found) > PAGE else "",
        "channels": [Channel(one) for one in settings.CHANNELS],
        "states": DeliveryState,
    }
    return show(request, "escalation/deliveries.html", context, fragments=("deliveries",))
