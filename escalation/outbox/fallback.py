"""Nobody is skipped quietly (rule 5): what does not reach somebody urgent goes another way, and up, now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from escalation import asks, rules, wording
from escalation.devices import with_device
from escalation.hours import Hours
from escalation.ladder import state_of
from escalation.models import Delivery, DeliveryState, Notification, Reason, TimerState
from escalation.nudging import nudge
from escalation.outbox.needed import needs_another_way, now_of
from escalation.recipients import WAYS, address
from escalation.telling import Telling, tell
from escalation.timers import bring_next_forward, next_level
from incidents.models import Event, EventKind, Incident
from plant.duty import DutyBook
from plant.models import Channel, Person, Role

RETRIES = 2
"""A sibling message that has failed this often does not count as being on its way."""

STANDS_IN = ("sms", "push", "email")
"""Ways in the order in which one stands in for another that did not work: what rings before what is read."""

STAND_IN_ROLES = (Role.IT_LEAD, Role.IT_MANAGER, Role.PRODUCTION_MANAGER, Role.PLANT_MANAGER)
"""Who is told instead when the ladder has no higher step left."""


@transaction.atomic
def find_another_way(delivery: Delivery, now: datetime) -> None:
    """The person's next channel; when there is none, the next level. Repeating it is harmless.

    Nothing, and no word of it, when nobody needs the message any more.
    """
    incident = Incident.objects.locked(delivery.notification.about.number)
    notification = Notification.objects.select_related("person", "timer").get(pk=delivery.notification_id)
    if not needs_another_way(notification, now_of(incident), now):
        return
    siblings = list(notification.deliveries.select_related("bundled_into"))
    if any(_may_arrive(one) for one in siblings if one.pk != delivery.pk):
        return
    channel = _unused_channel(notification.person, siblings)
    if channel:
        _queue(notification, channel, delivery, now)
        _record(incident, notification, delivery, now, instead="channel", channel=channel)
    elif not _has_gone_up(notification):
        what = _go_up(incident, notification, delivery, now)
        notification.data |= {"not_reached": now.isoformat(), "instead": what}
        notification.save(update_fields=["data"])
        _record(incident, notification, delivery, now, **what)


def _has_gone_up(notification: Notification) -> bool:
    """Whether somebody else was told instead of them already: asking them again takes nobody else in."""
    told = Notification.objects.filter(
        incident=notification.incident_id, person=notification.person_id, timer=notification.timer_id
    )
    return "not_reached" in notification.data or (
        notification.timer_id is not None and told.filter(data__has_key="not_reached").exists()
    )


def _may_arrive(delivery: Delivery) -> bool:
    """Arrived, or on its way; in a message with others, as that one is."""
    delivery = delivery.carrier
    if delivery.state == DeliveryState.QUEUED:
        return delivery.attempt < RETRIES + (delivery.instead_of_id is not None)  # its first try counted on
    if delivery.state == DeliveryState.SENT:
        return delivery.silent_at is None  # else its receipt is overdue, and no provider is left
    return delivery.state in (DeliveryState.SENDING, DeliveryState.DELIVERED)


def _unused_channel(person: Person, siblings: list[Delivery]) -> str:
    used = {one.channel for one in siblings}
    return next((way for way in STANDS_IN if way not in used and _reaches(person, way)), "")


def _reaches(person: Person, way: str) -> bool:
    return bool(with_device([person.pk])) if way == Channel.PUSH else bool(address(person, way))


def _queue(notification: Notification, channel: str, failed: Delivery, now: datetime) -> None:
    Delivery.objects.create(
        notification=notification,
        channel=channel,
        address=address(notification.person, channel),
        language=failed.language,
        rank=failed.rank,
        queued_at=now,
        not_before=now,
    )


def _go_up(incident: Incident, notification: Notification, failed: Delivery, now: datetime) -> dict[str, str]:
    """No way is left to reach this person: the next level hears now, or has heard, or else somebody does.

    Returns what the timeline says of it.
    """
    clock = rules.RESPONSE if notification.timer is None else notification.timer.clock
    at = rules.brought_forward_to(clock, state_of(incident), now)
    above = _next_level(notification, at)
    if above == "level":
        transaction.on_commit(nudge)
        return {"instead": "level", **_when(at, now)}
    if above == "told":
        return {"instead": "told"}
    if at > now:  # a pause holds everybody else back too; afterwards the ladder goes on
        return {"instead": "pause", **_when(at, now)}
    stand_in = _stand_in(incident, notification, now)
    if stand_in is None:
        return {"instead": ""}
    telling, timer = _instead(notification, stand_in, failed, now), notification.timer
    asks.begin([telling], {timer.pk: timer.epoch} if timer is not None else {})
    tell([telling], now=now)
    return {"instead": "person", "stand_in": stand_in.name}


def _when(at: datetime, now: datetime) -> dict[str, str]:
    """Until when it waits, if it does."""
    return {"until": at.isoformat()} if at > now else {}


def _next_level(notification: Notification, at: datetime) -> str:
    """The level above: "level", it is told then; "told", it was told already; "", there is none.

    Then means now, or at the end of a pause. The levels above that one keep their time.
    """
    timer = notification.timer
    if timer is None:
        return ""
    why = wording.not_reached(notification.person.name)
    above = next_level(timer)
    if bring_next_forward(timer, why=why, at=at) or above.armed().filter(round=0).exists():
        return "level"
    return "told" if above.filter(state=TimerState.FIRED).exists() else ""


def _stand_in(incident: Incident, notification: Notification, now: datetime) -> Person | None:
    """Somebody with an address who has not been told this: by duty, then the site's last resort."""
    told = set(_the_same(notification).values_list("person_id", flat=True)) | {notification.person_id}
    book = DutyBook.load(now, until=now + timedelta(hours=1))
    people = [person for role in STAND_IN_ROLES for person in book.on_duty(role, incident.place, now).people]
    if incident.site.last_resort is not None:
        people.append(incident.site.last_resort)
    return next((p for p in people if p.pk not in told and any(address(p, way) for way in WAYS)), None)


