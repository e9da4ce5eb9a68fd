"""The raise screen: three taps and Send, with or without a login."""

from __future__ import annotations

import io
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from incidents import lifecycle, where
from incidents.models import Impact, Incident, Status
from incidents.views.raising import WITHOUT_LOGIN
from plant.models import Role
from tests.factories import (
    Floor,
    make_area,
    make_floor,
    make_line,
    make_site,
    make_station,
    make_system,
    raise_,
    reach,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_earlier_tries(settings: Any, tmp_path: Any) -> None:
    cache.clear()
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def tablet(client: Client, floor: Floor) -> Client:
    """A device that scanned the station's code; nobody is signed in."""
    client.get(f"/q/{floor.station.code}")
    return client


@pytest.fixture
def signed_in(client: Client, floor: Floor) -> Client:
    client.force_login(floor.operator)
    return client


def taps(floor: Floor, **more: Any) -> dict[str, Any]:
    return {
        "where": f"station:{floor.station.code}",
        "category": floor.category.code,
        "impact": "stopped",
        "client_id": str(uuid.uuid4()),
        **more,
    }


def picture(kind: str = "JPEG", size: tuple[int, int] = (40, 30)) -> SimpleUploadedFile:
    data = io.BytesIO()
    Image.new("RGB", size, "red").save(data, kind)
    return SimpleUploadedFile("IMG_0001.jpeg", data.getvalue(), "image/jpeg")


def test_three_taps_and_send_raise_it_where_it_is(signed_in: Client, floor: Floor) -> None:
    response = signed_in.post("/raise/", taps(floor))
    incident = Incident.objects.get()
    assert response.status_code == 302 and response.headers["Location"].endswith(f"/{incident.number}/sent/")
    assert (incident.station, incident.impact, incident.raised_by) == (
        floor.station,
        "stopped",
        floor.operator,
    )


def test_the_tablets_station_is_chosen_already(tablet: Client, floor: Floor) -> None:
    page = tablet.get("/raise/").content.decode()
    tile = re.search(rf'<input[^>]*value="station:{floor.station.code}"[^>]*>', page)
    assert tile is not None and "checked" in tile.group()


def test_without_a_place_of_ones_own_nothing_is_guessed(signed_in: Client, floor: Floor) -> None:
    page = signed_in.get("/raise/").content.decode()
    assert not re.search(r'<input[^>]*name="where"[^>]*checked', page)


def test_a_tablet_raises_without_a_login(tablet: Client, floor: Floor) -> None:
    tablet.post("/raise/", taps(floor))
    assert Incident.objects.get().raised_by is None


def test_a_device_that_scanned_nothing_has_to_sign_in(client: Client, floor: Floor) -> None:
    assert client.post("/raise/", taps(floor)).headers["Location"].startswith("/login/?next=/raise/")
    assert not Incident.objects.exists()


def test_a_tablet_without_a_login_raises_at_its_own_site_only(tablet: Client, floor: Floor) -> None:
    elsewhere = make_station(line=make_line(area=make_area(site=make_site())))
    response = tablet.post("/raise/", taps(floor, where=f"station:{elsewhere.code}"))
    assert response.status_code == 400 and not Incident.objects.exists()
    linked = tablet.get("/raise/", {"where": f"station:{elsewhere.code}"}).content.decode()
    assert f'value="station:{elsewhere.code}"' not in linked, "nor is it offered, to be refused at Send"


def test_a_stuck_button_on_a_tablet_is_not_a_flood(tablet: Client, floor: Floor) -> None:
    for _tap in range(WITHOUT_LOGIN.tries):
        tablet.post("/raise/", taps(floor))
    response = tablet.post("/raise/", taps(floor))
    assert response.status_code == 429
    assert "call IT" in response.content.decode()
    assert Incident.objects.count() == WITHOUT_LOGIN.tries


def test_a_double_tap_raises_one_incident(signed_in: Client, floor: Floor) -> None:
    asked = taps(floor)
    first, second = signed_in.post("/raise/", asked), signed_in.post("/raise/", asked)
    assert first.headers["Location"] == second.headers["Location"]
    assert Incident.objects.count() == 1


def test_back_and_something_else_from_the_same_page_is_not_swallowed(signed_in: Client, floor: Floor) -> None:
    asked = taps(floor)
    signed_in.post("/raise/", asked)
    signed_in.post("/raise/", {**asked, "impact": "safety"})
    assert set(Incident.objects.values_list("impact", flat=True)) == {"stopped", "safety"}


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [("where", "Say where it is."), ("category", "Say what is wrong."), ("impact", "Say how bad it is.")],
)
def test_a_missing_tap_is_named_and_the_others_are_kept(
    signed_in: Client, floor: Floor, missing: str, sentence: str
) -> None:
    asked = taps(floor, words="Labels are blank")
    del asked[missing]
    response = signed_in.post("/raise/", asked)
    page = response.content.decode()
    assert response.status_code == 400 and sentence in page and "Labels are blank" in page
    for name in {"where", "category", "impact"} - {missing}:
        tile = re.search(rf'<input[^>]*name="{name}"[^>]*value="{re.escape(asked[name])}"[^>]*>', page)
        assert tile is not None and "checked" in tile.group()
    assert not Incident.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"where": "station:NO-SUCH"},
        {"where": "planet:mars"},
        {"where": ":"},
        {"impact": "terrible"},
        {"category": "no_such"},
        {"client_id": "not-a-uuid"},
        {"noticed": "-5"},
        {"cover": "7"},
    ],
)
def test_what_does_not_exist_is_refused_with_a_sentence(
    signed_in: Client, floor: Floor, wrong: dict[str, str]
) -> None:
    response = signed_in.post("/raise/", taps(floor, **wrong))
    assert response.status_code == 400
    assert 'data-s="bad"' in response.content.decode()
    assert not Incident.objects.exists()


