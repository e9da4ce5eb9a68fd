"""Icons, shapes and spoken times for templates: `{% load look %}`.

Shapes come from one external sprite, `static/icons.svg`. Custom properties and `currentColor` reach into it,
so the colour of a shape is chosen by the stylesheet (`data-g`) and by the theme.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from plant import wording

register = template.Library()

GLYPHS = {
    "s": "ps",
    "1": "p1",
    "2": "p2",
    "3": "p3",
    "4": "p4",
    "down": "g-down",
    "over": "g-down",
    "risk": "g-risk",
    "soon": "g-risk",
    "work": "g-work",
    "late": "g-late",
    "ok": "g-ok",
    "plan": "g-plan",
    "run": "g-run",
}
"""What a `data-g` state looks like: its symbol in the sprite."""

MOST = 99
"""The highest figure beside the navigation; `incidents.context` stops counting one after it."""

RINGS = frozenset({"raised", "acknowledged", "contained", "resolved", "closed"})

DELIVERY = {
    "queued": "d-todo",
    "sending": "d-sent",
    "sent": "d-sent",
    "delivered": "d-deliv",
    "deliv": "d-deliv",
    "answered": "d-ack",
    "ack": "d-ack",
    "failed": "d-fail",
    "fail": "d-fail",
    "next": "d-next",
    "todo": "d-todo",
}
"""How far a message got, or a step of the ladder, and its symbol."""


@lru_cache(maxsize=512)
def _use(symbol: str, css: str, data: str = "") -> SafeString:
    href = f"{static('icons.svg')}#{symbol}"
    extra = format_html(' data-g="{}"', data) if data else ""
    return format_html('<svg class="{}"{} aria-hidden="true"><use href="{}"/></svg>', css, extra, href)


@register.simple_tag
def icon(name: str, css: str = "i") -> SafeString:
    """A line icon by its name, with or without the `i-` of the sprite."""
    return _use(name if name.startswith("i-") else f"i-{name}", css)


@register.simple_tag
def glyph(kind: str, is_quiet: bool = False) -> SafeString:
    """A filled shape: s, 1 to 4, down, risk, soon, over, work, late, ok, plan; grey when it is quiet."""
    return _use(GLYPHS.get(str(kind), "p4"), "g", "off" if is_quiet else str(kind))


@register.simple_tag
def ring(status: str) -> SafeString:
    """The ring that fills with the status of an incident; `reopened` is the loop."""
    return _use(f"s-{status}", "st") if status in RINGS else _use("i-loop", "i")


@register.simple_tag
def mark(state: str, css: str = "st") -> SafeString:
    """How far a message got: queued, sent, delivered, answered, failed; or next and todo on the ladder."""
    return _use(DELIVERY.get(str(state), "d-todo"), css)


@register.simple_tag
def boxes(classes: Iterable[str]) -> SafeString:
    """Small boxes in a row, as of a proof or of a load: the class of each, "" for an empty one."""
    return _boxes(tuple(classes))


@lru_cache(maxsize=512)
def _boxes(classes: tuple[str, ...]) -> SafeString:
    drawn = (format_html(' class="{}"', css) if css else "" for css in classes)
    return format_html_join("", "<i{}></i>", ((css,) for css in drawn))


@register.filter
def names(people: Iterable[object], most: int | None = None) -> str:
    """Names in a sentence; `names:4` says at most four and how many more."""
    return wording.names(people, most=most)


@register.filter
def moment(at: datetime | None) -> str:
    """ "06:52" today, "Fri 7 Nov 06:52" on another day, nothing for None."""
    return wording.moment(at) if at else ""


@register.filter
def figure(count: int) -> str:
    """A figure beside the navigation: what was counted up to a limit says so, "99+"."""
    return f"{MOST}+" if count > MOST else str(count)


@register.filter
def span(length: timedelta | None) -> str:
    return wording.span(length) if length is not None else ""


@register.filter
def ago(at: datetime | None) -> str:
    """The span from a moment until now: "47 min"."""
    return wording.span(timezone.now() - at) if at else ""


@register.filter
def left(due: datetime | None) -> str:
    """What a clock shows for a moment ahead: "12:18", "3 h 40"."""
    return wording.countdown(due - timezone.now()) if due else ""


@register.filter
def iso(at: datetime | None) -> str:
    """The absolute moment for the `datetime` of a `<time>` and for `js/clock.js`."""
    return at.isoformat(timespec="seconds") if at else ""


@register.filter
def per_mille(fraction: float | None) -> int:
    """0.0–1.0 as the 0–1000 of the fuse's viewBox."""
    return round(min(1.0, max(0.0, fraction or 0.0)) * 1000)
