"""One text message about several things: one segment, the worst first, with the longest names there are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override

from escalation.gsm7 import BASIC, EXTENDED, septets
from escalation.messages import notices
from escalation.messages.notices.digest import Hit, Thing, of_a_storm, several, things_of
from escalation.models import Clock, Reason, Storm
from plant.models import Area, Site
from tests.messages import world
from tests.messages.world import NOW, delivery, happened, incident, longest

PATH = f"/a/{world.TOKEN}"
BASE_URLS = ["https://ops.example.com", "https://opsdesk.millbrook-plant.corvenna-automotive.example.com"]


def things(count: int, language: str = "en", **changes: Any) -> list[Thing]:
    """Lines down with the longest names of the demo plant, as many as wanted."""
    said = []
    for n in range(count):
        about = incident(number=104_200 + n, raised_at=NOW - timedelta(minutes=700 + n), **changes)
        about.pk, about.clocks_from = n + 1, about.raised_at
        said.append(delivery(about, Reason.STEP, Clock.CONTAINMENT, language=language).notification)
    with override(language), timezone.override(said[0].about.site.tz):
        return things_of(said, NOW)


def text(found: list[Thing], language: str = "en", *, is_again: bool = False) -> str:
    with override(language):
        return notices.sms(several(found, PATH, is_again=is_again))


@pytest.mark.parametrize("base", BASE_URLS)
@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("count", [1, 2, 3, 6, 25, 1000])
def test_a_digest_is_one_segment_and_keeps_the_number_of_things_and_the_link(
    count: int, language: str, base: str, settings: Any
) -> None:
    settings.BASE_URL = base
    said = text(things(count, language), language)
    assert septets(said) <= 160
    assert set(said) <= BASIC | EXTENDED
    assert said.startswith(f"{count} ")
    assert said.endswith(f"{base}{PATH}")


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(("reason", "clock"), [(r, c) for r, c in world.EVERY_REASON])
def test_every_reason_may_be_in_a_digest(reason: str, clock: str, language: str) -> None:
    said = [delivery(happened(reason), reason, clock, language=language).notification] * 2
    with override(language), timezone.override(said[0].about.site.tz):
        found = things_of(said, NOW)
    assert septets(text(found, language)) <= 160
    assert "INC-104200" in text(found, language)


def test_what_is_left_out_is_counted() -> None:
    said = text(things(25))
    shown = said.count("INC-")
    assert shown >= 2
    assert f"+{25 - shown} more" in said


def test_what_it_says_in_order() -> None:
    stopped = incident(number=1042, raised_at=NOW - timedelta(minutes=31))
    at_risk = incident(number=1050, raised_at=NOW - timedelta(minutes=12), impact="at_risk", severity="S2")
    for pk, one in enumerate((stopped, at_risk), start=1):
        one.pk, one.clocks_from, one.line.name, one.station.name = pk, one.raised_at, "Dock 4", "Gate"
    said = [delivery(one, Reason.STEP, Clock.CONTAINMENT).notification for one in (at_risk, stopped)]
    with override("en"), timezone.override(stopped.site.tz):
        found = things_of(said, NOW)
    assert text(found) == (
        "2 things: INC-1042 LINE DOWN 31 min: Dock 4, Gate; INC-1050 AT RISK 12 min: Dock 4, Gate. Answer: "
        "https://ops.example.com/a/K7Q2MX9PRT"
    )


def test_practice_says_that_it_is() -> None:
    assert "PRACTICE: LINE DOWN" in text(things(1, is_drill=True))


@pytest.mark.parametrize("language", ["en", "es"])
def test_an_email_has_a_row_for_each_and_says_how_many_are_still_open(language: str) -> None:
    found = things(6, language)
    with override(language):
        subject, plain, html = notices.email(several(found, PATH, is_again=True))
    assert subject.startswith("6 ")
    for one in found:
        assert one.code in plain and one.code in html
    assert f"{PATH}" in html and f"{PATH}" in plain
    if language == "en":
        assert subject.startswith("6 things still open: INC-")


# --- a storm ---


def storm_text(hits: list[Hit], language: str, *, name: str = "", code: str = "MBK-ASM") -> str:
    site = Site(pk=1, code="MBK", name="Millbrook Plant", timezone="America/Detroit")
    area = Area(pk=1, site=site, code=code, name=name or longest(world._area_names()))
    storm = Storm(pk=1, site=site, area=area, began_at=NOW - timedelta(minutes=4))
    with override(language), timezone.override(site.tz):
        return notices.sms(of_a_storm(storm, hits, [], PATH, NOW))


@pytest.mark.parametrize("base", BASE_URLS)
@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("count", [0, 1, 3, 30])
def test_a_storm_is_one_segment_and_keeps_where_how_many_and_the_link(
    count: int, language: str, base: str, settings: Any
) -> None:
    settings.BASE_URL = base
    name = longest(line["name"] for line in world.lines())
    code = longest(world._codes())
    said = storm_text([Hit(f"{name} {n}", f"{code}{n}", 140 - n) for n in range(count)], language)
    assert septets(said) <= 160
    assert set(said) <= BASIC | EXTENDED
    assert said.endswith(f"{base}{PATH}")
    assert "11:26" in said


def test_a_storm_lists_places_and_counts() -> None:
    hits = [Hit("Door Line D1", "ASM-D1", 5), Hit("Door Line D2", "ASM-D2", 4), Hit("Seat 1", "ASM-S1", 3)]
    assert storm_text(hits, "en", name="Assembly") == (
        "MANY PROBLEMS in Assembly since 11:26: 12 open. Door Line D1 5, Door Line D2 4, Seat 1 3. "
        "https://ops.example.com/a/K7Q2MX9PRT"
    )
