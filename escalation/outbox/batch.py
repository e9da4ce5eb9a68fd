"""Reading the claimed messages with all that their words need."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import connection

from escalation.models import Delivery, Notification
from incidents import readings
from incidents.models import Incident

logger = logging.getLogger(__name__)


def load(ids: Sequence[int]) -> list[Delivery]:
    """The claimed messages, most urgent first, with all that their words need: a fixed number of queries."""
    deliveries = list(
        Delivery.objects.filter(pk__in=ids)
        .select_related("notification__person", "notification__timer", "notification__site")
        .order_by("rank", "not_before", "id")
    )
    _give_incidents([one.notification for one in deliveries if one.notification.incident_id])
    return deliveries


def _give_incidents(notifications: Sequence[Notification]) -> None:
    """One object per incident, so that what is attached to it is there for all its messages."""
    wanted = {notification.about_id for notification in notifications}
    found = Incident.objects.filter(pk__in=wanted).with_place().select_related("shelved_by")
    known = {incident.pk: incident for incident in found}
    _attach(list(known.values()))
    for notification in notifications:
        notification.incident = known[notification.about_id]


def _attach(incidents: list[Incident]) -> None:
    """Give the incidents their last words; for one that breaks, messages say the bare facts."""
    try:
        readings.attach(incidents)
    except Exception:
        if not connection.is_usable():
            raise
        if len(incidents) == 1:
            logger.exception("The words of %s cannot be read.", incidents[0])
            return
        for incident in incidents:
            _attach([incident])
