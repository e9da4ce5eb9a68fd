"""Tags for text messages: which pieces stand in one, in which order, and what gives way when it is too long.

Each tag adds a piece to the list `parts` of its context and writes nothing; `gsm7.fit` makes one segment of
them. Numbers say who gives way first, among all pieces: the lower, the sooner.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from django.template import Context, Library, Node, NodeList
from django.template.base import Parser, Token

from escalation import gsm7
from escalation.gsm7 import Flexible

register = Library()


class _Must(Node):
    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist

    def render(self, context: Context) -> str:
        context["parts"].append(" ".join(self.nodelist.render(context).split()))
        return ""


@register.tag
def must(parser: Parser, _token: Token) -> Node:
    """`{% must %}INC-1042 LINE DOWN:{% endmust %}`: it stands there whole, whatever else has to go."""
    nodelist = parser.parse(("endmust",))
    parser.delete_first_token()
    return _Must(nodelist)


@register.simple_tag(takes_context=True)
def say(context: Context, gives: str, *forms: str) -> str:
    """`{% say "0 5" long short "" %}`: said as long as there is room, then shorter, then not at all."""
    context["parts"].append(Flexible(forms, _numbers(gives)))
    return ""


@register.simple_tag(takes_context=True)
def shorter(context: Context, forms: Sequence[str], gives: str, end: str = "", *, drop: bool = False) -> str:
    """`{% shorter place.forms "2 9" end="." %}`: of a list of forms.

    With fewer of them the last numbers count. With `drop` it may also go altogether.
    """
    said = (*(f"{form}{end}" for form in forms), *([""] if drop else []))
    numbers = _numbers(gives)
    context["parts"].append(Flexible(said, numbers[len(numbers) - len(said) + 1 :]))
    return ""


@register.simple_tag(takes_context=True)
def cut(context: Context, text: str, levels: str) -> str:
    """`{% cut note "4:80 6:36 7:0" %}`: a text that is cut to so many septets at each number; 0 drops it."""
    context["parts"].append(gsm7.cut(text, *_levels(levels)))
    return ""


@lru_cache(maxsize=64)
def _numbers(said: str) -> tuple[int, ...]:
    return tuple(map(int, said.split()))


@lru_cache(maxsize=64)
def _levels(said: str) -> tuple[tuple[int, int], ...]:
    return tuple((int(when), int(room)) for when, room in (one.split(":") for one in said.split()))
