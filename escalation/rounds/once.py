"""Telling people once, however often and wherever a round runs."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from escalation.models import Notification
from escalation.telling import Telling, tell

logger = logging.getLogger(__name__)

LATE = timedelta(hours=1)
"""What was due longer ago than this is not said any more.

After an hour on the job people know what is open, and a gap that began is on the board and in every message
that meets it. So an outage of a night does not end in a burst of old news.
"""


def not_yet_told(keys: Iterable[str]) -> set[str]:
    """Those of the keys under which nobody was told."""
    wanted = set(keys)
    if not wanted:
        return wanted
    return wanted - set(Notification.objects.filter(key__in=wanted).values_list("key", flat=True))


def tell_once(tellings: Sequence[Telling], now: datetime) -> tuple[int, set[str]]:
    """Tell those who were not told yet; returns how many, and the channels that have work now."""
    missing = not_yet_told(telling.key for telling in tellings)
    new = [telling for telling in tellings if telling.key in missing]
    try:
        with transaction.atomic():
            return len(new), tell(new, now=now)
    except IntegrityError:
        pass  # another process has just told one of them
    return _one_by_one(new, now)


def _one_by_one(tellings: Sequence[Telling], now: datetime) -> tuple[int, set[str]]:
    told, channels = 0, set[str]()
    for telling in tellings:
        try:
            with transaction.atomic():
                channels |= tell([telling], now=now)
            told += 1
        except IntegrityError:
            logger.info("%s was told by another process.", telling.key)
    return told, channels
