"""The incident list: what hurts first on top, filters in the address, pages that never count."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape
from django.utils.translation import override

from incidents import readings
from incidents.listing import PAGE, Asked, page
from incidents.models import Impact, Incident, Status
from plant.models import Role
from tests.factories import NOW, Floor, make_floor, make_person, make_station, raise_, reach

pytestmark = pytest.mark.django_db


@pytest.fixture
def looking(client: Client, floor: Floor) -> Client:
    client.force_login(floor.manager)
    return client


def numbers(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="row-(\d+)"', html)]


def shown(client: Client, **asked: str) -> list[int]:
    response = client.get("/incidents/", asked)
    assert response.status_code == 200
    return numbers(response.content.decode())


def test_nobody_sees_the_list_without_signing_in(client: Client) -> None:
    assert client.get("/incidents/").headers["Location"].startswith("/login/")


def test_a_title_nobody_wrote_is_said_in_the_readers_language(looking: Client, floor: Floor) -> None:
    incident = raise_(floor, Impact.STOPPED)
    with override("es"):
        Incident.objects.filter(pk=incident.pk).update(title=readings.default_title(incident))
    stored = Incident.objects.get(pk=incident.pk).title
    html = looking.get("/incidents/").content.decode()
    assert escape(stored) not in html
    assert escape(readings.default_title(incident)) in html


def test_what_stops_product_next_is_on_top_after_safety(looking: Client, floor: Floor) -> None:
    late = raise_(floor, Impact.AT_RISK, cover_until=NOW + timedelta(hours=2))
    soon = raise_(floor, Impact.WORKAROUND, cover_until=NOW + timedelta(minutes=20))
    unknown = raise_(floor, Impact.STOPPED)
    safety = raise_(floor, Impact.SAFETY)
    assert shown(looking) == [safety.number, soon.number, late.number, unknown.number]


def test_where_product_moves_again_it_comes_last(looking: Client, floor: Floor) -> None:
    moving = reach(floor, Status.CONTAINED, cover_until=NOW + timedelta(minutes=1))
    minor = raise_(floor, Impact.NONE)
    assert shown(looking) == [minor.number, moving.number]


def test_closed_ones_are_out_of_the_way_but_not_gone(looking: Client, floor: Floor) -> None:
    done, still = reach(floor, Status.CLOSED), raise_(floor)
    assert shown(looking) == [still.number]
    assert shown(looking, show="closed") == [done.number]
    assert shown(looking, show="all") == [still.number, done.number]


def test_mine_are_those_i_own_or_was_asked_to_take(client: Client, floor: Floor) -> None:
    mine = reach(floor, Status.ACKNOWLEDGED)
    raise_(floor)
    client.force_login(floor.tech)
    assert shown(client, show="mine") == [mine.number]


def test_each_filter_narrows_the_list(looking: Client, floor: Floor) -> None:
    stopped, minor = raise_(floor, Impact.STOPPED), raise_(floor, Impact.NONE)
    taken = reach(floor, Status.ACKNOWLEDGED, Impact.AT_RISK)
    assert shown(looking, severity="S4") == [minor.number]
    assert shown(looking, status="acknowledged") == [taken.number]
    assert set(shown(looking, line=floor.line.code)) == {stopped.number, minor.number, taken.number}
    assert shown(looking, line="NO-SUCH") == []


def test_a_number_or_words_find_it(looking: Client, floor: Floor) -> None:
    other = make_station(line=floor.line, name="Oven exit")
    found = raise_(floor, station=other, words="Every second tag is unread")
    raise_(floor)
    for words in (
        str(found.number),
        f"INC-{found.number}",
        "inc-" + str(found.number),
        "oven",
        "second tag",
        "TAG oven",
    ):
        assert shown(looking, q=words) == [found.number], words
    assert shown(looking, q="nothing like it") == []


@pytest.mark.parametrize("words", ["%", "_", "'", "\\", '"><script>', "٣", "1" * 40, "INC-", "a" * 500])
def test_any_words_are_only_words(looking: Client, floor: Floor, words: str) -> None:
    raise_(floor)
    html = looking.get("/incidents/", {"q": words}).content.decode()
    assert "<script>alert" not in html and '"><script>' not in html


@pytest.mark.parametrize(
    "junk", [{"show": "x"}, {"severity": "S9"}, {"status": "lost"}, {"start": "-1"}, {"before": "x"}]
)
def test_an_old_or_mistyped_address_still_shows_the_list(
    looking: Client, floor: Floor, junk: dict[str, str]
) -> None:
    incident = raise_(floor)
    assert shown(looking, **junk) == [incident.number]


def test_other_sites_are_not_shown_except_to_corporate_roles(client: Client, floor: Floor) -> None:
    here, away = raise_(floor), raise_(make_floor(code="AWAY"))
    client.force_login(floor.manager)
    assert shown(client) == [here.number]
    client.force_login(make_person("Noreen", roles=[Role.IT_DIRECTOR], corporate=True, site=floor.site))
    assert set(shown(client)) == {here.number, away.number}


@pytest.mark.parametrize("asked", [{}, {"show": "all"}, {"q": "labels"}])
def test_every_row_is_on_exactly_one_page(looking: Client, floor: Floor, asked: dict[str, str]) -> None:
    everything = {
        raise_(floor, Impact.NONE, now=NOW + timedelta(minutes=row)).number for row in range(PAGE + 5)
    }
    seen: list[int] = []
    address: str | None = "/incidents/?" + "&".join(f"{name}={value}" for name, value in asked.items())
    while address:
        html = looking.get(address).content.decode()
        seen += numbers(html)
        more = re.search(r'class="more"><a class="btn" href="([^"]+)"', html)
        address = more.group(1).replace("&amp;", "&") if more else None
    assert len(seen) == len(set(seen)) and set(seen) == everything


def test_a_filter_survives_the_next_page() -> None:
    asked = Asked.from_address({"show": "all", "severity": "S1", "q": "two  words"})
    assert (
        Asked.from_address(dict(pair.split("=") for pair in asked.address(before=7)[1:].split("&"))).before
        == 7
    )
    assert "severity=S1" in asked.address(before=7) and "q=two+words" in asked.address(before=7)


def test_the_number_of_queries_is_fixed(looking: Client, floor: Floor) -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            looking.get("/incidents/")
        return len(queries)

    reach(floor, Status.ACKNOWLEDGED)
    count()
    few = count()
    for _row in range(12):
        reach(floor, Status.ACKNOWLEDGED, Impact.NONE)
    assert count() == few <= 12


def test_nothing_counts_the_whole_table(looking: Client, floor: Floor) -> None:
    raise_(floor)
    with CaptureQueriesContext(connection) as queries:
        looking.get("/incidents/", {"show": "all"})
    for query in queries.captured_queries:
        if "COUNT(*)" in query["sql"]:
            assert "LIMIT" in query["sql"]


def test_the_rows_refresh_themselves_and_rest_when_nothing_changed(looking: Client, floor: Floor) -> None:
    raise_(floor, now=timezone.now())
    headers: dict[str, Any] = {"HX-Request": "true", "HX-Target": "rows"}
    first = looking.get("/incidents/", headers=headers)
    assert first.status_code == 200 and "<html" not in first.content.decode()
    again = looking.get("/incidents/", headers={**headers, "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and not again.content
    new = raise_(floor, now=timezone.now())
    changed = looking.get("/incidents/", headers={**headers, "If-None-Match": first.headers["ETag"]})
    assert new.number in numbers(changed.content.decode())


def test_an_empty_list_says_what_is_true(looking: Client) -> None:
    assert "Nothing is open" in looking.get("/incidents/").content.decode()
    assert "Nothing fits" in looking.get("/incidents/", {"q": "x"}).content.decode()


def test_drills_pauses_and_waits_are_marked(looking: Client, floor: Floor) -> None:
    Incident.objects.filter(pk=raise_(floor, is_drill=True).pk).update(
        waiting_on="vendor", waiting_name="Larkin Labels", waiting_until=timezone.now() + timedelta(hours=1)
    )
    html = looking.get("/incidents/").content.decode()
    assert "Practice, not real" in html and "Waits on Larkin Labels" in html


def test_a_page_is_read_with_one_query(floor: Floor, django_assert_num_queries: Any) -> None:
    raise_(floor)
    person = floor.manager
    assert person.is_corporate is False and person.site_ids
    with django_assert_num_queries(1):
        found = page(Asked(), person)
        assert [str(row.line) + row.where + str(row.category) for row in found.rows]


def test_the_shape_is_grey_once_product_moves(looking: Client, floor: Floor) -> None:
    raise_(floor, Impact.AT_RISK)
    reach(floor, Status.CONTAINED)
    html = looking.get("/incidents/").content.decode()
    shapes = re.findall(r'class="g" data-g="(\w+)"', html)
    assert shapes.count("2") == 1
    assert shapes.count("off") == 1
    assert "1" not in shapes
