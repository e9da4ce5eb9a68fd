"""The IT manager sees what people would read: each kind of message, its length, no technical detail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from incidents import lifecycle
from tests.screens.reading import words

pytestmark = pytest.mark.django_db

As = Callable[[str], Client]
WORDS = "/setup/words/"
JARGON = "Zqspooler9100"


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("role", ["production_manager", "supervisor", "it_tech"])
def test_every_kind_is_one_sms(world: Any, as_: As, language: str, role: str) -> None:
    world.raise_it()
    page = as_("hutchins").get(WORDS, {"language": language, "role": role}).context
    said, of_site = page["said"], page["said_of_site"]
    assert len(said) > 12
    assert {one.segments for one in [*said, *of_site]} == {1}
    assert all(one.subject and one.text and one.html and all(one.push) for one in [*said, *of_site])
    assert {"Nobody has it yet", "A gap in the roster ahead", "Alerts do not go out"} <= {
        *(one.clock for one in said),
        *(one.reason for one in of_site),
    }, "their names are in the language of who looks"
    wanted = {
        "shift_start",
        "gap_ahead",
        "provider",
        "drill_report",
        "reachability",
        "listener_off",
        "digest",
    }
    assert wanted <= {one.kind.removeprefix("site-") for one in of_site}
    assert len(page["rooms"]) > 4
    by_kind = {one.kind: one for one in said}
    nobody = by_kind["step-response"].sms.split(". ")[2]
    assert nobody in ("Nobody has it yet", "Nadie lo tiene todavia")
    assert nobody not in by_kind["told_picked_up"].sms + by_kind["told_moving"].sms


@pytest.mark.parametrize("role", ["production_manager", "supervisor", "it_tech"])
def test_technical_detail_is_in_no_message_for_nobody_by_no_channel(world: Any, as_: As, role: str) -> None:
    """Neither of the incident nor of the last update: every kind, by SMS, email, push and chat."""
    incident = world.raise_it()
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.add_words(incident.number, by=world["vela"], words="", technical=JARGON, now=world.now)
    lifecycle.post_update(
        incident.number,
        by=world["vela"],
        conditions="labels will not print",
        actions="moving the queue",
        needs="none",
        technical=JARGON,
        now=world.now,
    )
    page = as_("hutchins").get(WORDS, {"role": role}).context
    for one in [*page["said"], *page["said_of_site"]]:
        assert JARGON not in "".join([one.sms, one.subject, one.text, one.html, *one.push]), one.kind
    assert not [text for title, text in page["rooms"] if JARGON in title + text]


def test_the_newest_open_one_is_shown_unless_another_is_asked_for(world: Any, as_: As) -> None:
    first, second = world.raise_it(), world.raise_it()
    client = as_("hutchins")
    assert client.get(WORDS).context["asked"].incident == second
    assert first.code in words(client.get(WORDS, {"incident": first.code}))
    assert client.get(WORDS, {"incident": "INC-999999"}).status_code == 404


def test_an_email_is_shown_in_a_frame_that_runs_nothing(world: Any, as_: As) -> None:
    world.raise_it()
    answer = as_("hutchins").get(WORDS + "mail/", {"kind": "step-response"})
    assert answer.status_code == 200
    assert "script-src 'none'" in answer.headers["Content-Security-Policy"]
    assert as_("hutchins").get(WORDS + "mail/", {"kind": "odd"}).status_code == 404


def test_it_is_for_the_it_manager_and_empty_without_incidents(world: Any, as_: As) -> None:
    assert "No incident yet" in words(as_("hutchins").get(WORDS))
    for name in ("vela", "tillery"):
        assert as_(name).get(WORDS).status_code == 403
