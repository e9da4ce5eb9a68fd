"""The page of the delivery log, how each provider is doing, and the button that sends a message again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from escalation import health
from escalation.delivery_log import Asked, asked_for, sites_of, visible_to
from escalation.models import Delivery, DeliveryState
from escalation.resending import ENDED, is_pointless, resend
from opsdesk.htmx import next_page, show
from plant.models import Channel, Person

PAGE = 50


@dataclass(frozen=True, slots=True)
class Row:
    """A message; who sent it by hand and why, if somebody did; whether it can go out once more."""

    delivery: Delivery
    resent: dict[str, Any] | None
    may_go_again: bool


@login_required
@require_safe
def deliveries(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, Person)  # behind login_required
    asked = Asked.of(request.GET.dict())
    found = list(asked_for(visible_to(request.user), asked).defer("text", "html")[: PAGE + 1])
    now = timezone.now()
    context: dict[str, Any] = {
        "asked": asked,
        "rows": [_row(one, now) for one in found[:PAGE]],
        "older": asked.query(before=found[PAGE - 1].pk) if len(found) > PAGE else "",
        "channels": [Channel(one) for one in settings.CHANNELS],
        "states": DeliveryState,
        "cards": [
            (Channel(one.channel).label, one) for one in health.cards(now, sites=sites_of(request.user))
        ],
    }
    return show(request, "escalation/deliveries.html", context, fragments=("deliveries",))


def _row(delivery: Delivery, now: datetime) -> Row:
    may_go_again = delivery.carrier.state in ENDED and not is_pointless(delivery.notification, now)
    return Row(delivery, _resent(delivery), may_go_again)


def _resent(delivery: Delivery) -> dict[str, Any] | None:
    by_hand = delivery.notification.data.get("resent", ())
    return next((one for one in by_hand if one["delivery"] == delivery.pk), None)


@login_required
@require_POST
def send_again(request: HttpRequest, pk: int) -> HttpResponseBase:
    assert isinstance(request.user, Person)  # behind login_required
    made = resend(pk, by=request.user, why=request.POST.get("why", ""))
    said = {"name": made.notification.person.name, "address": made.address}
    messages.success(request, _("It goes to %(name)s again now, %(address)s.") % said)
    return redirect(next_page(request) or reverse("deliveries"))
