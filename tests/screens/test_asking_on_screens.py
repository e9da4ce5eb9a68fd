"""Who was asked to answer, as the screens say it: asked again, next time, and not answered in the end."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from escalation.answering import see
from escalation.defaults import DEFAULT_CLOCKS
from escalation.models import Delivery, DeliveryState, Notification, Policy, Timer, TimerState
from escalation.outbox import fallback
from escalation.policies import publish
from incidents import lifecycle
from incidents.models import OWN_TROUBLE, Incident
from tests.screens.reading import words

pytestmark = pytest.mark.django_db

As = Callable[[str], Client]
Advance = Callable[..., None]


@pytest.fixture
def asking(world: Any) -> None:
    """Each of the three managers who hear of a stopped line after 10 minutes answers for themselves."""
    clocks = deepcopy(DEFAULT_CLOCKS["S1"])
    clocks["response"][2] |= {"answer": True, "repeat": 60}
    publish(by=None, severity="S1", clocks=clocks, why="Each answers for themselves")


@pytest.fixture
def incident(world: Any, advance: Advance, asking: None) -> Incident:
    found: Incident = world.raise_it("stopped")
    advance(minutes=10)
    return found


def page(client: Client, incident: Incident) -> Any:
    return client.get(incident.get_absolute_url())


def warned(response: Any) -> dict[str, str]:
    return {rung.who: rung.warn for rung in response.context["panel"].rungs if rung.warn}


def test_at_first_it_says_when_they_are_asked_again(incident: Incident, as_: As) -> None:
    assert warned(page(as_("okafor"), incident))["Tillery"] == "No answer yet, next 10:15"


def test_then_it_says_both_times(incident: Incident, advance: Advance, as_: As) -> None:
    advance(minutes=5)
    assert warned(page(as_("okafor"), incident))["Tillery"] == "No answer yet, asked again 10:15 · next 10:20"


def test_a_time_that_has_passed_is_never_said_as_one_to_come(
    world: Any, incident: Incident, advance: Advance, as_: As
) -> None:
    advance(minutes=5)
    world.now += timedelta(minutes=6)  # nothing ticks
    assert warned(page(as_("okafor"), incident))["Tillery"] == "No answer yet, asked again 10:15"


def test_in_the_end_it_says_not_answered(incident: Incident, advance: Advance, as_: As) -> None:
    advance(minutes=21)
    shown = page(as_("okafor"), incident)
    assert warned(shown)["Tillery"] == "Not answered, asked 4 times"
    assert "Tillery has not answered since 10:10, asked 4 times." in words(shown)
    assert "No answer yet. Hutchins, Tillery and Prewitt asked again." in words(shown)


def test_in_a_pause_the_next_time_is_its_end(
    world: Any, incident: Incident, advance: Advance, as_: As
) -> None:
    until = world.now + timedelta(minutes=50)
    lifecycle.shelve(incident.number, by=world["okafor"], until=until, reason="Cleaning", now=world.now)
    advance(minutes=6)
    assert warned(page(as_("okafor"), incident))["Tillery"] == "No answer yet, next 11:00"


def test_who_answered_is_not_waited_for(world: Any, incident: Incident, advance: Advance, as_: As) -> None:
    see(incident, by=world["tillery"], now=world.now)
    advance(minutes=5)
    assert "Tillery" not in warned(page(as_("okafor"), incident))
    assert "Prewitt" in warned(page(as_("okafor"), incident))


def test_the_dashboard_says_it_in_one_line(world: Any, incident: Incident, advance: Advance, as_: As) -> None:
    see(incident, by=world["hutchins"], now=world.now)
    advance(minutes=5)
    assert "No answer yet: Prewitt, asked again 10:15 · next 10:20; Jimenez." in words(
        as_("tillery").get("/dashboard/")
    )
    advance(minutes=16)
    assert "Not answered: Prewitt, asked 4 times." in words(as_("tillery").get("/dashboard/"))


def test_the_steps_to_come_say_that_they_ask_for_an_answer(world: Any, asking: None, as_: As) -> None:
    incident = world.raise_it("stopped")
    rungs = page(as_("okafor"), incident).context["panel"].rungs
    assert [rung.as_what for rung in rungs if "asked to answer" in rung.as_what] != []


def test_the_preview_says_who_is_asked_to_answer(world: Any, asking: None, as_: As) -> None:
    shown = words(as_("petty").get("/setup/preview/?where=station:ASM-D1-060&impact=stopped"))
    assert "Tillery Production manager SMS Email asked to answer" in shown
    assert "Vela IT technician SMS asked to answer" not in shown


def test_the_preview_says_it_to_programs(world: Any, asking: None, as_: As) -> None:
    found = as_("hutchins").get("/api/v1/escalation/preview/?station=ASM-D1-060&impact=stopped")
    asked = {
        one["username"] for step in found.json()["steps"] for one in step["people"] if one["wants_answer"]
    }
    assert asked == {"hutchins", "tillery", "prewitt"}


def test_the_editor_says_what_asking_means(world: Any, asking: None, as_: As) -> None:
    policy = Policy.objects.current().get(severity="S1")
    shown = words(as_("hutchins").get(f"/setup/policies/{policy.pk}/edit/"))
    assert "Who has not is asked again every 5 min, three times; then the next level is told." in shown


def test_the_link_of_the_first_message_answers_the_later_ones(
    world: Any, incident: Incident, advance: Advance, client: Client
) -> None:
    first = Notification.objects.filter(incident=incident, person=world["tillery"]).latest("id")
    advance(minutes=6)
    address = f"/a/{first.token}/"
    client.post(address, {"nonce": client.get(address).context["nonce"]})
    assert not Notification.objects.filter(person=world["tillery"], answered_at=None).exists()


def test_an_old_link_answers_what_was_asked_since(
    world: Any, advance: Advance, asking: None, client: Client
) -> None:
    """Answered while nobody had it; then the managers are asked once more, because product does not move."""
    clocks = deepcopy(DEFAULT_CLOCKS["S1"])
    clocks["response"][2]["answer"] = clocks["containment"][1]["answer"] = True
    publish(by=None, severity="S1", clocks=clocks, why="Both")
    incident = world.raise_it("stopped")
    advance(minutes=10)
    first = Notification.objects.filter(incident=incident, person=world["tillery"]).latest("id")
    address = f"/a/{first.token}/"
    client.post(address, {"nonce": client.get(address).context["nonce"]})
    assert client.get(address).context["offer"] == ""
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=21)
    drawn = client.get(address).context
    assert (drawn["offer"], drawn["said"]) == ("seen", "")
    client.post(address, {"nonce": drawn["nonce"]})
    assert not Notification.objects.filter(
        person=world["tillery"], wants_answer=True, answered_at=None
    ).exists()


def test_who_could_not_be_reached_is_in_the_timeline(world: Any, advance: Advance, as_: As) -> None:
    incident = world.raise_it("stopped")
    advance(minutes=1)
    sms = Delivery.objects.get(notification__person=world["jimenez"])
    Delivery.objects.filter(pk=sms.pk).update(state=DeliveryState.FAILED, failed_at=world.now)
    fallback.find_another_way(Delivery.objects.get(pk=sms.pk), world.now)
    text = words(page(as_("okafor"), incident))
    assert "Jimenez could not be reached by SMS. Tried by email instead." in text
    email = Delivery.objects.get(notification__person=world["jimenez"], channel="email")
    Delivery.objects.filter(pk=email.pk).update(state=DeliveryState.FAILED, failed_at=world.now)
    fallback.find_another_way(Delivery.objects.get(pk=email.pk), world.now)
    text = words(page(as_("okafor"), incident))
    assert "Jimenez could not be reached by email. The next level is told now." in text
    assert "We couldn’t reach Jimenez by SMS and email. The next level is told now. Call Jimenez" in text


def test_what_opsdesk_found_about_itself_reads_like_any_incident(
    world: Any, advance: Advance, as_: As
) -> None:
    incident = world.raise_it("stopped")
    advance(minutes=1)
    Timer.objects.armed().filter(incident=incident).update(state=TimerState.CANCELLED)
    advance(minutes=1)
    own = Incident.objects.get(category__code=OWN_TROUBLE)
    text = words(page(as_("hutchins"), own))
    assert "by OpsDesk itself" in text
    assert "OpsDesk found this by itself." in text
    assert "OpsDesk asked Hutchins to take it." in text
    assert "OpsDesk added technical detail." in text
    assert "Raised from a tablet" not in text


def test_in_a_pause_the_page_does_not_say_that_somebody_else_is_told(
    world: Any, advance: Advance, as_: As
) -> None:
    incident = world.raise_it("stopped")
    advance(minutes=1)
    until = world.now + timedelta(minutes=30)
    lifecycle.shelve(incident.number, by=world["okafor"], until=until, reason="Cleaning", now=world.now)
    gone = Delivery.objects.filter(notification__person=world["jimenez"])
    gone.update(state=DeliveryState.FAILED, failed_at=world.now)
    text = words(page(as_("okafor"), incident))
    assert "Alerts are paused, so nobody else is told now. Call Jimenez, or check the numbers." in text


def test_nobody_is_said_to_be_told_instead_of_whoever_is_not_needed_any_more(
    world: Any, advance: Advance, as_: As
) -> None:
    incident = world.raise_it("stopped")
    advance(minutes=1)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    Delivery.objects.filter(notification__person=world["jimenez"]).update(
        state=DeliveryState.FAILED, failed_at=world.now
    )
    fallback.find_another_way(Delivery.objects.get(notification__person=world["jimenez"]), world.now)
    text = words(page(as_("okafor"), incident))
    assert "We couldn’t reach Jimenez by SMS. Call Jimenez, or check the numbers." in text