def _the_same(notification: Notification) -> QuerySet[Notification]:
    """What told of the same, one firing of a step or else one event, as urgently: quiet news calls nobody."""
    told = Notification.objects.filter(incident=notification.incident_id, timer=notification.timer_id)
    if notification.timer_id is not None:
        return told
    return told.filter(is_urgent=True, data__event=_event_of(notification))


def _event_of(notification: Notification) -> int | None:
    """The event that a message without a step is about; asked again, that of the one which asked first."""
    first = notification
    if "original" in notification.data:
        first = Notification.objects.get(pk=notification.data["original"])
    event: int | None = first.data.get("event")
    return event


def _instead(notification: Notification, person: Person, failed: Delivery, now: datetime) -> Telling:
    return Telling(
        incident_id=notification.about_id,
        person=person,
        reason=Reason.FALLBACK.value,
        key=f"{notification.about_id}:instead:{notification.pk}:{person.pk}",
        due_at=now,
        channels=list(WAYS),
        timer_id=notification.timer_id,
        clock=notification.clock,
        rank=failed.rank,
        as_urgent=notification.is_urgent,
        wants_answer=notification.wants_answer,
        ask_again_at=_again(notification, now),
        note=wording.could_not_reach(notification.person, language=person.language),
        data={"instead_of": notification.person.name} | _about(notification),
    )


def _about(notification: Notification) -> dict[str, int | None]:
    """So that whoever stands in next is somebody else again."""
    return {"event": _event_of(notification)} if notification.timer_id is None else {}


def _again(notification: Notification, now: datetime) -> datetime | None:
    """Whoever stands in is asked to answer as the one they stand in for was."""
    incident = notification.about
    if incident.is_drill or not notification.wants_answer:
        return None
    return asks.again_at(state_of(incident), now, Hours.at(now).stretch(incident.area or incident.site))


def _record(
    incident: Incident, notification: Notification, failed: Delivery, now: datetime, **what: Any
) -> None:
    """The timeline says who was not reached, how it was tried, and what happened instead."""
    person = notification.person
    data = {"id": person.pk, "name": person.name, "tried": failed.channel, "error": failed.error, **what}
    Event.objects.create(
        incident=incident, at=now, kind=EventKind.NOT_REACHED, version=incident.version, data=data
    )
