"""A program adds a picture as a person does: the same checks, the same words when it is refused."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from incidents.models import Photo, Status
from tests.api.calls import program
from tests.factories import Floor, plan_fix, raise_, reach


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def picture(name: str = "label.png") -> SimpleUploadedFile:
    body = BytesIO()
    Image.new("RGB", (4, 3), "red").save(body, "PNG")
    return SimpleUploadedFile(name, body.getvalue(), "image/png")


def send(floor: Floor, number: int, format: str = "multipart", **body: Any) -> Any:
    return program(floor.operator).post(f"/api/v1/incidents/{number}/photos/", body, format=format)


def test_a_picture_is_kept_under_a_name_of_ours(floor: Floor) -> None:
    incident = raise_(floor)
    answer = send(floor, incident.number, image=picture("../../evil.png"), caption="Blank label")
    assert answer.status_code == 200 and answer.json()["version"] == incident.version + 1
    photo = Photo.objects.get()
    assert (photo.by, photo.caption) == (floor.operator, "Blank label")
    assert "evil" not in str(photo.image) and str(photo.image).endswith(".png")


def test_something_else_under_the_name_of_a_picture_is_refused(floor: Floor) -> None:
    fake = SimpleUploadedFile("label.png", b"MZ not a picture", "image/png")
    answer = send(floor, raise_(floor).number, image=fake)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["image"] and not Photo.objects.exists()


def test_a_stale_caller_keeps_no_picture(floor: Floor) -> None:
    answer = send(floor, raise_(floor).number, image=picture(), seen_version=7)
    assert answer.status_code == 409 and not Photo.objects.exists()


def test_json_cannot_carry_a_picture(floor: Floor) -> None:
    answer = send(floor, raise_(floor).number, format="json", caption="none")
    assert answer.status_code == 415


@pytest.mark.parametrize("image", ["a picture", "something else"])
def test_a_fix_goes_in_with_its_picture_in_one_call(floor: Floor, image: str) -> None:
    fix = plan_fix(floor, reach(floor, Status.CONTAINED))
    photo = picture() if image == "a picture" else SimpleUploadedFile("a.png", b"MZ", "image/png")
    answer = program(floor.tech).post(
        f"/api/v1/countermeasures/{fix.pk}/in-place/",
        {"evidence": "Seen with the supervisor", "photo": photo},
        format="multipart",
    )
    fix.refresh_from_db()
    if image == "a picture":
        assert (answer.status_code, fix.evidence) == (200, "Seen with the supervisor")
        assert fix.photos.get().by == floor.tech
    else:
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["photo"])
        assert fix.in_place_at is None and not Photo.objects.exists()
