"""What may be done next with a countermeasure, as buttons: `{% load moves %}`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from django import template
from django.urls import reverse
from django_stubs_ext import StrPromise

from countermeasures.models import Countermeasure
from countermeasures.offers import Offer

register = template.Library()


@dataclass(frozen=True, slots=True)
class Move:
    """A button. `address`: of its form when it `asks` for more than the tap, else where the tap posts."""

    id: str
    css: str
    label: StrPromise
    address: str
    asks: bool


@register.simple_tag
def moves_of(
    one: Countermeasure, offers: Sequence[Offer], back: str, css: str = "", rest: str = ""
) -> list[Move]:
    """One for each offer. `back`: where it leads afterwards; `css`: class of the first, `rest` of the others.

    Another checker or owner is never what comes next, so it is not drawn as the first even where it is.

    Put together here, because a board has a hundred and a template takes several times as long.
    """
    first = next((offer for offer in offers[:1] if offer.verb not in ("checker", "owner")), None)
    return [_move(one, offer, back, css if offer is first else rest) for offer in offers]


def _move(one: Countermeasure, offer: Offer, back: str, css: str) -> Move:
    address = reverse("countermeasure-act", args=[one.pk, offer.verb])
    if offer.asks:
        address = f"{address}?next={quote(back)}"
    return Move(f"m-{one.pk}-{offer.verb}", css, offer.label, address, offer.asks)
