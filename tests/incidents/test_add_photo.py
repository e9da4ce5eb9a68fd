from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from incidents import lifecycle
from incidents.models import EventKind, Photo
from opsdesk.errors import Stale
from tests.factories import NOW, Floor, raise_


@pytest.fixture
def picture(settings: Any, tmp_path: Path) -> SimpleUploadedFile:
    settings.MEDIA_ROOT = tmp_path
    body = BytesIO()
    Image.new("RGB", (4, 3), "red").save(body, "PNG")
    return SimpleUploadedFile("label.png", body.getvalue(), "image/png")


def test_a_photo_is_kept_with_who_when_and_what(floor: Floor, picture: SimpleUploadedFile) -> None:
    incident = lifecycle.add_photo(
        raise_(floor).number, by=floor.operator, image=picture, caption=" Blank label ", now=NOW
    )
    photo = incident.photos.get()
    assert (photo.by, photo.at, photo.caption) == (floor.operator, NOW, "Blank label")
    assert Image.open(photo.image).size == (4, 3)
    event = incident.events.last()
    assert event is not None and (event.kind, event.data) == (EventKind.PHOTO_ADDED, {"photo": photo.pk})


def test_a_stale_screen_keeps_no_photo(floor: Floor, picture: SimpleUploadedFile) -> None:
    with pytest.raises(Stale):
        lifecycle.add_photo(raise_(floor).number, by=floor.operator, image=picture, seen_version=7)
    assert not Photo.objects.exists()
