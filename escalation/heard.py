"""Who has heard of an incident: whoever one of its messages went out to.

Messages that still wait do not count, nor those that were dropped or failed: what goes out later says how it
is then, and whoever never heard of it is not told its end.
"""

from __future__ import annotations

from django.db.models import Q

from escalation.models import Delivery, DeliveryState, Reason

TELLS = (
    Reason.STEP,
    Reason.FALLBACK,
    Reason.ASSIGNED,
    Reason.ASKED_AGAIN,
    Reason.LAPSED,
    Reason.HELP,
    Reason.DID_NOT_HOLD,
)
"""Reasons by which somebody hears of an incident; news is for those who have."""

WENT_OUT = (DeliveryState.SENT, DeliveryState.DELIVERED)
GOES_OUT = (*WENT_OUT, DeliveryState.SENDING)
"""What is being sent counts for now; whether it went out is asked once more before the news is sent."""


def in_states(states: tuple[DeliveryState, ...]) -> Q:
    """Messages that got so far, by themselves or in one with others."""
    return Q(state__in=states) | Q(state=DeliveryState.BUNDLED, bundled_into__state__in=states)


def has_heard(incident_id: int, person_id: int) -> bool:
    told = Delivery.objects.filter(
        notification__incident=incident_id, notification__person=person_id, notification__reason__in=TELLS
    )
    return told.filter(in_states(WENT_OUT)).exists()
