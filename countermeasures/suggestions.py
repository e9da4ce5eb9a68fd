"""Causes that were found before, offered while the five whys are asked: the same family first, then others.

Words are looked up in one full-text index of PostgreSQL (configuration `simple`: two languages, part numbers,
no stemming), matched by their beginning, as `incidents.search` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db.models import F, Prefetch

from countermeasures.models import Cause, Countermeasure, Kind, Stage
from incidents import families
from incidents.models import Incident
from plant.models import Person

MOST = 6
"""Suggestions shown: more would not be read."""

SHORTEST, MOST_WORDS = 4, 8
"""Letters of a word that says something, and words looked up at most, the longest first."""

RANKED = 500
"""Newest causes with like words that are ranked: a frequent word must not cost more than a rare one."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A cause of an earlier incident. `held`: what was done and proved; `is_family`: the same again."""

    incident: Incident
    root_cause: str
    escape_cause: str
    five_whys: tuple[str, ...]
    held: str
    is_family: bool


def suggest(incident: Incident, *, reader: Person, words: str = "", most: int = MOST) -> list[Suggestion]:
    """Earlier causes for this incident, those of its family first, then those with the words (by default its
    own). Only what the reader may see; the same cause once. Four queries at most.
    """
    found: dict[str, Suggestion] = {}
    for one in (*_of_family(incident, reader), *_like(words or _own_words(incident), incident, reader)):
        if one.incident.pk != incident.pk and (one.root_cause or one.escape_cause):
            found.setdefault((one.root_cause or one.escape_cause).casefold(), one)
    return list(found.values())[:most]


def _own_words(incident: Incident) -> str:
    return f"{incident.title} {incident.words}"


def _of_family(incident: Incident, reader: Person) -> Iterator[Suggestion]:
    """Newest first: causes that were written, and the sentence with which a small thing was closed."""
    family = families.of(incident)
    if family is None:
        return
    members = family.incidents().visible_to(reader).exclude(pk=incident.pk)
    with_cause = members.exclude(cause=None, closed_cause="").select_related("cause")
    for one in with_cause.prefetch_related(_PROVED).order_by("-raised_at", "-pk")[: MOST * 5]:
        cause = getattr(one, "cause", None) or Cause(incident=one)
        if not cause.root_cause and one.closed_cause:
            cause.root_cause = one.closed_cause
        yield _suggestion(cause, one, is_family=True)


_HELD = Countermeasure.objects.exclude(kind=Kind.CONTAINMENT).filter(stage=Stage.EFFECTIVE)
_PROVED = Prefetch("countermeasures", _HELD, to_attr="proved")
_PROVED_TOO = Prefetch("incident__countermeasures", _HELD, to_attr="proved")


def _like(words: str, incident: Incident, reader: Person) -> Iterator[Suggestion]:
    """Causes with like words of any family, the best match first."""
    query = _any_of(words)
    if query is None:
        return
    said = SearchVector("root_cause", "escape_cause", config="simple")
    matching = Cause.objects.alias(said=said).filter(said=query, incident__is_drill=False)
    if not reader.is_corporate:
        matching = matching.filter(incident__site_id__in=reader.site_ids)
    newest = matching.exclude(incident=incident).order_by("-pk").values("pk")[:RANKED]
    ranked = Cause.objects.filter(pk__in=list(newest.values_list("pk", flat=True)))
    ranked = ranked.annotate(rank=SearchRank(said, query)).order_by(F("rank").desc(), "-pk")
    rows = ranked.select_related("incident")
    for cause in rows.prefetch_related(_PROVED_TOO)[: MOST * 2]:
        yield _suggestion(cause, cause.incident, is_family=False)


def _any_of(words: str) -> SearchQuery | None:
    tokens = {token for token in re.findall(r"\w+", words.casefold()) if len(token) >= SHORTEST}
    longest = sorted(tokens, key=lambda token: (-len(token), token))[:MOST_WORDS]
    queries = [SearchQuery(f"{token}:*", config="simple", search_type="raw") for token in longest]
    return reduce(or_, queries) if queries else None


def _suggestion(cause: Cause, incident: Incident, *, is_family: bool) -> Suggestion:
    proved: Iterable[Countermeasure] = getattr(incident, "proved", ())
    return Suggestion(
        incident=incident,
        root_cause=cause.root_cause.strip(),
        escape_cause=cause.escape_cause.strip(),
        five_whys=tuple(cause.five_whys),
        held=next((fix.what for fix in proved), ""),
        is_family=is_family,
    )
