"""Trying it out: who would be told at a place and a moment, in the real words, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from escalation.models import Delivery, Notification, PushDevice, Timer
from incidents.models import Incident
from plant.models import Role, Roster
from tests import factories as make
from tests.screens.reading import words

pytestmark = pytest.mark.django_db

As = Callable[[str], Client]
Advance = Callable[..., None]

HERE = "/setup/preview/?where=station:ASM-D1-060&impact=stopped"


def parts_of(page: Any) -> dict[str, list[Any]]:
    return {part.title: part.steps for part in page.context["parts"]}


def people(shown: Any) -> list[str]:
    return [one.person.username for one in shown.step.people]


def test_the_timeline_says_who_when_and_how(world: Any, as_: As) -> None:
    page = as_("petty").get(HERE)
    response = parts_of(page)["If nobody takes it"]
    assert [shown.after for shown in response] == [timedelta(minutes=n) for n in (0, 5, 10, 25)]
    assert [people(shown) for shown in response[:2]] == [["vela", "jimenez"], ["brandt", "kowal"]]
    said = words(page)
    assert "Told at once: Vela and Jimenez" in said
    assert "10:05 after 5 min Brandt IT lead SMS Kowal IT specialist SMS" in said
    assert "As long as it is not closed" in said and "Everybody is told again" in said


def test_the_words_are_those_that_are_really_sent(world: Any, as_: As, advance: Advance) -> None:
    first = parts_of(as_("jimenez").get(HERE))["If nobody takes it"][0]
    previewed = {reader.username: letter.text for letter in first.letters for reader in letter.readers}
    incident = world.raise_it("stopped")
    advance(minutes=0)
    for name in ("vela", "jimenez"):
        sent = Delivery.objects.get(notification__person=world[name], channel="sms")
        real = sent.text.replace(sent.notification.token, "K7Q2MX9PRT").replace(str(incident.number), "1042")
        assert previewed[name] == real


def test_in_a_gap_the_words_say_so_as_the_real_ones_do(world: Any, as_: As, advance: Advance) -> None:
    Roster.objects.all().delete()
    first, second = parts_of(as_("jimenez").get(HERE))["If nobody takes it"][:2]
    incident = world.raise_it("stopped")
    advance(minutes=0)
    for shown, name in ((first, "vela"), (second, "brandt")):
        sent = Delivery.objects.get(notification__person=world[name], channel="sms")
        (previewed,) = (one.text for one in shown.letters if world[name] in one.readers)
        real = sent.text.replace(sent.notification.token, "K7Q2MX9PRT").replace(str(incident.number), "1042")
        assert previewed == real
    assert "obody" in first.letters[0].text


def test_the_emails_of_managers_are_those_that_are_really_sent(world: Any, as_: As, advance: Advance) -> None:
    third = parts_of(as_("jimenez").get(HERE))["If nobody takes it"][2]
    email = next(
        letter for letter in third.letters if letter.channel == "email" and world["tillery"] in letter.readers
    )
    incident = world.raise_it("stopped")
    advance(minutes=11)
    sent = Delivery.objects.get(notification__person=world["tillery"], channel="email")
    assert email.subject == sent.subject.replace(str(incident.number), "1042")
    problem = sent.text.split("\n\n")[0].replace(str(incident.number), "1042")
    assert problem in email.text


def test_a_push_is_shown_as_one_to_who_has_a_device_for_it(world: Any, as_: As) -> None:
    tablet = {"endpoint": "https://push.example/1", "p256dh": "x", "auth": "x", "name": "Tablet"}
    PushDevice.objects.create(person=world["vela"], created_at=world.now, **tablet)
    asked = HERE.replace("stopped", "workaround")
    page = as_("petty").get(asked)
    first = parts_of(page)["If nobody takes it"][0]
    assert [(one.channel, one.readers) for one in first.letters] == [("push", (world["vela"],))]
    pushed = "Workaround now: ASM-D1 Label & pack Printer or labels. Nobody has it yet. 11:00 after 1 h"
    assert f"Vela IT technician Push What they read Vela {pushed}" in words(page)
    PushDevice.objects.all().delete()
    assert "Vela IT technician SMS" in words(as_("petty").get(asked))


def test_a_spanish_reader_is_shown_spanish_words(world: Any, as_: As) -> None:
    world["vela"].language = "es"
    world["vela"].save(update_fields=["language"])
    first = parts_of(as_("jimenez").get(HERE))["If nobody takes it"][0]
    texts = {letter.readers[0].username: letter.text for letter in first.letters}
    assert "LINEA PARADA" in texts["vela"] and "LINE DOWN" in texts["jimenez"]


def test_at_night_the_night_shift_would_come(world: Any, as_: As) -> None:
    page = as_("petty").get(f"{HERE}&at=2025-11-05T02:00")
    first = parts_of(page)["If nobody takes it"][0]
    assert people(first) == ["sorensen", "kowalczyk"]
    assert "Wed 5 Nov 02:00" in words(page)


def test_at_the_weekend_gaps_are_marked_and_the_ladder_goes_up(world: Any, as_: As) -> None:
    Roster.objects.all().delete()
    page = as_("petty").get(f"{HERE}&at=2025-11-08T03:00")
    said = words(page)
    assert "Nobody on shift as IT technician" in said
    assert "so the next step goes out at once" in said
    assert 'data-g="risk"' in page.content.decode()


def test_the_end_of_a_ladder_does_not_promise_a_next_step(world: Any, as_: As) -> None:
    Roster.objects.all().delete()
    page = as_("petty").get(HERE.replace("stopped", "none"))
    assert "Nobody on shift as IT lead" in words(page)
    assert "so the next step goes out at once" not in words(page)


def test_nothing_is_written(world: Any, as_: As) -> None:
    as_("petty").get(HERE)
    assert not Incident.objects.exists() and not Notification.objects.exists() and not Timer.objects.exists()


@pytest.mark.parametrize("impact", ["safety", "stopped", "at_risk", "workaround", "none"])
@pytest.mark.parametrize("place", ["station:ASM-D1-060", "line:ASM-D1", "area:MBK-ASM", "system:label"])
def test_every_place_and_impact_can_be_tried(world: Any, as_: As, place: str, impact: str) -> None:
    make.make_system("label")
    page = as_("okafor").get(f"/setup/preview/?where={place}&impact={impact}")
    assert page.status_code == 200 and page.context["parts"]
    assert "Nobody would be told" not in words(page)


@pytest.mark.parametrize(
    "asked", ["", "?where=", "?where=line:NOPE", "?where=x", "?impact=stopped", "?at=2025-11-05T02:00"]
)
def test_without_a_place_it_asks_for_one(world: Any, as_: As, asked: str) -> None:
    page = as_("petty").get(f"/setup/preview/{asked}")
    assert page.status_code == 200 and "Choose where" in words(page)


@pytest.mark.parametrize("at", ["", "soon", "2025-02-31T10:00", "1999-01-01T00:00", "2200-01-01T00:00"])
def test_a_moment_that_makes_no_sense_is_now(world: Any, as_: As, at: str) -> None:
    page = as_("petty").get(f"{HERE}&at={at}")
    assert page.context["asked"].at == world.now


def test_a_place_of_another_site_is_not_tried_out(world: Any, as_: As) -> None:
    line = make.make_line("ELSE-1")
    page = as_("petty").get("/setup/preview/?where=line:ELSE-1")
    assert "Choose where" in words(page) and "ELSE-1" not in page.content.decode()
    assert as_("petty").get(f"/setup/preview/?site={line.area.site.code}").status_code == 404


def test_who_is_not_signed_in_is_asked_to(db: None) -> None:
    assert Client().get("/setup/preview/").status_code == 302


def test_it_needs_the_same_queries_with_more_people_and_places(world: Any, as_: As) -> None:
    client = as_("brandt")
    client.get(HERE)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(HERE).status_code == 200
        return len(captured)

    before = queries()
    for n in range(5):
        line = make.make_line(f"MORE-{n}", area=world.area)
        make.make_station(f"MORE-{n}-1", line=line)
        make.make_person(f"Tech {n}", roles=[Role.IT_TECH], site=world.site)
    assert queries() == before
