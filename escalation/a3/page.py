"""The report as a page on the screen and as a PDF: one template, one stylesheet, two ways to show a photo."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.urls import reverse
from PIL import Image, ImageOps

from escalation.a3 import pdf
from escalation.a3.facts import photos_of
from escalation.a3.one_page import SIZE
from incidents.models import Incident, Photo

SIZES = (1, 2, 3, 4, 5, 6)
"""Sizes of type in `static/a3.css`, largest first."""

POINTS = (10, 9.2, 8.4, 7.6, 6.8, 6)
"""What each size is in that stylesheet."""

LETTERS, LINES = 54, 33
"""What a column has room for in the largest."""

NOTE = "Somebody with a long name, 28 November 13:16, good until then"
TIME = "28 November 13:16"
"""As long as what stands in small type behind a text, and before one."""

PICTURE_LINES = 10

TRIED_LARGER = 2
"""Sizes above the guess that a PDF is tried in first: each takes a layout of its own."""

PHOTO_PIXELS = (720, 540)
PAPERS = ("a4", "letter")
TEMPLATE = "escalation/a3.html"


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo and where it comes from: an address on the screen, the bytes themselves in a PDF."""

    source: str
    caption: str


def paper_for(incident: Incident, asked: str) -> str:
    """What was asked for, else what lies in the printers where the site is."""
    if asked in PAPERS:
        return asked
    return "letter" if incident.site.timezone.startswith(("America/", "US/")) else "a4"


def size_of(context: Mapping[str, Any], pictures: int) -> int:
    """The size of type that a browser prints on one page: the largest in which the fullest column has room.

    A PDF is measured; on the screen this guess, on the small side, has to do.
    """
    columns = _columns(context, pictures)
    return next((size for size in SIZES if all(_fits(column, size) for column in columns)), SIZES[-1])


def _fits(column: Sequence[str], size: int) -> bool:
    """Smaller type has more characters in a line, and more lines."""
    larger = POINTS[0] / POINTS[size - 1]
    lines = sum(max(1, math.ceil(len(text) / (LETTERS * larger))) for text in column)
    return lines <= LINES * larger


def _columns(context: Mapping[str, Any], pictures: int) -> list[list[str]]:
    """The texts of each column; an empty one is a heading or a gap."""
    fixes, preventive = context["fixes"], context["preventive"]
    left = ["", "", context["problem"], *[""] * 8, context["parts"], ""]
    left += [f"{fix.what} {NOTE}" for fix in context["bandages"]] + [""] * (PICTURE_LINES if pictures else 0)
    middle = ["", "", *context["whys"]]
    middle += ["", context["root_cause"], context["system_part"], "", context["escape_cause"], "", ""]
    middle += [""] if context["more_fixes"] else []
    for fix in fixes:
        middle += [fix.what, NOTE, fix.evidence]
    right = ["", ""]
    for fix in fixes:
        right += [fix.metric, NOTE, f"{fix.measured} {NOTE}"]
    right += ["", *context["elsewhere"], *[f"{fix.what} {NOTE}" for fix in preventive], ""]
    right += [f"{moment.text}{TIME}" for moment in context["moments"]]
    right += ["", "", " ".join(f"{person.name} {person.title}" for person in context["team"])]
    return [left, middle, right]


def on_screen(incident: Incident, request: Any, context: Mapping[str, Any]) -> str:
    pictures = [
        Picture(reverse("incident-photo", args=[incident.number, photo.pk]), photo.caption)
        for photo in photos_of(incident)
    ]
    return render_to_string(
        TEMPLATE,
        {**context, "pictures": pictures, "size": size_of(context, len(pictures)), "is_screen": True},
        request,
    )


def as_pdf(incident: Incident, context: Mapping[str, Any]) -> bytes:
    """One page. Raises Refused (503) when it cannot be made now, or here."""
    pictures = list(_embedded(photos_of(incident)))
    html = render_to_string(TEMPLATE, {**context, "pictures": pictures, "size": SIZE, "is_screen": False})
    guess = size_of(context, len(pictures))
    return pdf.on_one_page(html, css=_style(), sizes=SIZES[max(0, guess - 1 - TRIED_LARGER) :])


def _style() -> str:
    found = finders.find("a3.css")
    assert isinstance(found, str)
    return Path(found).read_text(encoding="utf-8")


def _embedded(photos: Iterable[Photo]) -> Iterable[Picture]:
    """Small enough to send by mail. A file that is gone or broken is left out, not the report."""
    for photo in photos:
        try:
            with photo.image.open("rb") as file, Image.open(file) as image:
                upright = ImageOps.exif_transpose(image).convert("RGB")
                upright.thumbnail(PHOTO_PIXELS)
                kept = io.BytesIO()
                upright.save(kept, "JPEG", quality=80)
        except OSError:
            continue
        yield Picture(f"data:image/jpeg;base64,{base64.b64encode(kept.getvalue()).decode()}", photo.caption)
