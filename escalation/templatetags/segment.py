"""Tags for text messages: which pieces stand in one, in which order, and what gives way when it is too long.

Each tag adds a piece to the list `pieces` of its context and writes nothing; `gsm7.fit` makes one segment of
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
        context["pieces"].append(" ".join(self.nodelist.render(context).split()))
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
    context["pieces"].append(Flexible(forms, _numbers(gives)))
    return ""


@register.simple_tag(takes_context=True)
def shorter(
    context: Context,
    forms: Sequence[str],
    gives: str,
    end: str = "",
    *,
    drop: bool = False,
    cuts: bool = False,
) -> str:
    """`{% shorter place.forms "2 9" end="." %}`: of a list of forms.

    With fewer of them the last numbers count. With `drop` it may also go altogether, with `cuts` a form may
    be cut where there is room for more than the next one.
    """
    said = (*(f"{form}{end}" for form in forms), *([""] if drop else []))
    numbers = _numbers(gives)
    context["pieces"].append(Flexible(said, numbers[len(numbers) - len(said) + 1 :], cuts))
    return ""


@register.simple_tag(takes_context=True)
def fewer(context: Context, forms: Sequence[str]) -> str:
    """`{% fewer lists %}`: a list with less and less of what stands in it, and at last without it."""
    said = (*forms, "")
    context["pieces"].append(Flexible(said, tuple(range(1, len(said)))))
    return ""


@register.simple_tag(takes_context=True)
def cut(context: Context, text: str, levels: str) -> str:
    """`{% cut note "4:80 6:36 7:0" %}`: a text that is cut to so many septets at each number; 0 drops it."""
    context["pieces"].append(gsm7.cut(text, *_levels(levels)))
    return ""


@lru_cache(maxsize=64)
def _numbers(said: str) -> tuple[int, ...]:
    return tuple(map(int, said.split()))


@lru_cache(maxsize=64)
def _levels(said: str) -> tuple[tuple[int, int], ...]:
    return tuple((int(when), int(room)) for when, room in (one.split(":") for one in said.split()))
