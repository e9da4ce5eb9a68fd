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

    Put together here, because a board has a hundred and a template takes several times as long.
    """
    return [_move(one, offer, back, rest if nth else css) for nth, offer in enumerate(offers)]


def _move(one: Countermeasure, offer: Offer, back: str, css: str) -> Move:
    address = reverse("countermeasure-act", args=[one.pk, offer.verb])
    if offer.asks:
        address = f"{address}?next={quote(back)}"
    return Move(f"m-{one.pk}-{offer.verb}", css, offer.label, address, offer.asks)
