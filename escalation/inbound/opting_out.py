"""STOP: no more texts to a number. It is honoured at once, nobody falls silent by it, and IT is told."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Q

from escalation.models import Delivery, DeliveryState, Rank, Reason
from escalation.nudging import nudge_channel
from escalation.outbox import fallback, together
from escalation.rounds.gap_ahead import it_managers
from escalation.telling import Telling, tell
from incidents.models import Incident
from plant.duty import DutyBook
from plant.models import Channel, Person, Role, Site
from plant.reachability import Fault

WHY = "They asked for no more texts."


@transaction.atomic
def stop(number: str, *, now: datetime) -> list[Person]:
    """Whoever has this number gets no more texts. What waits goes another way; IT managers are told.

    Repeating it is harmless. Returns those for whom it is new. Also for a gateway that says so (error 21610).
    """
    new = Person.objects.active().filter(mobile=number).exclude(stopped_mobile=number)
    if not number or not new.exists():
        return []
    _lock_incidents(number)
    people = list(new.select_for_update(of=("self",), no_key=True).order_by("pk"))
    Person.objects.filter(pk__in=[one.pk for one in people]).update(stopped_mobile=number)
    _send_another_way(number, now)
    _tell_it(people, now)
    return people


@transaction.atomic
def start(number: str) -> int:
    """Texts go to this number again; returns to how many people."""
    return Person.objects.filter(stopped_mobile=number).exclude(stopped_mobile="").update(stopped_mobile="")


def has_stopped(number: str) -> bool:
    return bool(number) and Person.objects.filter(mobile=number, stopped_mobile=number).exists()


def _lock_incidents(number: str) -> None:
    """The incident first, always: all that wait for the number, in their order, and then the people.

    The engine holds incidents when it tells somebody of them. It must not wait for a person whom we hold.
    """
    waits = _waiting(number)
    carried = Delivery.objects.filter(bundled_into__in=[one.pk for one in waits])
    about = {one.notification.incident_id or 0 for one in [*waits, *carried.select_related("notification")]}
    list(Incident.objects.filter(pk__in=about).order_by("pk").select_for_update().values_list("pk"))


def _waiting(number: str) -> list[Delivery]:
    waits = Delivery.objects.queued().filter(channel=Channel.SMS, address=number)
    return list(waits.select_related("notification").order_by("pk"))


def _send_another_way(number: str, now: datetime) -> None:
    """What is queued for the number is not sent; what is urgent goes by the next channel, or up."""
    for delivery in _waiting(number):
        told, delivery.error = delivery.notification, WHY
        if together.is_together(delivery):
            delivery.state = DeliveryState.FAILED
            together.fail(delivery, now)
        elif told.is_urgent and told.incident_id:
            fallback.find_another_way(delivery, now)  # locks the incident: before its messages
        ended = Delivery.objects.queued().filter(pk=delivery.pk)
        ended.update(state=DeliveryState.FAILED, failed_at=now, error=WHY)
    transaction.on_commit(partial(nudge_channel, Channel.EMAIL))


def _tell_it(people: list[Person], now: datetime) -> None:
    """The IT managers of each one's site, quietly, once for each time somebody stops."""
    book = DutyBook.load(now)
    tellings: list[Telling] = []
    for person in people:
        site = _site_of(person)
        if site is not None:
            tellings += [_telling(one, person, site, now) for one in it_managers(book, site, now)]
    tell(tellings, now=now)


def _site_of(person: Person) -> Site | None:
    held = Site.objects.filter(Q(pk=person.site_id) | Q(role_assignments__person=person))
    return held.order_by("pk").first() or Site.objects.order_by("pk").first()


def _telling(manager: Person, person: Person, site: Site, now: datetime) -> Telling:
    fault = {
        "username": person.username,
        "name": str(person),
        "level": Fault.SMS_STOPPED.level.value,
        "faults": [Fault.SMS_STOPPED.value],
    }
    return Telling(
        incident_id=None,
        site_id=site.pk,
        person=manager,
        reason=Reason.REACHABILITY.value,
        key=f"stopped:{person.pk}:{manager.pk}:{now.timestamp():.3f}",
        due_at=now,
        channels=[Channel.EMAIL.value],
        role=Role.IT_MANAGER.value,
        rank=Rank.QUIET,
        data={"site": site.code, "people": [fault], "ways": [], "mended": [], "only": True},
        by_one_way=True,
    )