def test_a_person_of_another_site_is_refused(client: Client, floor: Floor) -> None:
    client.force_login(make_floor(code="OTHER").operator)
    response = client.post("/raise/", taps(floor))
    assert response.status_code == 403 and not Incident.objects.exists()


def test_a_whole_line_an_area_or_a_system_will_do(signed_in: Client, floor: Floor) -> None:
    system = make_system("label")
    for place in (f"line:{floor.line.code}", f"area:{floor.area.code}", f"system:{system.code}"):
        assert signed_in.post("/raise/", taps(floor, where=place)).status_code == 302
    line, area, by_system = Incident.objects.order_by("number")
    assert (line.line, line.station, area.area, area.line) == (floor.line, None, floor.area, None)
    assert (by_system.system, by_system.site) == (system, floor.site)


def test_words_when_noticed_and_cover_come_along(signed_in: Client, floor: Floor) -> None:
    signed_in.post("/raise/", taps(floor, words="Blank labels", noticed="30", cover="60"))
    incident = Incident.objects.get()
    assert incident.words == "Blank labels"
    assert incident.raised_at - incident.noticed_at >= timedelta(minutes=29, seconds=59)
    assert incident.cover_until is not None
    assert timedelta(minutes=59) < incident.cover_until - timezone.now() <= timedelta(minutes=60)


def test_a_photo_comes_along_under_a_name_of_ours(signed_in: Client, floor: Floor) -> None:
    signed_in.post("/raise/", taps(floor, photo=picture()))
    photo = Incident.objects.get().photos.get()
    assert re.fullmatch(r"photos/\d{4}/\d{2}/[0-9a-f]{32}\.jpg", photo.image.name or "")
    shown = signed_in.get(f"/incidents/{photo.incident.number}/photos/{photo.pk}/")
    assert shown.status_code == 200 and shown.headers["Content-Type"] == "image/jpeg"


def test_a_photo_is_private_to_the_site(signed_in: Client, floor: Floor) -> None:
    signed_in.post("/raise/", taps(floor, photo=picture()))
    photo = Incident.objects.get().photos.get()
    address = f"/incidents/{photo.incident.number}/photos/{photo.pk}/"
    signed_in.logout()
    assert signed_in.get(address).status_code == 302
    signed_in.force_login(make_floor(code="OTHER").operator)
    assert signed_in.get(address).status_code == 403


def test_a_program_named_jpg_is_not_a_photo(signed_in: Client, floor: Floor) -> None:
    fake = SimpleUploadedFile("photo.jpg", b"MZ\x90\x00 not a picture", "image/jpeg")
    response = signed_in.post("/raise/", taps(floor, photo=fake))
    assert response.status_code == 400 and "That is not a picture" in response.content.decode()
    assert not Incident.objects.exists()


def test_a_picture_that_browsers_do_not_show_is_refused(signed_in: Client, floor: Floor) -> None:
    assert signed_in.post("/raise/", taps(floor, photo=picture("TIFF"))).status_code == 400


def test_a_photo_over_8_mb_is_refused_in_words(signed_in: Client, floor: Floor) -> None:
    big = SimpleUploadedFile("photo.jpg", b"\xff\xd8" + bytes(8 * 1024 * 1024), "image/jpeg")
    response = signed_in.post("/raise/", taps(floor, photo=big))
    assert response.status_code == 400 and "larger than 8 MB" in response.content.decode()


def test_a_body_that_is_far_too_large_is_refused_before_it_is_read(signed_in: Client, floor: Floor) -> None:
    response = signed_in.post("/raise/", taps(floor), headers={"content-length": "50000000"})
    assert response.status_code == 413


def test_a_wrong_tap_is_taken_back_by_the_device_that_made_it(tablet: Client, floor: Floor) -> None:
    tablet.post("/raise/", taps(floor))
    number = Incident.objects.get().number
    assert tablet.post(f"/incidents/{number}/take-back/").headers["Location"] == "/raise/"
    assert Incident.objects.get().status == Status.CLOSED


