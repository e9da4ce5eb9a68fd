"""The marks of promises, drawn: `{% load promise_look %}{% marks one.marks %}`."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from escalation.views.promises import STEP, Mark

register = template.Library()

SHAPES = {
    "kept": '<circle class="kept" cx="{x}" cy="6" r="4.5"><title>{title}</title></circle>',
    "moved": '<circle class="moved" cx="{x}" cy="6" r="4"><title>{title}</title></circle>'
    '<path class="moved" d="M{x} 2v8a4 4 0 0 1 0-8z"/>',
    "fin": '<rect class="fin" x="{left}" y="2" width="8" height="8"><title>{title}</title></rect>',
    "late": '<rect class="late" x="{left}" y="1.5" width="9" height="9"><title>{title}</title></rect>',
    "open": '<circle class="open" cx="{x}" cy="6" r="4"><title>{title}</title></circle>',
}
"""Shape and word, never colour alone (language.md, section 3)."""


@register.simple_tag
def marks(drawn: Sequence[Mark], label: str) -> SafeString:
    """A row of shapes, oldest left; `label` says it to who cannot see them."""
    width = max(12, STEP * len(drawn) - 3)
    shapes = SafeString("".join(_shape(one, 6 + STEP * nth) for nth, one in enumerate(drawn)))
    picture = (
        '<svg class="dots" width="{0}" height="12" viewBox="0 0 {0} 12" role="img" aria-label="{1}">{2}</svg>'
    )
    return format_html(picture, width, label, shapes)


def _shape(mark: Mark, x: int) -> str:
    """Safe; a page has hundreds, and only the title is somebody's words.

    Escaped as Django does it, without its look for lazy texts, which takes longer than the rest.
    """
    return SHAPES[mark.look].format(x=x, left=x - 4, title=escape(mark.title))
