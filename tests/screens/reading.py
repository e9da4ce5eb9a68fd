"""Reading a page as a person does: its words, one region of it, and its buttons."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.test import Client

HTMX = {"HX-Request": "true"}


def words(response: Any) -> str:
    """Everything that can be read, on one line."""
    text = re.sub(r"<(script|style|svg|select)[\s\S]*?</\1>", " ", response.content.decode())
    return (
        " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())
        .replace(" .", ".")
        .replace(" ,", ",")
        .replace(" :", ":")
    )


def labels(response: Any) -> list[str]:
    """What the buttons and the links that look like buttons say."""
    found = re.findall(
        r'<(?:a|button)[^>]*class="btn[^"]*"[^>]*>([\s\S]*?)</(?:a|button)>', response.content.decode()
    )
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", one)).split()) for one in found]


def poll(client: Client, address: str, region: str, tag: str = "") -> Any:
    """What the screen asks for every five seconds."""
    headers = {**HTMX, "HX-Target": region}
    return client.get(address, headers=headers | ({"If-None-Match": tag} if tag else {}))
