""" "Bring someone in": the question and its link, the panel on the page, and what is shown afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from escalation import answering
from escalation.models import Notification, Reason
from incidents import lifecycle
from incidents.models import EventKind, Incident
from plant.models import VendorContact
from tests.factories import fresh, make_system, make_vendor
from tests.screens.reading import HTMX, labels, words

pytestmark = pytest.mark.django_db

As = Callable[[str], Client]
Advance = Callable[..., None]


def taken(world: Any, **place: Any) -> Incident:
    incident: Incident = world.raise_it(words="No labels come out", **place)
    return lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)


def vendor_of(world: Any) -> Any:
    vendor = make_vendor("inkmarrow", phone="+1-555-0142")
    VendorContact.objects.create(vendor=vendor, name="Ida Falk", phone="+1-555-0143", is_escalation=True)
    return make_system(vendor=vendor, site=world.site)


def ask(client: Client, incident: Incident, who: str, **more: str) -> Any:
    return client.post(f"/incidents/{incident.number}/help/", {"who": who, **more})


def link_to_the_question(incident: Incident) -> str:
    question = Notification.objects.get(incident=incident, reason=Reason.BRING_SOMEONE)
    return f"/a/{question.token}/"


def press(phone: Client, link: str, **said: str) -> Any:
    nonce = re.search(r'name="nonce" value="([^"]+)"', phone.get(link).content.decode())
    assert nonce
    return phone.post(link, {"nonce": nonce.group(1), **said})


# -- the panel


def test_two_taps_ask_the_specialist_on_duty(world: Any, advance: Advance, as_: As) -> None:
    incident = taken(world)
    advance(minutes=2)
    client = as_("vela")
    assert "Bring someone in" in labels(client.get(incident.get_absolute_url()))
    panel = client.get(f"/incidents/{incident.number}/help/", headers=HTMX)
    assert labels(panel) == ["Kowal IT specialist, on shift now", "Brandt IT lead, on shift now", "Not now"]
    assert ask(client, incident, "role:it_specialist").status_code == 302
    advance(minutes=1)
    helped = Notification.objects.get(reason=Reason.HELP)
    assert (helped.person, helped.is_urgent, helped.wants_answer) == (world["kowal"], True, True)


def test_the_vendor_of_what_fails_is_offered_with_its_numbers(world: Any, advance: Advance, as_: As) -> None:
    incident = taken(world, system=vendor_of(world))
    client = as_("vela")
    panel = client.get(f"/incidents/{incident.number}/help/").content.decode()
    assert 'href="tel:+1-555-0142"' in panel and 'href="tel:+1-555-0143"' in panel
    ask(client, incident, "vendor:inkmarrow")
    page = client.get(incident.get_absolute_url())
    assert "Inkmarrow Label Systems is needed since 10:00. Call them." in words(page)
    assert 'href="tel:+1-555-0142"' in page.content.decode()


def test_the_page_says_who_was_asked_and_when_they_have_seen_it(
    world: Any, advance: Advance, as_: As
) -> None:
    incident = taken(world)
    advance(minutes=12)
    ask(as_("vela"), incident, "role:it_specialist", words="Bring a ladder")
    advance(minutes=0)
    said = words(as_("tillery").get(incident.get_absolute_url()))
    assert "Kowal was asked to help 10:12, not seen yet. by Vela" in said
    assert "Vela asked Kowal to help. Bring a ladder" in said
    advance(minutes=1)
    answering.answer(Notification.objects.get(reason=Reason.HELP).token, now=world.now)
    said = words(as_("tillery").get(incident.get_absolute_url()))
    assert "Kowal was asked to help 10:12, seen 10:13. by Vela" in said


def test_whoever_is_asked_can_say_so_on_the_page(world: Any, advance: Advance, as_: As) -> None:
    incident = taken(world)
    ask(as_("vela"), incident, "role:it_specialist")
    advance(minutes=1)
    client = as_("kowal")
    assert "I’ve seen it" in labels(client.get(incident.get_absolute_url()))
    client.post(f"/incidents/{incident.number}/seen/")
    assert Notification.objects.get(reason=Reason.HELP).answered_at == world.now


def test_a_refusal_keeps_the_words_and_a_choice_has_to_be_made(world: Any, as_: As) -> None:
    incident = taken(world)
    client = as_("vela")
    nobody = client.post(f"/incidents/{incident.number}/help/", {"words": "Bring a ladder"})
    assert nobody.status_code == 400 and "Choose who should help." in words(nobody)
    assert "Bring a ladder" in nobody.content.decode()
    stale = ask(client, incident, "role:it_lead", words="Bring a ladder", seen_version="1")
    assert stale.status_code == 409 and "Bring a ladder" in stale.content.decode()
    unknown = ask(client, incident, "person:nobody")
    assert unknown.status_code == 400
    assert not fresh(incident).events.filter(kind=EventKind.HELP_ASKED).exists()


@pytest.mark.parametrize(
    ("name", "may"), [("vela", True), ("tillery", True), ("jimenez", False), ("petty", False)]
)
def test_the_button_is_there_for_whoever_may(world: Any, as_: As, name: str, may: bool) -> None:
    incident = taken(world)
    client = as_(name)
    assert ("Bring someone in" in labels(client.get(incident.get_absolute_url()))) is may
    assert client.get(f"/incidents/{incident.number}/help/").status_code == (200 if may else 403)


# -- the question


def test_the_question_leads_to_the_names_without_a_login(world: Any, advance: Advance) -> None:
    incident = taken(world)
    advance(minutes=11)
    phone, link = Client(), link_to_the_question(incident)
    page = phone.get(link)
    assert "No word for 10 min. Bring someone in?" in words(page)
    assert labels(page)[:3] == [
        "Kowal IT specialist, on shift now",
        "Brandt IT lead, on shift now",
        "Not now",
    ]
    assert press(phone, link, who="role:it_lead").status_code == 302
    event = incident.events.get(kind=EventKind.HELP_ASKED)
    assert (event.by, event.data["role"]) == (world["vela"], "it_lead")
    assert "Asked 10:11: Brandt." in words(phone.get(link))
    assert Notification.objects.get(reason=Reason.BRING_SOMEONE).answered_at is not None


def test_a_vendor_asked_by_the_link_is_one_tap_away(world: Any, advance: Advance) -> None:
    incident = taken(world, system=vendor_of(world))
    advance(minutes=11)
    phone, link = Client(), link_to_the_question(incident)
    press(phone, link, who="vendor:inkmarrow")
    page = phone.get(link).content.decode()
    assert 'href="tel:+1-555-0142"' in page and "Call Ida Falk, +1-555-0143" in page


def test_not_now_is_an_answer_and_asks_nobody(world: Any, advance: Advance) -> None:
    incident = taken(world)
    advance(minutes=11)
    phone, link = Client(), link_to_the_question(incident)
    press(phone, link, answer="not_now")
    assert not incident.events.filter(kind=EventKind.HELP_ASKED).exists()
    assert "You can bring someone in at any time." in words(phone.get(link))


def test_a_name_that_is_not_offered_is_refused_on_the_page(world: Any, advance: Advance) -> None:
    incident = taken(world)
    advance(minutes=11)
    refused = press(Client(), link_to_the_question(incident), who="person:nobody")
    assert refused.status_code == 400
    assert not incident.events.filter(kind=EventKind.HELP_ASKED).exists()


def test_another_link_cannot_ask_for_help(world: Any, advance: Advance) -> None:
    incident = world.raise_it()
    advance(minutes=1)
    link = f"/a/{Notification.objects.get(person=world['jimenez']).token}/"
    press(Client(), link, who="role:it_lead")
    assert not incident.events.filter(kind=EventKind.HELP_ASKED).exists()


def test_the_question_of_somebody_who_lost_it_is_no_question_any_more(world: Any, advance: Advance) -> None:
    incident = taken(world)
    advance(minutes=61)
    page = words(Client().get(link_to_the_question(incident)))
    assert "Bring someone in?" not in page


# -- silence on the page


def test_the_page_warns_once_the_first_word_is_missed(world: Any, advance: Advance, as_: As) -> None:
    incident = taken(world)
    warning = "If nothing is said by 11:00 it goes back to everybody."
    advance(minutes=29)
    assert warning not in words(as_("vela").get(incident.get_absolute_url()))
    advance(minutes=2)
    assert warning in words(as_("vela").get(incident.get_absolute_url()))
    assert warning in words(as_("tillery").get(incident.get_absolute_url()))
    world.say(incident)
    advance(minutes=1)
    assert "goes back to everybody" not in words(as_("vela").get(incident.get_absolute_url()))


def test_a_pause_takes_the_warning_away(world: Any, advance: Advance, as_: As) -> None:
    incident = taken(world)
    advance(minutes=31)
    until = world.now + timedelta(hours=1)
    lifecycle.shelve(incident.number, by=world["tillery"], until=until, reason="Planned", now=world.now)
    advance(minutes=1)
    assert "goes back to everybody" not in words(as_("vela").get(incident.get_absolute_url()))


def test_after_a_lapse_every_screen_says_who_had_it(world: Any, advance: Advance, as_: As) -> None:
    incident = taken(world)
    advance(minutes=61)
    page = words(as_("brandt").get(incident.get_absolute_url()))
    assert "Nobody has it any more. Vela had it; no word since 10:00." in page
    assert "Two words missed in a row. Vela had it, no word since 10:00. Nobody has it any more." in page
    assert "Vela and Jimenez told." in page
    assert "I’ll take it" in labels(as_("brandt").get(incident.get_absolute_url()))
    assert "Vela had it; no word since 10:00." in words(as_("tillery").get("/dashboard/"))
    advance(minutes=6)
    page = words(as_("brandt").get(incident.get_absolute_url()))
    assert "Nobody has it after 5 min." in page, "counted from when nobody had it any more"
