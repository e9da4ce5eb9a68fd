"""What somebody means who texts back (domain §4 "Answering"). Pure: text in, meaning out; never raises.

People text with one thumb, in two languages, with or without accents, with emoji, and their phones quote our
message back when they "like" it. Whatever is not clearly an answer is their words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from escalation.inbound.phrases import HOW, LONGEST_PHRASE, PHRASES, START, STOP, Mark


class Kind(StrEnum):
    """What is meant; `ANSWER` takes it where the person may, `SEEN` never does.

    "Close" closes, or is told what is missing; "closed" and "fixed" are news, and close nothing.
    """

    ANSWER = "answer"
    SEEN = "seen"
    ALL = "all"
    SEEN_ALL = "seen_all"
    HELP = "help"
    CLOSE = "close"
    WORDS = "words"
    NO = "no"
    HOW = "how"
    STOP = "stop"
    START = "start"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Said:
    """`numbers` are those of incidents, in the order said; `words` what is left to keep.

    `is_loose`: the number stood somewhere in a sentence, so that it may be a time or a count.
    `is_yes`: the whole text is a yes, which after STOP means START.
    """

    kind: Kind
    numbers: tuple[int, ...] = ()
    words: str = ""
    is_loose: bool = False
    is_yes: bool = False


_TOKEN = re.compile(r"[^\W_]+|[👍👌✅✔☑🆗👀👎❌🚫✋🙏]")
_GLUED = re.compile(
    r"^(inc|ok|si|yes|visto|seen|help|ayuda|close|cerrar)?([0-9]{1,9})(ok|si|yes|visto|seen)?$"
)
_INC_GAP = re.compile(r"^[\s\-:#._‐‑–—]{0,3}$")
_QUOTED = "\\s*[“\"«'‘]"
_LIKED = re.compile(
    r"^\s*(?:(?:liked|loved|emphasi[sz]ed|[ml]e gust[ao]|[ml]e encant[ao]|resalto)|👍\s*(?:to|a))" + _QUOTED
)
_DISLIKED = re.compile(
    r"^\s*(?:disliked|questioned|laughed at|no [ml]e gust[ao]|pregunto por|se rio de)" + _QUOTED
)
_REACTED = re.compile(r"^\s*(?:reacted|(?:ha )?reacciono)(?: with| con)? (\S{1,8}) (?:to|a)" + _QUOTED)
"""What newer phones text for an emoji."""
_TOOK_BACK = re.compile(
    r"^\s*(?:removed|quito|elimino) (?:an? |un |una |su )?"
    r"(?:like|dislike|heart|laugh|exclamation|question mark|me gusta|me encanta|[^\w\s]{1,8}) (?:from|de|a)"
    + _QUOTED
)
_KINDLY = frozenset("👍👌✅✔☑🆗❤♥👏🙌💪🙏💯🫡👀")
_KEYCAPS = str.maketrans("", "", "\ufe0f\u20e3")
"""What makes an emoji of a sign or a digit: 1️⃣ is a 1."""
_SIGNATURE = re.compile(
    r"\s*(?:sent from my \w+|get outlook for \w+|enviado desde mi \w+)[\w .]*$", re.IGNORECASE
)
LONGEST = 2000
"""Characters of one message that are kept."""


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    word: str
    """Small letters, without accents; empty for a number."""
    number: int | None = None
    is_strong: bool = False
    """Said with INC in front of it."""


def clean(text: str) -> str:
    """The text as it can be kept: one form for each letter, no control characters, not endless."""
    whole = text.encode("utf-8", "replace").decode("utf-8")[: LONGEST * 4]
    kept = unicodedata.normalize("NFKC", whole).translate(_KEYCAPS)
    return "".join(
        char if char == "\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn") else " "
        for char in kept
    ).strip()[:LONGEST]


def fold(word: str) -> str:
    """Small letters without accents: "Sí" is "si"."""
    apart = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in apart if not unicodedata.combining(char))


def understand(text: str) -> Said:
    """What the text means."""
    whole = _SIGNATURE.sub("", clean(text))
    if liked := _liked(whole):
        return liked
    tokens = _tokens(whole)
    said = " ".join(one.word or str(one.number) for one in tokens)
    for kind, texts in ((Kind.STOP, STOP), (Kind.START, START), (Kind.HOW, HOW)):
        if said in texts:
            return Said(kind)
    if not tokens:
        return Said(Kind.NOTHING)
    marks, numbers, is_whole = _read(tokens)
    if is_whole:
        return _plain(marks, numbers)
    return _with_words(whole, tokens, marks, numbers)


def _liked(text: str) -> Said | None:
    """A phone that "likes" our message texts the whole of it back: that says no more than "seen"."""
    folded = fold(text[:60])
    reacted = _REACTED.match(folded)
    is_unkind = reacted is not None and reacted.group(1)[0] not in _KINDLY
    if is_unkind or _DISLIKED.match(folded) or _TOOK_BACK.match(folded):
        return Said(Kind.NOTHING)
    if not reacted and not _LIKED.match(folded):
        return None
    numbers = _strong(_tokens(text))
    return Said(Kind.SEEN, numbers[:1]) if numbers else Said(Kind.SEEN)


def _strong(tokens: Sequence[_Token]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(one.number for one in tokens if one.is_strong and one.number is not None))


# --- reading ---


def _tokens(text: str) -> list[_Token]:
    found = [token for match in _TOKEN.finditer(text) for token in _split(match)]
    return list(_join_inc(text, found))


def _split(match: re.Match[str]) -> Iterator[_Token]:
    """A word or a number; "inc1042" and "ok1042" are two."""
    word = fold(match.group())
    if word.isdecimal() and len(word) < 10 and word.isascii() is False:
        word = str(int(word))  # digits of another script
    glued = _GLUED.match(word)
    number = _number(glued.group(2)) if glued else None
    if glued is None or number is None:
        yield _Token(match.start(), match.end(), word)
        return
    before, after = glued.group(1) or "", glued.group(3) or ""
    if before:
        yield _Token(match.start(), match.start() + len(before), before)
    yield _Token(match.start() + len(before), match.end() - len(after), "", number)
    if after:
        yield _Token(match.end() - len(after), match.end(), after)


def _number(digits: str) -> int | None:
    """No incident's number starts with a zero."""
    return int(digits) if digits[0] != "0" else None


