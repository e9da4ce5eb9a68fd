"""The report as a page on the screen and as a PDF: one template, one stylesheet, two ways to show a photo."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping
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


def size_of(context: Mapping[str, Any]) -> int:
    """The size of type that a browser prints on one page, from how much there is to say.

    A PDF is measured; on the screen this guess, on the small side, has to do.
    """
    weight = sum(len(str(context[name])) for name in ("problem", "root_cause", "escape_cause"))
    weight += sum(len(why) + 20 for why in context["whys"])
    weight += sum(len(moment.text) + 20 for moment in context["moments"])
    for fix in (*context["bandages"], *context["fixes"], *context["preventive"]):
        weight += len(fix.what) + len(fix.evidence) + len(fix.measured) + len(fix.metric) + 120
    return min(SIZES[-1], 1 + weight // 500)


def on_screen(incident: Incident, request: Any, context: Mapping[str, Any]) -> str:
    pictures = [
        Picture(reverse("incident-photo", args=[incident.number, photo.pk]), photo.caption)
        for photo in photos_of(incident)
    ]
    return render_to_string(
        TEMPLATE, {**context, "pictures": pictures, "size": size_of(context), "is_screen": True}, request
    )


def as_pdf(incident: Incident, context: Mapping[str, Any]) -> bytes:
    """One page. Raises Refused (503) when it cannot be made now, or here."""
    pictures = list(_embedded(photos_of(incident)))
    html = render_to_string(TEMPLATE, {**context, "pictures": pictures, "size": SIZE, "is_screen": False})
    return pdf.on_one_page(html, css=_style(), sizes=SIZES)


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
