"""The IT managers hear that a provider is down, and that it works again: each once, by another channel."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction

from escalation.channels import Provider, providers_of
from escalation.models import Rank, Reason
from escalation.rounds.gap_ahead import it_managers
from escalation.telling import Telling, tell
from plant.duty import DutyBook
from plant.models import Channel, Role, Site

logger = logging.getLogger(__name__)


def say(
    channel: str,
    provider: Provider,
    *,
    is_down: bool,
    error: str,
    now: datetime,
    brings_nothing: bool = False,
) -> None:
    """Tell everybody once. Trouble with it is contained: messages go on."""
    known = {"is_down": is_down, "brings_nothing": brings_nothing, "error": error}
    try:
        with transaction.atomic():
            tell(_tellings(channel, provider, known, now), now=now)
    except IntegrityError:
        pass  # another process has just told them
    except Exception:
        if not connection.is_usable():
            raise
        logger.exception("Nobody could be told how %s does.", provider.name)


def _tellings(channel: str, provider: Provider, known: Mapping[str, Any], now: datetime) -> list[Telling]:
    book = DutyBook.load(now)
    others = [one.name for one in providers_of(channel) if one.name != provider.name]
    is_down = known["is_down"]
    found: dict[int, Telling] = {}
    for site in Site.objects.order_by("pk"):
        for person in it_managers(book, site, now):
            found.setdefault(
                person.pk,
                Telling(
                    incident_id=None,
                    site_id=site.pk,
                    person=person,
                    reason=Reason.PROVIDER.value,
                    key=f"provider:{channel}:{provider.name}:{is_down:d}:{now.isoformat()}:{person.pk}",
                    due_at=now,
                    channels=[Channel.EMAIL.value],
                    role=Role.IT_MANAGER.value,
                    rank=Rank.URGENT if is_down else Rank.QUIET,
                    data={
                        **known,
                        "channel": channel,
                        "provider": provider.name,
                        "site": site.code,
                        "since": now.isoformat(),
                        "others": others,
                    },
                    not_by=channel,
                    by_one_way=not is_down,
                ),
            )
    return list(found.values())
