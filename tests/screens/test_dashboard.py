"""The managers' dashboard: what is true now, what needs you, in the order of what hurts next."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from countermeasures import lifecycle as fixes
from incidents import lifecycle
from incidents.models import Impact, Incident
from plant.models import Flow, Role
from tests import factories as make
from tests.screens.reading import labels, poll, words

pytestmark = pytest.mark.django_db

As = Callable[[str], Client]
Advance = Callable[..., None]


def dashboard(client: Client, **asked: str) -> Any:
    return client.get("/dashboard/", asked)


def said(incident: Incident, world: Any, needs: str) -> None:
    lifecycle.post_update(
        incident.number,
        by=world["vela"],
        conditions="Labels are blank",
        actions="Changing the head",
        needs=needs,
        now=world.now,
    )


def raise_at_another_line(world: Any, impact: str = "stopped", **fields: Any) -> Incident:
    line = make.make_line(area=world.area, name=f"Line {make.make_line(area=world.area).pk}")
    return world.raise_it(impact, station=make.make_station(line=line), **fields)


# -- the sentence on top


def test_a_calm_plant_needs_nobody(world: Any, as_: As) -> None:
    text = words(dashboard(as_("tillery")))
    assert "Nothing needs you." in text and "No problem is open." in text


def test_the_sentence_names_the_line_that_is_down(world: Any, as_: As) -> None:
    world.raise_it()
    assert "Door Panel Line D1 is down." in words(dashboard(as_("tillery")))


def test_many_lines_down_are_counted(world: Any, as_: As) -> None:
    for _n in range(3):
        raise_at_another_line(world)
    assert "Three lines are down." in words(dashboard(as_("tillery")))


def test_safety_is_said_first(world: Any, as_: As) -> None:
    raise_at_another_line(world)
    world.raise_it("safety")
    text = words(dashboard(as_("tillery")))
    assert text.index("Someone could get hurt at Door Panel Line D1.") < text.index("is down.")


def test_shipments_and_deliveries_at_risk_are_counted_apart(world: Any, as_: As) -> None:
    for flow in (Flow.SHIPPING, Flow.SHIPPING, Flow.RECEIVING):
        raise_at_another_line(world, "at_risk", flow=flow, cover_until=world.now + timedelta(hours=1))
    text = words(dashboard(as_("prewitt")))
    assert "Two shipments are at risk. One delivery is at risk." in text
    assert "Trucks at risk" in text


def test_practice_is_shown_but_makes_no_headline(world: Any, as_: As) -> None:
    world.raise_it(is_drill=True)
    text = words(dashboard(as_("tillery")))
    assert "is down." not in text and "Practice, not real" in text
    assert "Nothing needs you." in text and "Practice: Label & pack" in text


def test_passed_dates_and_ending_bandages_are_named(world: Any, as_: As) -> None:
    incident = world.raise_it()
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    fixes.add(
        incident.number,
        by=world["vela"],
        kind="permanent",
        what="Order four printers",
        owner=world["vela"],
        due_on=world.now.date() + timedelta(days=1),
        now=world.now,
    )
    world.now += timedelta(days=6)
    text = words(dashboard(as_("tillery")))
    assert "One date has passed." in text
    assert "Dates that have passed Order four printers Wed 5 Nov" in text
    assert "Keep product moving Spare printer Ends Tue 11 Nov" in text


# -- lines


def test_the_strip_says_how_each_line_is(world: Any, as_: As) -> None:
    slow = raise_at_another_line(world, "at_risk")
    by_hand = raise_at_another_line(world, "workaround")
    world.raise_it()
    world.now += timedelta(minutes=47)
    body = dashboard(as_("tillery")).content.decode()
    cells = {re.sub(r"<[^>]+>|\s+", " ", cell) for cell in re.findall(r'<li data-s="[\s\S]*?</li>', body)}
    states = {"down": "Down 47 min", "risk": "Slow, 47 min", "work": "Workaround"}
    for state, word in states.items():
        assert re.search(rf'<li data-s="{state}">[\s\S]*?{word}', body), cells
    assert str(slow.line) in body and str(by_hand.line) in body


def test_a_line_that_runs_again_is_not_down(world: Any, as_: As) -> None:
    incident = world.raise_it()
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    response = dashboard(as_("tillery"))
    assert b'data-s="down"' not in response.content and "Workaround Printer or labels" in words(response)


def test_the_bar_shows_when_the_line_stood_still_in_the_last_eight_hours(world: Any, as_: As) -> None:
    incident = world.raise_it()
    world.now += timedelta(hours=4)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    world.now += timedelta(hours=2)
    body = dashboard(as_("tillery")).content.decode()
    assert '<rect class="d" x="25.0" width="50.0" height="6"/>' in body
    world.now += timedelta(hours=9)
    assert '<rect class="d"' not in dashboard(as_("tillery")).content.decode()


# -- what needs you


def test_what_runs_out_next_comes_first(world: Any, as_: As) -> None:
    late = raise_at_another_line(world, "at_risk", title="Later", cover_until=world.now + timedelta(hours=2))
    soon = raise_at_another_line(world, "at_risk", title="Sooner", cover_until=world.now + timedelta(hours=1))
    never = raise_at_another_line(world, "stopped", title="No cover known")
    body = dashboard(as_("tillery")).content.decode()
    rows = [int(number) for number in re.findall(r'id="need-(\d+)"', body)]
    assert rows == [soon.number, late.number, never.number]


def test_the_clock_says_who_is_told_next(world: Any, advance: Advance, as_: As) -> None:
    world.raise_it()
    advance(minutes=1)
    text = words(dashboard(as_("tillery")))
    assert "4:00 then Brandt and Kowal are told" in text


def test_the_reader_is_called_you(world: Any, advance: Advance, as_: As) -> None:
    world.raise_it()
    advance(minutes=6)
    assert "then you, Hutchins and Prewitt are told" in words(dashboard(as_("tillery")))


def test_the_ask_is_what_the_owner_needs(world: Any, as_: As) -> None:
    incident = world.raise_it()
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    said(incident, world, "One person from packing until nine")
    assert "Vela needs: One person from packing until nine." in words(dashboard(as_("tillery")))
    said(incident, world, "No needs")
    assert "needs:" not in words(dashboard(as_("tillery")))


def test_i_have_seen_it_answers_my_own_message_and_no_one_elses(
    world: Any, advance: Advance, as_: As
) -> None:
    incident = world.raise_it()
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=31)
    tillery, prewitt = as_("tillery"), as_("prewitt")
    assert "I’ve seen it" in labels(dashboard(tillery))
    tillery.post(f"/incidents/{incident.number}/seen/", {"next": "/dashboard/"})
    assert "I’ve seen it" not in labels(dashboard(tillery))
    assert "I’ve seen it" in labels(dashboard(prewitt))
    assert "No answer yet: Hutchins and Prewitt." in words(dashboard(tillery))


def test_what_moves_and_asks_nothing_is_in_hand(world: Any, as_: As) -> None:
    incident = world.raise_it()
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    body = dashboard(as_("tillery")).content.decode()
    assert f'id="hand-{incident.number}"' in body and f'id="need-{incident.number}"' not in body


def test_only_so_many_rows_and_a_way_to_all_of_them(world: Any, as_: As) -> None:
    for n in range(12):
        world.raise_it("at_risk", title=f"Problem {n}")
    for n in range(10):
        world.raise_it("none", title=f"Small {n}")
    response = dashboard(as_("tillery"))
    assert len(re.findall(rb'id="need-\d+"', response.content)) == 8
    assert "Needs you now 12" in words(response)
    assert "All 22 incidents" in words(response)


# -- sites


def test_a_manager_sees_the_own_site_and_switches_only_to_others_of_theirs(world: Any, as_: As) -> None:
    other = make.make_site("DSC", name="Dunmore")
    stranger = make.make_site("FAR", name="Faraway")
    make.give_role(world["tillery"], Role.PRODUCTION_MANAGER, site=other)
    text = words(dashboard(as_("tillery")))
    assert "Dunmore" in text and "Faraway" not in text
    assert dashboard(as_("tillery"), site=other.code).context["site"] == other
    assert dashboard(as_("tillery"), site=stranger.code).context["site"] == world.site


def test_a_corporate_role_may_look_at_every_site(world: Any) -> None:
    make.make_site("FAR", name="Faraway")
    client = Client()
    client.force_login(make.make_person("Noreen", roles=[Role.IT_DIRECTOR], corporate=True))
    assert dashboard(client, site="FAR").context["site"].code == "FAR"


def test_somebody_without_a_site_is_told_whom_to_ask(world: Any) -> None:
    client = Client()
    client.force_login(make.make_person("Nobody Yet"))
    response = dashboard(client)
    assert response.status_code == 403 and "Ask an IT manager" in words(response)


# -- polling and what it costs


def test_an_unchanged_dashboard_is_answered_304_and_a_new_incident_afresh(world: Any, as_: As) -> None:
    client, address = as_("tillery"), f"/dashboard/?site={world.site.code}"
    first = poll(client, address, "dashboard")
    assert first.status_code == 200 and b"<html" not in first.content
    assert poll(client, address, "dashboard", first.headers["ETag"]).status_code == 304
    world.raise_it()
    assert poll(client, address, "dashboard", first.headers["ETag"]).status_code == 200


def test_a_poll_that_changed_nothing_asks_little(world: Any, as_: As) -> None:
    client, address = as_("tillery"), f"/dashboard/?site={world.site.code}"
    tag = poll(client, address, "dashboard").headers["ETag"]
    with CaptureQueriesContext(connection) as asked:
        poll(client, address, "dashboard", tag)
    assert len(asked) <= 7, [query["sql"][:80] for query in asked]


def test_the_number_of_queries_is_the_same_for_5_and_for_200_open_incidents(
    world: Any, advance: Advance, as_: As
) -> None:
    client = as_("tillery")
    impacts = list(Impact)

    def raise_until(count: int) -> None:
        for n in range(Incident.objects.open().count(), count):
            incident = world.raise_it(impacts[n % 5])
            if n % 3 == 0:
                lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
            if n % 6 == 0:
                lifecycle.contain(incident.number, by=world["vela"], what="By hand", now=world.now)
        advance(minutes=1)

    raise_until(7)
    dashboard(client)
    with CaptureQueriesContext(connection) as few:
        dashboard(client)
    raise_until(200)
    with CaptureQueriesContext(connection) as many:
        response = dashboard(client)
    assert response.status_code == 200
    # one more: beyond what is read, the open ones are counted
    assert len(many) <= len(few) + 1, [query["sql"][:100] for query in many]
    assert len(many) <= 45
