"""Where else? on its page and for programs: one tap each, words only where a rule asks."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from countermeasures import lifecycle as fixes
from countermeasures.models import Answer, Countermeasure, Elsewhere
from incidents import lifecycle
from incidents.models import Incident
from tests.api.calls import get, post
from tests.factories import Floor, make_floor, make_station, make_system, plan_fix, raise_


@pytest.fixture
def fix(floor: Floor) -> Countermeasure:
    label = make_system("label", plain_name="box labels")
    floor.station.systems.add(label)
    for code in ("T-A", "T-B", "T-C", "T-D"):
        make_station(code, line=floor.line, name=f"Pack {code}", systems=[label])
    now = timezone.now()
    lifecycle.acknowledge(raise_(floor, now=now).number, by=floor.tech, now=now)
    return plan_fix(floor, Incident.objects.latest("number"), now=now)


def browser(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def send(client: Client, fix: Countermeasure, **asked: Any) -> Any:
    return client.post(f"/where-else/{fix.pk}/", asked)


def test_four_stations_are_answered_one_by_one(floor: Floor, fix: Countermeasure) -> None:
    client = browser(floor.tech)
    seen = client.get(f"/where-else/{fix.pk}/").content.decode()
    assert "0 of 4 settled" in seen and "4 nobody has looked at" in seen and "Pack T-D" in seen
    assert send(client, fix, station="T-A", answer="applies").status_code == 302
    send(client, fix, station="T-B", answer="does_not_apply", words="Prints by hand")
    send(client, fix, station="T-C", answer="done", words="8.4 pinned")
    seen = client.get(f"/where-else/{fix.pk}/").content.decode()
    assert "2 of 4 settled" in seen and "1 to do" in seen and "Prints by hand" in seen
    for path in (fix.get_absolute_url(), fix.incident.get_absolute_url()):
        assert "2 of 4" in client.get(path).content.decode(), path


def test_a_missing_word_is_asked_for_beside_its_station(floor: Floor, fix: Countermeasure) -> None:
    answer = send(browser(floor.tech), fix, station="T-A", answer="does_not_apply", words=" ")
    assert answer.status_code == 400
    assert "Say why it does not apply there." in answer.content.decode()
    assert not Elsewhere.objects.exists()


def test_a_stale_screen_keeps_the_words(floor: Floor, fix: Countermeasure) -> None:
    answer = send(browser(floor.tech), fix, station="T-A", answer="done", words="8.4 pinned", seen_version=1)
    assert answer.status_code == 409
    assert 'value="8.4 pinned"' in answer.content.decode()


def test_another_owner_and_day_are_agreed_on_the_page(floor: Floor, fix: Countermeasure) -> None:
    client = browser(floor.tech)
    send(client, fix, station="T-A", answer="applies")
    send(client, fix, station="T-A", answer="applies", owner=floor.supervisor.pk, due_on="2031-05-06")
    task = Elsewhere.objects.get()
    assert (task.owner, str(task.due_on)) == (floor.supervisor, "2031-05-06")
    assert "Supervisor, by Tue 6 May" in client.get(f"/where-else/{fix.pk}/").content.decode()


def test_htmx_gets_the_list_alone(floor: Floor, fix: Countermeasure) -> None:
    headers = {"HX-Request": "true", "HX-Target": "where-else"}
    answer = browser(floor.tech).post(
        f"/where-else/{fix.pk}/", {"station": "T-A", "answer": "applies"}, headers=headers
    )
    assert answer.status_code == 200
    shown = answer.content.decode()
    assert shown.strip().startswith("<section") and "1 to do" in shown
    assert 'id="at-T-A" tabindex="-1" autofocus' in shown, (
        "the keyboard stays at the station that was answered"
    )


def test_enter_in_the_words_presses_no_button_for_somebody(floor: Floor, fix: Countermeasure) -> None:
    shown = browser(floor.tech).get(f"/where-else/{fix.pk}/").content.decode()
    forms = [form for form in shown.split("<form")[1:] if 'name="words"' in form]
    assert len(forms) == 4 and all(
        form[form.index("<button") :].startswith("<button disabled") for form in forms
    )


def test_of_several_systems_one_is_tapped(floor: Floor, fix: Countermeasure) -> None:
    scan = make_system("scan", plain_name="scanners")
    floor.station.systems.add(scan)
    client = browser(floor.tech)
    assert "Which of them is it about?" in client.get(f"/where-else/{fix.pk}/").content.decode()
    send(client, fix, answer="system", system="scan")
    assert "No other station has scanners." in client.get(f"/where-else/{fix.pk}/").content.decode()


def test_what_was_found_for_the_first_fix_is_offered_for_the_second(
    floor: Floor, fix: Countermeasure
) -> None:
    """What does not apply still does not by one tap; what was done was for another fix (ADR 0130)."""
    client = browser(floor.tech)
    send(client, fix, station="T-A", answer="does_not_apply", words="Prints by hand")
    send(client, fix, station="T-B", answer="done", words="8.4 pinned")
    second = plan_fix(floor, fix.incident, now=timezone.now())
    seen = client.get(f"/where-else/{second.pk}/").content.decode()
    assert "0 of 4 settled" in seen and seen.count("For “Pin the driver of the print server” it was: ") == 2
    assert 'id="still-T-A"' in seen and 'id="still-T-B"' not in seen
    places = get(floor.tech, f"countermeasures/{second.pk}/where-else/").json()["places"]
    assert [place["before"] and place["before"]["answer"] for place in places] == [
        "does_not_apply",
        "done",
        None,
        None,
    ]
    send(client, second, station="T-A", answer="does_not_apply", words="Prints by hand")
    seen = client.get(f"/where-else/{second.pk}/").content.decode()
    assert "1 of 4 settled" in seen and "still-T-A" not in seen


def test_the_system_that_was_said_for_the_first_fix_is_not_asked_again(
    floor: Floor, fix: Countermeasure
) -> None:
    floor.station.systems.add(make_system("scan"))
    send(browser(floor.tech), fix, answer="system", system="label")
    second = plan_fix(floor, fix.incident, now=timezone.now())
    assert get(floor.tech, f"countermeasures/{second.pk}/where-else/").json()["system"] == "label"


def test_what_did_not_hold_is_asked_nowhere_else_and_makes_room_for_the_next_try(
    floor: Floor, fix: Countermeasure
) -> None:
    def page() -> str:
        return browser(floor.tech).get(fix.incident.get_absolute_url()).content.decode()

    fixes.put_in_place(fix.pk, by=floor.tech, evidence="Seen")
    assert f"/where-else/{fix.pk}/" in page()
    fixes.check(fix.pk, by=floor.supervisor, effective=False, measured="Again on Monday")
    assert f"/where-else/{fix.pk}/" not in page() and f"/countermeasures/{fix.pk}/start/" in page()
    second = plan_fix(floor, fix.incident, now=timezone.now())
    assert f"/where-else/{second.pk}/" in page() and f"/countermeasures/{fix.pk}/start/" not in page()


def test_who_may_not_plan_sees_the_list_without_buttons(floor: Floor, fix: Countermeasure) -> None:
    seen = browser(floor.operator).get(f"/where-else/{fix.pk}/").content.decode()
    assert "Pack T-A" in seen and "Does not apply" not in seen
    assert send(browser(floor.operator), fix, station="T-A", answer="applies").status_code == 403


def test_another_site_and_an_unknown_one_are_refused(floor: Floor, fix: Countermeasure) -> None:
    assert browser(make_floor().tech).get(f"/where-else/{fix.pk}/").status_code == 403
    assert browser(floor.tech).get("/where-else/999999/").status_code == 404
    assert Client().get(f"/where-else/{fix.pk}/").status_code == 302


def test_the_page_asks_the_same_for_few_and_for_many_stations(
    floor: Floor, fix: Countermeasure, django_assert_max_num_queries: Any
) -> None:
    client = browser(floor.tech)
    for code in ("T-A", "T-B", "T-C"):
        send(client, fix, station=code, answer="applies")
    client.get(f"/where-else/{fix.pk}/")
    with django_assert_max_num_queries(16):
        client.get(f"/where-else/{fix.pk}/")


def test_programs_answer_by_the_same_verbs(floor: Floor, fix: Countermeasure) -> None:
    where = f"countermeasures/{fix.pk}/where-else/"
    asked = get(floor.tech, where).json()
    assert (asked["system"], asked["total"], asked["settled"]) == ("label", 4, 0)
    assert asked["places"][0] == {
        "station": "T-A",
        "name": "Pack T-A",
        "line": floor.line.code,
        "site": floor.site.code,
        "answer": None,
        "reason": None,
        "evidence": None,
        "owner": None,
        "due_on": None,
        "answered_by": None,
        "answered_at": None,
        "before": None,
    }
    refused = post(floor.tech, where, {"station": "T-A", "answer": "does_not_apply"})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["reason"])
    told = post(floor.tech, where, {"station": "T-A", "answer": "done", "evidence": "8.4 pinned"}).json()
    assert (told["settled"], told["places"][0]["answer"]) == (1, Answer.DONE)
    asked = {"station": "T-B", "answer": "applies", "owner": floor.tech.username, "due_on": "2031-05-06"}
    assert post(floor.tech, where, asked).json()["to_do"] == 1
    assert post(floor.operator, where, asked).status_code == 403
    assert get(make_floor().tech, where).status_code == 403
