"""The alphabet of a text message, and how to make words fit one segment of 160 septets.

Source of the tables: 3GPP TS 23.038 §6.2.1 (default alphabet) and §6.2.1.1 (extension table, two septets
each). One character outside of them turns the whole message into UCS-2 with 70 characters, so every text
passes through `to_gsm7` first. The national shift tables are left out: many phones and gateways lack them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SEGMENT = 160
"""Septets in one SMS (3GPP TS 23.040: 140 octets)."""

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("^{}\\[~]|€")

_SAID_OTHERWISE = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "‚": "'",
        "´": "'",
        "`": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "«": '"',
        "»": '"',
        "‐": "-",
        "‑": "-",
        "‒": "-",
        "–": "-",
        "—": "-",
        "−": "-",
        "…": "...",
        "•": "-",
        "·": "-",
        "×": "x",
        "⁄": "/",
        "→": "->",
        "≤": "<=",
        "≥": ">=",
        "Ł": "L",
        "ł": "l",
        "Đ": "D",
        "đ": "d",
        "ı": "i",
        "œ": "oe",
        "Œ": "OE",
        "\t": " ",
        "\f": " ",
    }
)
_UNKNOWN = "?"
_CUT = "..."

LOOSE_END = 8
"""A comma with no more than this after it ends a cut text: "as IT lead...", not "as IT lead, so..."."""

WORTH_SAYING = 16
"""A cut text with fewer septets than this is left out where it may be."""


def to_gsm7(text: str) -> str:
    """The text in the alphabet: what is in it stays (ñ é ü €), the rest comes near (á becomes a)."""
    whole = unicodedata.normalize("NFC", text).translate(_SAID_OTHERWISE)
    if whole.isascii() and not _EXCEPTIONS.intersection(whole):
        return whole
    return "".join(_nearest(char) for char in whole)


_EXCEPTIONS = frozenset(map(chr, range(128))) - BASIC - EXTENDED


def _nearest(char: str) -> str:
    if char in BASIC or char in EXTENDED:
        return char
    plain = unicodedata.normalize("NFKD", char).translate(_SAID_OTHERWISE)
    kept = "".join(part for part in plain if part in BASIC or part in EXTENDED)
    if kept or unicodedata.combining(char) or unicodedata.category(char) in ("Cc", "Cf"):
        return kept
    return " " if char.isspace() else _UNKNOWN


def septets(text: str) -> int:
    """Length on the air. Raises ValueError for a text that is not in the alphabet."""
    count = len(text)
    for char in set(text) - BASIC:
        if char not in EXTENDED:
            raise ValueError(f"{char!r} is not in the GSM 7-bit alphabet")
        count += text.count(char)
    return count


def clip(text: str, room: int) -> str:
    """At most `room` septets of the text: cut after a word where one ends in the second half, and marked."""
    if septets(text) <= room:
        return text
    room -= len(_CUT)
    kept, used = 0, 0
    for char in text:
        used += 2 if char in EXTENDED else 1
        if used > room:
            break
        kept += 1
    if kept <= 0:
        return ""
    head = text[:kept]
    space = head.rfind(" ")
    if text[kept] != " " and space * 2 > kept:
        head = head[:space]
    comma = head.rfind(", ")
    if 0 < len(head) - comma <= LOOSE_END < comma:
        head = head[:comma]
    return head.rstrip(" ,.;:-") + _CUT


@dataclass(frozen=True, slots=True)
class Flexible:
    """A part that may be said shorter.

    `forms` from the longest to the shortest, an empty one when it may go altogether; `gives[i]` says when
    form i gives way to the next one: lower numbers first, among all parts of the message. With `cuts`, what
    stands between two forms may be used too: the longer one cut to the room there is.
    """

    forms: tuple[str, ...]
    gives: tuple[int, ...] = ()
    cuts: bool = False


def cut(text: str, *levels: tuple[int, int]) -> Flexible:
    """A text that may be cut: each level is (when it gives way, septets that stay); 0 septets drops it."""
    plain = to_gsm7(text)
    lengths = [(when, length) for when, length in levels if length < septets(plain)]
    forms = (plain, *(clip(plain, length) if length else "" for _when, length in lengths))
    return Flexible(forms, tuple(when for when, _length in lengths), cuts=True)


Part = str | Flexible


def fit(parts: Sequence[Part], limit: int = SEGMENT) -> str:
    """The parts joined by spaces in at most `limit` septets, counted after transliteration.

    Parts given as plain strings (number, state, link) are never touched, also when they alone are too long: a
    message in two segments is better than one without its link.
    """
    ready = [_ready(part) for part in parts]
    said = [part if isinstance(part, str) else part.forms[0] for part in ready]
    given: list[tuple[int, str, bool]] = []
    for i, form, cuts in _concessions(ready):
        if _length(said) <= limit:
            break
        given.append((i, said[i], cuts))
        said[i] = form
    for i, form, cuts in reversed(given):
        said[i] = _taken_back(said, i, form, limit, cuts=cuts)
    return " ".join(filter(None, said))


def _taken_back(said: list[str], i: int, form: str, limit: int, *, cuts: bool) -> str:
    """The longer form again, or as much of it as the others leave room for."""
    room = limit - _length([*said[:i], "", *said[i + 1 :]]) - 1
    if septets(form) <= room:
        return form
    is_worth_it = cuts and room >= max(WORTH_SAYING, septets(said[i]) + 1)
    return clip(form, room) if is_worth_it else said[i]


def _concessions(parts: Sequence[Part]) -> list[tuple[int, str, bool]]:
    """Which part says what shorter, and whether by a cut, in the order in which they give way."""
    steps = [
        (when, i, form, part.cuts)
        for i, part in enumerate(parts)
        if isinstance(part, Flexible)
        for when, form in zip(part.gives, part.forms[1:], strict=True)
    ]
    return [(i, form, cuts) for _when, i, form, cuts in sorted(steps, key=lambda step: step[0])]


def _ready(part: Part) -> Part:
    if isinstance(part, str):
        return to_gsm7(part)
    return Flexible(tuple(to_gsm7(form) for form in part.forms), part.gives, part.cuts)


def _length(said: Iterable[str]) -> int:
    words = [text for text in said if text]
    return sum(map(septets, words)) + max(0, len(words) - 1)
