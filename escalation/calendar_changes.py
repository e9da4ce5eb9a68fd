"""The plant's calendar changed: what waits for working time is planned anew.

Whoever changed it: a screen, the setup pages, an import. Only S3 and S4 wait, so only they are read again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save

from escalation.nudging import nudge
from plant.models import CalendarEntry, Crew, Shift, ShiftPattern, Site, SiteCalendar

PLAN_ANEW = """
    WITH waiting AS (
        SELECT id FROM incidents_incident
        WHERE site_id = %s AND status <> 'closed' AND severity IN ('S3', 'S4')
        ORDER BY id FOR UPDATE
    )
    INSERT INTO escalation_unread (incident_id, failures) SELECT id, 0 FROM waiting
    ON CONFLICT (incident_id) DO NOTHING
"""
"""Who is planning one of them with the old calendar finishes before; with the incidents locked until the
change is committed, nobody plans with the old one after that."""

SITE_OF: dict[type[Model], Callable[[Any], int]] = {
    CalendarEntry: lambda entry: entry.site_id,
    SiteCalendar: lambda calendar: calendar.site_id,
    ShiftPattern: lambda pattern: pattern.site_id,
    Shift: lambda shift: shift.pattern.site_id,
    Crew: lambda crew: crew.pattern.site_id,
    Site: lambda site: site.pk,
}
"""What decides when a place works, and of which site it is. A site has the time zone."""

AREAS: tuple[type[Model], ...] = (CalendarEntry.areas.through, ShiftPattern.areas.through)


def plan_anew(site_id: int) -> int:
    """Have the open S3 and S4 incidents of a site read again; returns how many were not already to be.

    It is part of the change, in its transaction: a process that dies right after it leaves nothing out.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(PLAN_ANEW, [site_id])
        found: int = cursor.rowcount
        if found:
            transaction.on_commit(nudge)
    return found


def listen() -> None:
    """Hear of every saved and deleted row that decides when a place works."""
    for model in SITE_OF:
        post_save.connect(_changed, sender=model, dispatch_uid=f"escalation.calendar.{model.__name__}.saved")
        post_delete.connect(_changed, sender=model, dispatch_uid=f"escalation.calendar.{model.__name__}.gone")
    for through in AREAS:
        m2m_changed.connect(_areas_changed, sender=through, dispatch_uid=f"escalation.{through.__name__}")


def _changed(sender: type[Model], instance: Model, *, raw: bool = False, **_kwargs: Any) -> None:
    if not raw:
        plan_anew(SITE_OF[sender](instance))


def _areas_changed(instance: Any, action: str, **_kwargs: Any) -> None:
    """The areas of an entry or a pattern, from either end: an area has a site too."""
    if action.startswith("post_"):
        plan_anew(instance.site_id)
