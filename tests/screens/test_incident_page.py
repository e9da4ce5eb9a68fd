"""The incident page: three answers, who is told next, what may be done, and what happened."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from countermeasures import exposure
from countermeasures import lifecycle as fixes
from escalation.models import Delivery, DeliveryState, Notification
from incidents import lifecycle
from incidents.models import Event, Incident
from tests.factories import make_person, make_site
from tests.screens.reading import labels, poll, words

pytestmark = pytest.mark.django_db

As = Callable[[str], Client]
Advance = Callable[..., None]


def page(client: Client, incident: Incident) -> Any:
    return client.get(incident.get_absolute_url())


def test_the_three_answers_and_who_is_told_next_are_on_top(world: Any, advance: Advance, as_: As) -> None:
    incident = world.raise_it(words="No labels come out of the printer")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=12)
    text = words(page(as_("tillery"), incident))
    assert "The problem No labels come out of the printer." in text
    assert "What we’re doing Vela has it since 10:00." in text
    assert "Open 12 min. Next alert in 3:00" in text
    assert "If no product by 10:15, Kowal and Brandt are told" in text


def test_through_the_night_who_was_told_keeps_the_time_on_the_clock(
    world: Any, advance: Advance, as_: As
) -> None:
    world.now += timedelta(hours=13, minutes=50)
    incident = world.raise_it()
    advance(minutes=35)
    told = page(as_("tillery"), incident).context["panel"].rungs
    assert told[0].at == "23:50"
    world.now += timedelta(days=1)
    assert page(as_("tillery"), incident).context["panel"].rungs[0].at == "Tue 4 Nov"


def test_the_number_may_have_its_letters(world: Any, as_: As) -> None:
    incident = world.raise_it()
    assert as_("vela").get(f"/incidents/INC-{incident.number}/").status_code == 200


def test_an_unknown_number_is_not_found(world: Any, as_: As) -> None:
    assert as_("vela").get("/incidents/99999999/").status_code == 404
    assert as_("vela").get("/incidents/nothing/").status_code == 404


def test_somebody_from_another_site_is_refused(world: Any) -> None:
    incident = world.raise_it()
    client = Client()
    client.force_login(make_person("Ola Stranger", site=make_site("ELSE")))
    response = page(client, incident)
    assert response.status_code == 403 and "a site that you do not work for" in words(response)


def test_without_a_login_it_asks_to_sign_in(world: Any, client: Client) -> None:
    response = page(client, world.raise_it())
    assert response.status_code == 302 and response.headers["Location"].startswith("/login/")


def test_words_from_the_floor_are_never_read_as_markup(world: Any, as_: As) -> None:
    incident = world.raise_it(words="<script>alert(1)</script>", title="<b>Bold</b> title")
    body = page(as_("vela"), incident).content.decode()
    assert "<script>alert(1)" not in body and "<b>Bold</b>" not in body


# -- the ladder


def test_a_manager_who_was_told_and_has_not_answered_is_named_in_amber(
    world: Any, advance: Advance, as_: As
) -> None:
    incident = world.raise_it()
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=31)
    as_("tillery").post(f"{incident.get_absolute_url()}seen/")
    body = page(as_("vela"), incident).content.decode()
    warned = re.findall(r"<b>([^<]+)</b><span class=\"t\">[^<]*</span><small>[^<]*<em>([^<]+)</em>", body)
    assert ("Prewitt", "No answer yet") in warned
    assert "Tillery" not in [name for name, _words in warned]
    assert "Production manager. Answered 10:31 on the screen" in words(page(as_("vela"), incident))


def test_seen_stops_no_clock_and_is_on_the_timeline(world: Any, advance: Advance, as_: As) -> None:
    incident = world.raise_it()
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=31)
    before = next_alert(page(as_("vela"), incident))
    response = as_("prewitt").post(f"{incident.get_absolute_url()}seen/", {"next": "/dashboard/"})
    assert response.headers["Location"] == "/dashboard/"
    after = page(as_("vela"), incident)
    assert "Prewitt has seen it, on the screen." in words(after)
    assert next_alert(after) == before


def next_alert(response: Any) -> str:
    return re.findall(r'data-due="([^"]+)"', response.content.decode())[0]


def test_seen_goes_nowhere_outside_this_site(world: Any, as_: As) -> None:
    incident = world.raise_it()
    response = as_("prewitt").post(f"{incident.get_absolute_url()}seen/", {"next": "https://evil.example/"})
    assert response.headers["Location"] == incident.get_absolute_url()


def test_seen_by_htmx_leads_to_the_page_instead_of_into_the_form(world: Any, as_: As) -> None:
    incident = world.raise_it()
    response = as_("prewitt").post(f"{incident.get_absolute_url()}seen/", headers={"HX-Request": "true"})
    assert response.status_code == 200 and response.headers["HX-Redirect"] == incident.get_absolute_url()


def test_who_could_not_be_reached_is_said_in_red(world: Any, advance: Advance, as_: As) -> None:
    incident = world.raise_it()
    advance(minutes=1)
    Delivery.objects.filter(notification__person=world["jimenez"]).update(
        state=DeliveryState.FAILED, failed_at=world.now, error="No such number"
    )
    response = page(as_("vela"), incident)
    assert "We couldn’t reach Jimenez by SMS." in words(response)
    assert b'data-s="bad"' in response.content


def test_a_pause_shows_its_name_reason_and_end(world: Any, advance: Advance, as_: As) -> None:
    incident = world.raise_it("at_risk")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.shelve(
        incident.number,
        by=world["tillery"],
        until=world.now + timedelta(hours=2),
        reason="No build",
        now=world.now,
    )
    advance(minutes=1)
    text = words(page(as_("vela"), incident))
    assert "Paused by Tillery until 12:00: No build." in text


# -- buttons


def test_whoever_may_take_it_is_offered_to(world: Any, as_: As) -> None:
    incident = world.raise_it()
    assert labels(page(as_("vela"), incident))[:1] == ["I’m at the station"] or "I’ll take it" in labels(
        page(as_("vela"), incident)
    )
    assert "I’ll take it" not in labels(page(as_("petty"), incident))
    assert "I’ll take it" not in labels(page(as_("tillery"), incident))


def test_the_owner_says_what_is_new_and_that_product_moves(world: Any, as_: As) -> None:
    incident = world.raise_it()
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    found = labels(page(as_("vela"), incident))
    assert {"Say what’s new", "Product is moving again", "I’m at the station"} <= set(found)
    assert "Production runs, I confirm" not in found and "It came back" not in found


def test_the_floor_confirms_but_not_the_owner(world: Any, as_: As) -> None:
    incident = world.raise_it()
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    assert {"Production runs, I confirm", "It came back"} <= set(labels(page(as_("jimenez"), incident)))
    assert "Production runs, I confirm" not in labels(page(as_("vela"), incident))


@pytest.mark.parametrize("name", ["tillery", "prewitt", "okafor"])
def test_managers_may_decide(world: Any, as_: As, name: str) -> None:
    incident = world.raise_it()
    assert {"Change how bad it is", "Pause the alerts"} <= set(labels(page(as_(name), incident)))


@pytest.mark.parametrize("name", ["vela", "jimenez", "petty", "hutchins"])
def test_nobody_else_may_decide(world: Any, as_: As, name: str) -> None:
    incident = world.raise_it()
    assert not {"Change how bad it is", "Pause the alerts"} & set(labels(page(as_(name), incident)))


def test_safety_has_no_pause_button(world: Any, as_: As) -> None:
    incident = world.raise_it("safety")
    assert "Pause the alerts" not in labels(page(as_("tillery"), incident))


def test_leads_may_ask_somebody_to_take_it(world: Any, as_: As) -> None:
    incident = world.raise_it()
    assert "Ask somebody to take it" in labels(page(as_("brandt"), incident))
    assert "Ask somebody to take it" not in labels(page(as_("vela"), incident))


def test_while_it_waits_another_time_can_be_agreed_and_the_wait_be_over(world: Any, as_: As) -> None:
    incident = world.raise_it()
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    assert "It waits on somebody" in labels(page(as_("vela"), incident))
    until = world.now + timedelta(hours=4)
    lifecycle.wait_on(
        incident.number, by=world["vela"], on="part", name="Print head", until=until, now=world.now
    )
    assert {"The wait is over", "Another time"} <= set(labels(page(as_("vela"), incident)))


def test_closing_is_blocked_until_proved_and_says_what_is_missing(world: Any, as_: As) -> None:
    incident = in_place(world)
    response = page(as_("jimenez"), incident)
    assert "Close, needs proof first" in labels(response)
    assert "is not proved yet." in words(response)


def test_a_closed_incident_offers_only_that_it_came_back(world: Any, advance: Advance, as_: As) -> None:
    incident = world.raise_it("workaround")
    advance(minutes=1)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.close(
        incident.number, by=world["vela"], cause="Loose cable", agreed_by=world["jimenez"], now=world.now
    )
    assert [one for one in labels(page(as_("jimenez"), incident)) if one != "Add words or a photo"] == [
        "It came back"
    ]
    assert "Every clock has stopped." in words(page(as_("jimenez"), incident))


def test_every_button_leads_somewhere_that_exists(world: Any, as_: As) -> None:
    incident = in_place(world)
    for name in ("vela", "brandt", "jimenez", "tillery"):
        body = page(as_(name), incident).content.decode()
        for address in set(re.findall(r'hx-get="(/incidents/[^"]+/[a-z-]+/)"', body)):
            assert as_(name).get(address).status_code == 200, (name, address)


def in_place(world: Any) -> Incident:
    """Contained, with a permanent fix in place that is being proved, and resolved."""
    incident = world.raise_it()
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    fix = fixes.add(
        incident.number,
        by=world["vela"],
        kind="permanent",
        what="Pin the printer driver",
        owner=world["vela"],
        due_on=world.now.date() + timedelta(days=3),
        strength="prevent",
        metric="Label queue stops",
        target="None",
        checker=world["jimenez"],
        now=world.now,
    )
    fixes.put_in_place(fix.pk, by=world["vela"], evidence="Version 8.4 is pinned", now=world.now)
    return lifecycle.resolve(incident.number, by=world["vela"], now=world.now)


# -- countermeasures, technical detail, timeline


def test_countermeasures_show_how_far_they_are_proved(world: Any, as_: As) -> None:
    incident = in_place(world)
    world.now += timedelta(days=12, hours=1)
    exposure.count_shift_starts(world.now)
    response = page(as_("jimenez"), incident)
    text = words(response)
    assert "Keep product moving · Vela" in text
    assert "12 of 30 days" in text and "Vela, Jimenez checks" in text
    assert response.content.count(b'<i class="y">') == 4
    assert "Does it hold?" in text


def test_technical_detail_of_every_word_is_one_tap_away_and_nowhere_else(world: Any, as_: As) -> None:
    incident = world.raise_it(technical="VLAN 140 down")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    for said in ("event 372", ""):
        lifecycle.post_update(
            incident.number,
            by=world["vela"],
            conditions="Labels blank",
            actions="Changing the head",
            needs="No needs",
            technical=said,
            now=world.now,
        )
    body = page(as_("tillery"), incident).content.decode()
    drawer = body[body.index('<details class="drawer" id="technical"') :]
    drawer = drawer[: drawer.index("</details>")]
    assert "event 372" in drawer and "VLAN 140 down" in drawer
    assert "VLAN 140" not in body.replace(drawer, "")


def test_what_happened_says_who_did_what_and_how_far_messages_got(
    world: Any, advance: Advance, as_: As
) -> None:
    incident = world.raise_it()
    advance(minutes=2)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    text = words(page(as_("tillery"), incident))
    assert "Petty raised it." in text
    assert "Vela and Jimenez told. Vela 10:00 Jimenez 10:00" in text
    assert "Vela picked it up." in text


def test_reminders_that_follow_one_another_are_one_line(world: Any, advance: Advance, as_: As) -> None:
    incident = in_place(world)
    advance(hours=8 * 6 + 1)
    assert Event.objects.filter(incident=incident, kind="told").count() >= 6
    assert "Told again: Hutchins, Tillery and Prewitt. 5 times since" in words(page(as_("vela"), incident))


# -- polling


def test_an_unchanged_page_is_answered_304_and_a_changed_one_afresh(world: Any, as_: As) -> None:
    incident, client = world.raise_it(), as_("vela")
    first = poll(client, incident.get_absolute_url(), "incident-live")
    assert first.status_code == 200 and b"<html" not in first.content
    again = poll(client, incident.get_absolute_url(), "incident-live", first.headers["ETag"])
    assert again.status_code == 304 and not again.content
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    changed = poll(client, incident.get_absolute_url(), "incident-live", first.headers["ETag"])
    assert changed.status_code == 200 and "Vela has it" in words(changed)


def test_a_message_that_arrived_changes_the_page_though_the_incident_did_not(
    world: Any, advance: Advance, as_: As
) -> None:
    incident, client = world.raise_it(), as_("tillery")
    advance(minutes=1)
    Delivery.objects.update(state=DeliveryState.SENT, delivered_at=None)
    tag = poll(client, incident.get_absolute_url(), "incident-live").headers["ETag"]
    Delivery.objects.update(state=DeliveryState.DELIVERED, delivered_at=world.now)
    assert poll(client, incident.get_absolute_url(), "incident-live", tag).status_code == 200


def test_an_answer_changes_the_page(world: Any, advance: Advance, as_: As) -> None:
    incident, client = world.raise_it(), as_("vela")
    advance(minutes=1)
    tag = poll(client, incident.get_absolute_url(), "incident-live").headers["ETag"]
    Notification.objects.filter(person=world["jimenez"]).update(answered_at=world.now, answer="seen")
    assert poll(client, incident.get_absolute_url(), "incident-live", tag).status_code == 200


def test_the_minute_changes_the_page_because_it_says_47_min(world: Any, as_: As) -> None:
    incident, client = world.raise_it(), as_("vela")
    tag = poll(client, incident.get_absolute_url(), "incident-live").headers["ETag"]
    world.now += timedelta(minutes=1)
    assert poll(client, incident.get_absolute_url(), "incident-live", tag).status_code == 200


def test_a_poll_that_changed_nothing_asks_little(world: Any, advance: Advance, as_: As) -> None:
    incident, client = world.raise_it(), as_("vela")
    advance(minutes=1)
    tag = poll(client, incident.get_absolute_url(), "incident-live").headers["ETag"]
    with CaptureQueriesContext(connection) as asked:
        poll(client, incident.get_absolute_url(), "incident-live", tag)
    assert len(asked) <= 7, [query["sql"][:80] for query in asked]


def test_the_form_is_outside_of_what_is_polled(world: Any, as_: As) -> None:
    body = page(as_("vela"), world.raise_it()).content.decode()
    assert body.index('<div id="do">') < body.index('id="incident-live"')
    assert (
        'id="do"'
        not in poll(as_("vela"), world.raise_it().get_absolute_url(), "incident-live").content.decode()
    )


def test_the_number_of_queries_does_not_grow_with_what_happened(
    world: Any, advance: Advance, as_: As
) -> None:
    incident, client = in_place(world), as_("tillery")
    advance(hours=9)
    page(client, incident)
    with CaptureQueriesContext(connection) as few:
        page(client, incident)
    for n in range(12):
        lifecycle.add_words(incident.number, by=world["petty"], words=f"Seen again {n}", now=world.now)
        fixes.add(incident.number, by=world["vela"], kind="preventive", what=f"Spare {n}", now=world.now)
        lifecycle.stop_line(incident.number, by=world["petty"], now=world.now)
        lifecycle.line_runs(incident.number, by=world["petty"], now=world.now)
    advance(hours=30)
    with CaptureQueriesContext(connection) as many:
        response = page(client, incident)
    assert response.status_code == 200
    assert len(many) == len(few), [q["sql"][:100] for q in many]
    assert len(many) <= 45


def test_a_promised_time_that_has_passed_is_said_as_such(world: Any, advance: Advance, as_: As) -> None:
    incident = world.raise_it()
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.wait_on(
        incident.number,
        on="vendor",
        name="Inkmarrow",
        until=world.now + timedelta(minutes=10),
        by=world["vela"],
        now=world.now,
    )
    assert "waits on Inkmarrow until 10:10" in words(page(as_("tillery"), incident))
    advance(minutes=12)
    assert "waits on Inkmarrow, promised for 10:10" in words(page(as_("tillery"), incident))