def test_another_device_cannot_take_it_back(tablet: Client, floor: Floor) -> None:
    tablet.post("/raise/", taps(floor))
    other = Client()
    other.get(f"/q/{floor.station.code}")
    assert other.post(f"/incidents/{Incident.objects.get().number}/take-back/").status_code == 403
    assert Incident.objects.get().status == Status.RAISED


def test_nobody_takes_back_what_somebody_has_picked_up(client: Client, floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    client.force_login(floor.operator)
    assert client.post(f"/incidents/{incident.number}/take-back/").status_code == 409


def test_the_form_is_one_screen_with_a_token_and_works_without_a_script(floor: Floor) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(floor.operator)
    page = client.get("/raise/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    client_id = re.search(r'name="client_id" value="([0-9a-f-]+)"', page)
    assert token is not None and client_id is not None
    assert client.post("/raise/", taps(floor)).status_code == 403
    sent = taps(floor, csrfmiddlewaretoken=token.group(1), client_id=client_id.group(1))
    assert client.post("/raise/", sent).status_code == 302


def test_the_screen_is_never_kept_by_the_browser(signed_in: Client) -> None:
    assert "no-store" in signed_in.get("/raise/").headers["Cache-Control"]


def test_stations_used_lately_are_offered_first_with_when(floor: Floor) -> None:
    now = timezone.now()
    other = make_station(line=floor.line, name="Rack unload")
    raise_(floor, Impact.NONE, station=other, now=now - timedelta(minutes=5))
    offered = where.tiles(person=floor.operator, tablet=None, now=now)
    assert offered[0].value == f"station:{other.code}"
    assert offered[0].note in ("Used today", "Used yesterday")


def test_no_more_than_four_places_are_offered(floor: Floor) -> None:
    for number in range(9):
        make_station(line=floor.line, name=f"Station {number}")
    assert len(where.tiles(person=floor.operator, tablet=floor.station)) == 4


def test_a_station_is_found_by_name_code_or_line(signed_in: Client, floor: Floor) -> None:
    make_station("ZZ-9", line=floor.line, name="Oven exit")
    for words in ("oven", "zz-9", floor.line.name, "exit oven"):
        assert "Oven exit" in signed_in.get("/raise/where/", {"q": words}).content.decode()
    assert "Nothing is called" in signed_in.get("/raise/where/", {"q": "nowhere"}).content.decode()


def test_places_of_another_site_are_not_offered(signed_in: Client, floor: Floor) -> None:
    away = make_area(site=make_site("AWAY", name="Another plant"), name="Far area")
    make_station(line=make_line(area=away), name="Far station")
    assert "Far area" not in signed_in.get("/raise/where/").content.decode()
    assert "Far station" not in signed_in.get("/raise/where/", {"q": "Far"}).content.decode()
    assert signed_in.get("/raise/where/", {"area": away.code}).status_code == 404


def test_choosing_a_place_swaps_the_first_column_alone(signed_in: Client, floor: Floor) -> None:
    headers = {"HX-Request": "true", "HX-Target": "where"}
    fragment = signed_in.get(f"/raise/?where=line:{floor.line.code}", headers=headers).content.decode()
    assert f'value="line:{floor.line.code}"' in fragment and "<html" not in fragment
    assert 'name="impact"' not in fragment


def test_the_number_of_queries_does_not_grow_with_the_plant(
    signed_in: Client, floor: Floor, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        raise_(
            floor,
            Impact.NONE,
            station=make_station(line=floor.line, name=f"Station {number}"),
            now=timezone.now(),
        )
    with django_assert_max_num_queries(12):
        signed_in.get("/raise/")


def test_a_person_with_a_role_for_an_area_is_offered_its_stations(floor: Floor) -> None:
    leader = floor.who(Role.TEAM_LEADER)
    assert [tile.value for tile in where.tiles(person=leader, tablet=None)] == [
        f"station:{floor.station.code}"
    ]


def sent_page(client: Client) -> str:
    return client.get(f"/raise/{Incident.objects.get().number}/sent/").content.decode()


def test_after_send_the_device_sees_what_it_sent(tablet: Client, floor: Floor) -> None:
    number = tablet.post("/raise/", taps(floor)).headers["Location"].split("/")[2]
    page = sent_page(tablet)
    assert f"INC-{number}" in page and "Sent." in page and "Wrong tap, take it back" in page


def test_what_was_sent_here_is_not_shown_to_another_device(tablet: Client, floor: Floor) -> None:
    tablet.post("/raise/", taps(floor))
    other = Client()
    other.get(f"/q/{floor.station.code}")
    assert other.get(f"/raise/{Incident.objects.get().number}/sent/").status_code == 302


def test_after_send_the_screen_shows_who_picks_it_up(signed_in: Client, floor: Floor) -> None:
    signed_in.post("/raise/", taps(floor))
    lifecycle.acknowledge(Incident.objects.get().number, by=floor.tech)
    page = sent_page(signed_in)
    assert f"Sent. {floor.tech.name} has it." in page and "take it back" not in page
