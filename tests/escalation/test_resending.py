"""A message is sent again by hand: only by who looks after it, only while it matters, never twice at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from escalation import engine
from escalation.models import Delivery, DeliveryState, Notification
from escalation.outbox import deliver_due
from escalation.resending import resend
from incidents.lifecycle import acknowledge
from incidents.models import Event, EventKind
from opsdesk.errors import Missing, NotAllowed, Refused
from plant.models import Channel, Person, Role
from tests.api.calls import get, post
from tests.factories import NOW, Floor, make_person, make_site, raise_

LATER = NOW + timedelta(minutes=2)


def _failed(floor: Floor) -> Delivery:
    """The text message to the tech, which did not get there."""
    assert floor.tech and floor.supervisor
    raise_(floor)
    engine.tick(NOW)
    sent = Delivery.objects.filter(notification__person=floor.tech, channel=Channel.SMS).earliest("pk")
    Delivery.objects.filter(pk=sent.pk).update(
        state=DeliveryState.FAILED, failed_at=NOW, error="No such number"
    )
    sent.refresh_from_db()
    return sent


def _lead(floor: Floor) -> Person:
    return floor.who(Role.IT_LEAD)


def _refused(sent: Delivery, by: Person) -> str:
    with pytest.raises(Refused) as refusal:
        resend(sent.pk, by=by, why="Again", now=LATER)
    return refusal.value.code


def test_it_goes_to_the_address_as_it_is_now_and_the_timeline_says_who_and_why(floor: Floor) -> None:
    sent, lead = _failed(floor), _lead(floor)
    Person.objects.filter(pk=floor.tech.pk).update(mobile="+15557770123")
    made = resend(sent.pk, by=lead, why="  The number was\nwrong ", now=LATER)
    assert (made.address, made.channel, made.state) == ("+15557770123", "sms", DeliveryState.QUEUED)
    (kept,) = Notification.objects.get(pk=sent.notification_id).data["resent"]
    event = Event.objects.get(incident=sent.notification.incident, kind=EventKind.RESENT)
    assert (event.by, event.words, event.data["to"]) == (lead, "The number was wrong", floor.tech.name)
    assert (kept["by"], kept["why"], kept["delivery"]) == (lead.name, "The number was wrong", made.pk)
    sent.refresh_from_db()
    assert sent.state == DeliveryState.FAILED


@pytest.mark.django_db(transaction=True)
def test_it_really_goes_out(floor: Floor) -> None:
    made = resend(_failed(floor).pk, by=_lead(floor), why="Again", now=LATER)
    deliver_due(Channel.SMS, now=LATER)
    made.refresh_from_db()
    assert made.state in (DeliveryState.SENT, DeliveryState.DELIVERED) and made.text


def test_one_that_is_on_its_way_is_not_sent_beside_itself(floor: Floor) -> None:
    sent, lead = _failed(floor), _lead(floor)
    resend(sent.pk, by=lead, why="Again", now=LATER)
    assert _refused(sent, lead) == "on_its_way"


def test_what_is_over_or_answered_is_refused_in_words(floor: Floor) -> None:
    sent, lead = _failed(floor), _lead(floor)
    Notification.objects.filter(pk=sent.notification_id).update(answered_at=NOW)
    assert _refused(sent, lead) == "answered"
    Notification.objects.filter(pk=sent.notification_id).update(answered_at=None)
    acknowledge(sent.notification.about.number, by=floor.tech)
    assert _refused(sent, lead) == "not_needed"


def test_nobody_else_sends_again(floor: Floor) -> None:
    sent = _failed(floor)
    with pytest.raises(NotAllowed):
        resend(sent.pk, by=floor.supervisor, why="Again", now=LATER)
    elsewhere = make_person("Ola", roles=[Role.IT_MANAGER], site=make_site("ELSE"))
    with pytest.raises(Missing):
        resend(sent.pk, by=elsewhere, why="Again", now=LATER)
    assert Delivery.objects.filter(notification=sent.notification_id).count() == 1


def test_who_has_no_number_any_more_is_not_sent_to(floor: Floor) -> None:
    sent = _failed(floor)
    Person.objects.filter(pk=floor.tech.pk).update(mobile="")
    assert _refused(sent, _lead(floor)) == "no_address"


def test_programs_read_the_log_without_words_and_send_again(floor: Floor) -> None:
    sent, lead = _failed(floor), _lead(floor)
    Delivery.objects.filter(pk=sent.pk).update(text="INC-1 /a/SECRET")
    answer = get(lead, "deliveries/", state="failed", since=NOW.isoformat())
    (row,) = answer.json()["results"]
    assert (row["id"], row["person"]["username"], row["error"]) == (sent.pk, floor.tech.username, sent.error)
    assert "SECRET" not in answer.content.decode()
    assert get(floor.supervisor, "deliveries/").status_code == 403
    assert post(lead, f"deliveries/{sent.pk}/resend/", {}).status_code in (201, 409)
