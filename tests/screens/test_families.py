"""The family page, the marks, and what the raise screen says of earlier times."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from countermeasures import lifecycle as fixes
from countermeasures.lifecycle import weigh_due
from incidents import families, lifecycle
from incidents.models import Impact, Incident, Status
from plant.models import Person
from tests.api.calls import get
from tests.factories import (
    Floor,
    fresh,
    make_category,
    make_floor,
    make_line,
    make_person,
    make_station,
    make_system,
    place_fix,
    plan_fix,
    raise_,
)


@pytest.fixture
def old(floor: Floor) -> Incident:
    """Nine days ago, fixed; its fix is being proved."""
    at = timezone.now() - timedelta(days=9)
    incident = raise_(floor, Impact.WORKAROUND, now=at)
    lifecycle.acknowledge(incident.number, by=floor.tech, now=at)
    lifecycle.contain(incident.number, by=floor.tech, what="Spare printer", now=at + timedelta(minutes=22))
    fixes.write_cause(
        incident.number, by=floor.tech, root_cause="Drivers update by themselves", escape_cause="", now=at
    )
    place_fix(floor, incident, now=at)
    lifecycle.resolve(incident.number, by=floor.tech, now=at)
    return incident


def page(person: Any, path: str, **query: Any) -> str:
    client = Client()
    client.force_login(person)
    answer = client.get(path, query)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def key(incident: Incident) -> str:
    family = families.of(incident)
    assert family is not None
    return family.key


def test_the_family_page_says_how_often_what_was_tried_and_why(floor: Floor, old: Incident) -> None:
    again = raise_(floor, now=timezone.now())
    weigh_due(timezone.now())
    seen = page(floor.tech, f"/families/{key(old)}/")
    for words in (
        "2 times in 30 days",
        "Pin the driver of the print server",
        "Did not hold",
        "Drivers update by themselves",
        "Spare printer",
        old.code,
        again.code,
    ):
        assert words in seen, words


def test_what_held_and_what_is_in_question_are_told_apart(floor: Floor, old: Incident) -> None:
    fix = old.countermeasures.permanent().get()
    fix.checking_from = timezone.now() - timedelta(days=200)
    fix.in_place_at = fix.checking_from
    fix.save(update_fields=["checking_from", "in_place_at"])
    fixes.check(fix.pk, by=floor.supervisor, effective=True, measured="None", now=timezone.now())
    assert "In question" in page(floor.tech, f"/families/{key(old)}/") or "It held" in page(
        floor.tech, f"/families/{key(old)}/"
    )
    raise_(floor, now=timezone.now())
    weigh_due(timezone.now())
    seen = page(floor.tech, f"/families/{key(old)}/")
    assert "In question" in seen and "It held" not in seen


def test_an_unknown_family_and_one_elsewhere_are_refused(floor: Floor, old: Incident) -> None:
    client = Client()
    client.force_login(floor.tech)
    assert client.get("/families/label_print:station:NO-SUCH/").status_code == 404
    client.force_login(make_floor(name="Harlow Plant").tech)
    assert client.get(f"/families/{key(old)}/").status_code == 403
    assert Client().get(f"/families/{key(old)}/").status_code == 302


def test_the_page_asks_the_same_for_a_short_and_a_long_history(
    floor: Floor, old: Incident, django_assert_max_num_queries: Any
) -> None:
    for day in range(6):
        one = raise_(floor, now=timezone.now() - timedelta(days=day))
        plan_fix(floor, one, now=timezone.now())
    client = Client()
    client.force_login(floor.tech)
    client.get(f"/families/{key(old)}/")
    with django_assert_max_num_queries(16):
        assert client.get(f"/families/{key(old)}/").status_code == 200


def test_the_incident_shows_the_mark_the_old_one_and_what_worked(floor: Floor, old: Incident) -> None:
    again = raise_(floor, now=timezone.now())
    seen = page(floor.tech, again.get_absolute_url())
    assert "second time in 30 days" in seen
    assert "This is a repeat of it." in seen and old.code in seen
    assert "What worked last time" in seen and "Spare printer" in seen
    assert "Came after this one" in page(floor.tech, old.get_absolute_url())
    assert "second time in 30 days" in page(floor.tech, "/incidents/")
    assert "second time in 30 days" in page(floor.manager, "/dashboard/")


def test_the_first_time_has_no_mark(floor: Floor) -> None:
    seen = page(floor.tech, raise_(floor, now=timezone.now()).get_absolute_url())
    assert "time in 30 days" not in seen and "repeat" not in seen


def test_that_the_fix_did_not_hold_is_said_in_the_language_of_who_reads_it(
    floor: Floor, old: Incident
) -> None:
    """OpsDesk writes it by itself, in the engine, where nobody has a language."""
    raise_(floor, now=timezone.now())
    weigh_due(timezone.now())
    Person.objects.filter(pk=floor.tech.pk).update(language="es")
    seen = page(floor.tech, old.get_absolute_url())
    assert "El arreglo no aguantó: Pin the driver" in seen and "The fix did not hold" not in seen


def before(person: Any, floor: Floor, **query: Any) -> str:
    asked = {"where": f"station:{floor.station.code}", "category": floor.category.code, **query}
    return page(person, "/raise/before/", **asked)


def test_raising_says_how_often_it_was_and_what_helps(floor: Floor, old: Incident) -> None:
    raise_(floor, now=timezone.now() - timedelta(days=1))
    seen = before(floor.operator, floor)
    assert "third time in 30 days" in seen
    assert "Meanwhile: Spare printer" in seen


def test_raising_offers_what_is_open_there_also_when_it_names_a_system(floor: Floor) -> None:
    named = raise_(floor, system=make_system("label"), station=floor.station, now=timezone.now())
    next_door = raise_(floor, station=make_station(line=floor.station.line), now=timezone.now())
    elsewhere = make_line(area=floor.station.line.area)
    raise_(floor, station=make_station(line=elsewhere), now=timezone.now())
    lifecycle.acknowledge(named.number, by=floor.tech)
    seen = before(floor.operator, floor)
    offered = re.findall(r"Open already: .*?(INC-\d+)", seen)
    assert offered == [named.code, next_door.code], "first what is at the station itself"
    assert f"{floor.tech.name} has it." in seen and f"/incidents/{named.number}/words/" in seen
    assert "time in 30 days" not in seen, "what it repeats is as it was: its family has no system"
    on_line = before(floor.operator, floor, where=f"line:{floor.station.line.code}")
    assert named.code in on_line and next_door.code in on_line
    found = get(floor.operator, "incidents/", open="true", station=floor.station.code).json()["results"]
    assert [one["number"] for one in found] == [named.number]
    assert get(floor.operator, "incidents/", category="nothing").status_code == 400


def test_what_is_closed_practised_or_of_another_kind_is_not_offered(floor: Floor) -> None:
    lifecycle.take_back(raise_(floor, now=timezone.now()).number, by=floor.operator)
    raise_(floor, is_drill=True, now=timezone.now())
    raise_(floor, category=make_category("network"), now=timezone.now())
    assert "Open already" not in before(floor.operator, floor)


def test_raising_says_nothing_before_both_are_chosen_or_about_other_sites(
    floor: Floor, old: Incident
) -> None:
    assert before(floor.operator, floor, category="").strip() == ""
    assert before(floor.operator, floor, where="").strip() == ""
    stranger = make_person("Stranger", site=make_floor(name="Harlow Plant").site)
    assert before(stranger, floor).strip() == ""
    assert Client().get("/raise/before/", {"where": "x"}).content.strip() == b""


def test_a_tablet_is_told_how_often_and_the_standing_workaround_and_no_more(
    floor: Floor, old: Incident
) -> None:
    floor.station.systems.add(make_system("label", workaround="By hand"))
    tablet = Client()
    tablet.get(f"/q/{floor.station.code}")
    asked = {"where": f"station:{floor.station.code}", "category": floor.category.code}
    seen = tablet.get("/raise/before/", asked).content.decode()
    assert "second time in 30 days" in seen and "Meanwhile: By hand" in seen
    assert "Open already since" in seen and old.code in seen
    assert "Spare printer" not in seen and old.get_absolute_url() not in seen and floor.tech.name not in seen


def test_suggestions_for_the_five_whys(floor: Floor, old: Incident) -> None:
    again = raise_(floor, now=timezone.now())
    seen = page(floor.tech, "/countermeasures/suggest/", incident=again.number, q="driv")
    assert "Drivers update by themselves" in seen and 'data-offer-for="id_root_cause"' in seen
    elsewhere = Client()
    elsewhere.force_login(make_floor(name="Harlow Plant").tech)
    assert elsewhere.get("/countermeasures/suggest/", {"incident": again.number}).status_code == 403


def test_programs_read_the_same(floor: Floor, old: Incident) -> None:
    again = raise_(floor, now=timezone.now())
    told = get(floor.tech, f"incidents/{again.number}/").json()
    assert told["repeat_of"] == old.number
    assert told["repeats"] == {"days_30": 2, "days_90": 2}
    family = get(floor.tech, f"families/{told['family']}/").json()
    assert (family["days_30"], family["incidents"]) == (2, [again.number, old.number])
    assert family["tried"][0]["is_in_question"] is True
    ways = get(floor.tech, f"incidents/{again.number}/workarounds/").json()
    assert [(one["what"], one["after"]) for one in ways] == [("Spare printer", "PT22M")]
    causes = get(floor.tech, f"incidents/{again.number}/cause/suggestions/").json()
    assert [one["root_cause"] for one in causes] == ["Drivers update by themselves"]
    assert get(make_floor(name="Harlow Plant").tech, f"families/{told['family']}/").status_code == 403
    assert fresh(old).status == Status.RESOLVED