def _join_inc(text: str, tokens: Sequence[_Token]) -> Iterator[_Token]:
    held: _Token | None = None
    for token in tokens:
        if held is not None:
            is_one = token.number is not None and _INC_GAP.match(text[held.end : token.start])
            if is_one:
                yield _Token(held.start, token.end, "", token.number, is_strong=True)
                held = None
                continue
            yield held
        held = token if token.word == "inc" else None
        if held is None:
            yield token
    if held is not None:
        yield held


def _read(tokens: Sequence[_Token]) -> tuple[list[Mark], list[int], bool]:
    """Marks and numbers from the start on, and whether that was all."""
    marks: list[Mark] = []
    numbers: list[int] = []
    at = 0
    while at < len(tokens):
        number = tokens[at].number
        if number is not None:
            numbers.append(number)
            at += 1
            continue
        length, mark = _phrase(tokens[at : at + LONGEST_PHRASE])
        if mark is None:
            return marks, numbers, False
        marks.append(mark)
        at += length
    return marks, numbers, True


def _phrase(tokens: Sequence[_Token]) -> tuple[int, Mark | None]:
    """The longest known phrase at the start."""
    words = tuple(one.word for one in tokens)
    for length in range(len(words), 0, -1):
        mark = PHRASES.get(words[:length])
        if mark is not None:
            return length, mark
    return 0, None


# --- meaning ---


def _plain(marks: Sequence[Mark], numbers: Sequence[int]) -> Said:
    """Nothing but numbers and the words we know."""
    once = tuple(dict.fromkeys(numbers))
    kind = _kind(marks, has_number=bool(once))
    is_yes = not once and set(marks) <= {Mark.TAKE, Mark.POLITE}
    return Said(kind, once, is_yes=is_yes)


def _kind(marks: Sequence[Mark], *, has_number: bool) -> Kind:
    said = set(marks)
    if Mark.HELP in said:
        return Kind.HELP
    if Mark.NO in said:
        return Kind.NO
    if Mark.CLOSE in said:
        return Kind.CLOSE
    seen_only = Mark.SEEN in said and Mark.TAKE not in said
    if Mark.ALL in said and not has_number:
        return Kind.SEEN_ALL if seen_only else Kind.ALL
    if seen_only:
        return Kind.SEEN
    return Kind.ANSWER if has_number or Mark.TAKE in said else Kind.NOTHING


def _with_words(text: str, tokens: Sequence[_Token], marks: Sequence[Mark], numbers: Sequence[int]) -> Said:
    """Words for one incident: the number in front, one with INC anywhere, or one somewhere in a sentence."""
    if numbers:
        first = next(one for one in tokens if one.number == numbers[0])
        return Said(_asked_for(_marks_before(tokens, first)), (numbers[0],), _after(text, first))
    strong = [one for one in tokens if one.is_strong]
    if strong:
        kind = Kind.HELP if Mark.HELP in marks else Kind.WORDS
        return Said(kind, _strong(strong), _without(text, strong[0]))
    loose = [one for one in tokens if one.number is not None and _stands_alone(text, one)]
    found = tuple(dict.fromkeys(one.number for one in loose if one.number is not None))
    return Said(Kind.WORDS, found[:12], text, is_loose=True)


def _asked_for(marks: Sequence[Mark]) -> Kind:
    """What the words are for: news, unless they began by asking for something. "Don't close" does not."""
    if Mark.HELP in marks:
        return Kind.HELP
    return Kind.CLOSE if Mark.CLOSE in marks and Mark.NO not in marks else Kind.WORDS


def _marks_before(tokens: Sequence[_Token], number: _Token) -> list[Mark]:
    """What was said before the number."""
    marks, _numbers, _is_whole = _read([one for one in tokens if one.end <= number.start])
    return marks


def _after(text: str, token: _Token) -> str:
    return text[token.end :].lstrip(" \t\r\n:;,.-–—#)]=>").strip()


def _without(text: str, token: _Token) -> str:
    return " ".join(f"{text[: token.start]} {text[token.end :]}".split()).strip(" :;,.-–—")


def _stands_alone(text: str, token: _Token) -> bool:
    """Not part of a time, a date, an address or an amount."""
    around = text[max(token.start - 1, 0) : token.start], text[token.end : token.end + 1]
    return not any(char and char in ":/-+%$€" for char in around)
