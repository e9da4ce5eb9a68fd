"""Finding incidents by words: fast at 100,000 rows because only indexes are asked.

Title and words are one full-text index of PostgreSQL (configuration `simple`: two languages, part numbers, no
stemming), matched by the beginning of words. Names of places and people are looked up first, in small tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Q

from incidents.models import Incident, IncidentQuerySet
from incidents.models.incident import parse_number
from plant.models import Line, Person, Station

MOST_WORDS = 6
FEW = 1000
MOST_PLACES = 200
"""Places and people looked at for one search; more would mean that the word says nothing."""


def with_words(found: IncidentQuerySet, words: str) -> IncidentQuerySet:
    """A number finds that one; otherwise every word is in the title, what was said, place or owner."""
    number = parse_number(words)
    if number >= 0:
        return found.filter(number=number)
    tokens = re.findall(r"\w+", words)[:MOST_WORDS]
    if not tokens:
        return found.none()
    having = _having_all(tokens)
    few = list(having.order_by().values_list("pk", flat=True)[: FEW + 1])
    # PostgreSQL cannot know how often the beginning of a word occurs. Rare: look these up. Frequent: walk the
    # newest rows until a page is full. Each alone is slow on the other's words: 0.2 and 0.5 s at 100,000.
    if len(few) <= FEW:
        return found.filter(pk__in=few)
    return found.filter(pk__in=having.values("pk"))


def _having_all(tokens: list[str]) -> IncidentQuerySet:
    named = _names(tokens)
    found = Incident.objects.alias(said=SearchVector("title", "words", config="simple"))
    for token in tokens:
        says = SearchQuery(f"{token}:*", config="simple", search_type="raw")
        found = found.filter(Q(said=says) | named(token))
    return found


def _names(tokens: list[str]) -> Callable[[str], Q]:
    """For each word the lines, stations and people that have it in their name; three queries in all."""
    any_word = Q()
    for token in tokens:
        any_word |= Q(name__icontains=token)
    lines = list(Line.objects.filter(any_word).values_list("pk", "name")[:MOST_PLACES])
    stations = list(Station.objects.filter(any_word).values_list("pk", "name")[:MOST_PLACES])
    people = list(Person.objects.filter(any_word).values_list("pk", "name")[:MOST_PLACES])

    def matching(token: str) -> Q:
        return (
            Q(line__in=_having(token, lines))
            | Q(station__in=_having(token, stations))
            | Q(owner__in=_having(token, people))
        )

    return matching


def _having(token: str, named: list[tuple[int, str]]) -> list[int]:
    return [pk for pk, name in named if token.casefold() in name.casefold()]
