"""A listener that failed for a day is switched off, and the IT managers of its site hear of it."""

from __future__ import annotations

from datetime import datetime

from escalation.models import Listener, Post, PostState, Rank, Reason
from escalation.rounds.gap_ahead import it_managers
from escalation.telling import Telling, tell
from plant.duty import DutyBook
from plant.models import Channel, Role


def give_up(listener: Listener, now: datetime) -> None:
    """The caller holds the listener's row. What still waits for it has failed, visibly."""
    listener.is_active, listener.switched_off_at = False, now
    listener.save(update_fields=["is_active", "switched_off_at"])
    waiting = Post.objects.filter(listener=listener, state__in=(PostState.QUEUED, PostState.SENDING))
    waiting.update(state=PostState.FAILED, lease_until=None, error="It was switched off.")
    since = listener.failing_since or now
    data = {
        "name": listener.name,
        "kind": listener.kind,
        "since": since.isoformat(),
        "error": listener.last_error,
        "site": listener.site.code,
    }
    tell(
        [
            Telling(
                incident_id=None,
                site_id=listener.site_id,
                person=person,
                reason=Reason.LISTENER_OFF.value,
                key=f"listener:{listener.pk}:{now:%Y%m%dT%H%M%SZ}:{person.pk}",
                due_at=now,
                channels=[Channel.EMAIL.value],
                role=Role.IT_MANAGER.value,
                rank=Rank.QUIET,
                by_one_way=True,
                data=data,
            )
            for person in it_managers(DutyBook.load(now), listener.site, now)
        ],
        now=now,
    )
