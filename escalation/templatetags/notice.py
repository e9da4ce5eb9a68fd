"""Tags for messages about a site: which words are its subject, its paragraphs, its button and its reason.

They fill the `parts` of their context and write nothing; the text message of the same file is made by the
tags in `segment.py`.
"""

from __future__ import annotations

from django.template import Context, Library, Node, NodeList
from django.template.base import Parser, Token

register = Library()

TAGS = ("subject", "line", "button", "why")


class _Words(Node):
    def __init__(self, name: str, nodelist: NodeList) -> None:
        self.name = name
        self.nodelist = nodelist

    def render(self, context: Context) -> str:
        text = " ".join(self.nodelist.render(context).split())
        if text:
            context["parts"][self.name].append(text)
        return ""


def _words(parser: Parser, token: Token) -> Node:
    """`{% line %}Nothing needed from you.{% endline %}`; without words it is left out."""
    name = token.contents.strip()
    nodelist = parser.parse((f"end{name}",))
    parser.delete_first_token()
    return _Words(name, nodelist)


for _name in TAGS:
    register.tag(_name, _words)
