from __future__ import annotations

from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from countermeasures import lifecycle as fixes
from countermeasures.models import STRONG_ENOUGH, Kind, Stage, Strength
from incidents import lifecycle
from incidents.models import Impact, Status
from opsdesk.errors import Invalid, Refused
from tests.factories import NOW, Floor, place_fix, plan_fix, reach


def test_with_evidence_its_proof_starts_at_once(floor: Floor) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED))
    placed = fixes.put_in_place(found.pk, by=floor.tech, evidence=" Seen on the server ", now=NOW)
    assert (placed.stage, placed.evidence) == (Stage.CHECKING, "Seen on the server")
    assert placed.in_place_at == placed.checking_from == NOW
    assert placed.proved_on == date(2026, 4, 1)
    did = [
        event.data["did"] for event in found.incident.events.order_by("id") if event.kind == "countermeasure"
    ]
    assert did == ["added", "in_place", "checking"]


def test_it_may_be_in_place_before_product_moves(floor: Floor) -> None:
    assert place_fix(floor, reach(floor, Status.ACKNOWLEDGED)).stage == Stage.CHECKING


def test_it_needs_evidence(floor: Floor) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED))
    with pytest.raises(Invalid) as refusal:
        fixes.put_in_place(found.pk, by=floor.tech, evidence=" ")
    assert refusal.value.fields is not None and list(refusal.value.fields) == ["evidence"]


def test_it_needs_an_owner(floor: Floor) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED), owner=None)
    with pytest.raises(Invalid) as refusal:
        fixes.put_in_place(found.pk, by=floor.tech, evidence="x")
    assert refusal.value.code == "no_owner"


@pytest.mark.parametrize("kind", [Kind.PERMANENT, Kind.PREVENTIVE])
def test_the_check_is_planned_before_the_fix_goes_in(floor: Floor, kind: Kind) -> None:
    number = reach(floor, Status.CONTAINED).number
    found = fixes.add(number, by=floor.tech, kind=kind, what="x", owner=floor.tech, strength="prevent")
    with pytest.raises(Refused) as refusal:
        fixes.put_in_place(found.pk, by=floor.tech, evidence="Seen")
    assert refusal.value.code == "no_check_planned"


WEAK = [strength for strength in ["", *Strength.values] if strength not in STRONG_ENOUGH]


@pytest.mark.parametrize("impact", [Impact.SAFETY, Impact.STOPPED, Impact.AT_RISK])
@pytest.mark.parametrize("strength", WEAK)
def test_something_serious_needs_something_that_stops_it(floor: Floor, impact: Impact, strength: str) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED, impact), strength=strength)
    with pytest.raises(Refused) as refusal:
        fixes.put_in_place(found.pk, by=floor.tech, evidence="Seen")
    assert refusal.value.code == "too_weak"


@pytest.mark.parametrize("strength", STRONG_ENOUGH)
def test_what_eliminates_prevents_or_stops_is_strong_enough(floor: Floor, strength: Strength) -> None:
    assert place_fix(floor, reach(floor, Status.CONTAINED), strength=strength).stage == Stage.CHECKING


@pytest.mark.parametrize("impact", [Impact.WORKAROUND, Impact.NONE])
def test_a_small_thing_may_do_with_less(floor: Floor, impact: Impact) -> None:
    found = place_fix(floor, reach(floor, Status.CONTAINED, impact), strength=Strength.TRAIN)
    assert found.stage == Stage.CHECKING


def test_what_came_back_needs_a_strong_one_however_small(floor: Floor) -> None:
    incident = reach(floor, Status.REOPENED, Impact.NONE)
    with pytest.raises(Refused) as refusal:
        place_fix(floor, incident, strength=Strength.TRAIN)
    assert refusal.value.code == "too_weak"


def test_a_managers_waiver_will_do(floor: Floor) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED), strength=Strength.TRAIN)
    fixes.waive(found.pk, by=floor.manager, reason="The line ends in May")
    assert fixes.put_in_place(found.pk, by=floor.tech, evidence="Seen").stage == Stage.CHECKING


def test_a_bandage_needs_no_strength_no_check_and_no_proof(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED).number
    found = fixes.add(
        number,
        by=floor.tech,
        kind=Kind.CONTAINMENT,
        what="Paper",
        owner=floor.tech,
        due_on=NOW.date(),
        now=NOW,
    )
    placed = fixes.put_in_place(found.pk, by=floor.tech, evidence="Forms are out", now=NOW)
    assert (placed.stage, placed.checking_from) == (Stage.IN_PLACE, None)


def test_it_is_put_in_place_once(floor: Floor) -> None:
    found = place_fix(floor, reach(floor, Status.CONTAINED))
    with pytest.raises(Refused) as refusal:
        fixes.put_in_place(found.pk, by=floor.tech, evidence="Seen again")
    assert refusal.value.code == "wrong_status"


def test_what_failed_is_promised_again_first(floor: Floor) -> None:
    found = place_fix(floor, reach(floor, Status.CONTAINED))
    fixes.check(found.pk, by=floor.supervisor, effective=False, measured="3 stops", now=NOW)
    with pytest.raises(Refused) as refusal:
        fixes.put_in_place(found.pk, by=floor.tech, evidence="Seen")
    assert refusal.value.code == "wrong_status"


def test_product_that_moved_does_not_move_by_itself(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    place_fix(floor, incident)
    assert lifecycle.resolve(incident.number, by=floor.tech).status == Status.RESOLVED


def test_a_photo_on_the_screen_is_evidence(
    floor: Floor, client: Client, settings: object, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    found, body = plan_fix(floor, reach(floor, Status.CONTAINED)), BytesIO()
    Image.new("RGB", (4, 3), "red").save(body, "PNG")
    client.force_login(floor.tech)
    where = reverse("countermeasure-act", args=[found.pk, "in-place"])
    said = {"evidence": "Seen", "photo": SimpleUploadedFile("seal.png", body.getvalue())}
    assert client.post(where, said).status_code == 302
    photo = found.photos.get()
    assert (photo.incident, photo.by, photo.caption) == (found.incident, floor.tech, found.what)
    shown = client.get(found.get_absolute_url()).content.decode()
    assert reverse("incident-photo", args=[found.incident.number, photo.pk]) in shown
    versions = list(found.incident.events.order_by("id").values_list("version", flat=True))
    assert versions == sorted(set(versions))


def test_what_is_no_photo_is_refused_beside_its_field(floor: Floor, client: Client) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED))
    client.force_login(floor.tech)
    where = reverse("countermeasure-act", args=[found.pk, "in-place"])
    answer = client.post(where, {"evidence": "Seen", "photo": SimpleUploadedFile("seal.png", b"no picture")})
    assert (answer.status_code, found.photos.count()) == (400, 0)
