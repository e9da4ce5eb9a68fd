"""Where else? Every station with the same system, and how far each is answered (domain §3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from countermeasures.models import Answer, Countermeasure, Elsewhere, Kind
from incidents.models import Incident
from plant.models import Person, Station, System


@dataclass(frozen=True, slots=True)
class Place:
    """Another station with the same system; `answer` is None until somebody has looked.

    `before`: what was found there for an earlier fix of the same incident, while this one has no answer.
    """

    station: Station
    answer: Elsewhere | None
    before: Elsewhere | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Of `total` stations, how many are settled (done, or it does not apply) and how many are promised."""

    settled: int
    to_do: int
    total: int

    @property
    def unanswered(self) -> int:
        return self.total - self.settled - self.to_do

    @property
    def is_begun(self) -> bool:
        """Somebody has answered for a station."""
        return self.settled + self.to_do > 0

    @property
    def is_over(self) -> bool:
        return self.settled == self.total


@dataclass(frozen=True, slots=True)
class WhereElse:
    """`system` is None until one of `choices` is chosen; `hidden`: stations at sites of others."""

    countermeasure: Countermeasure
    system: System | None
    choices: list[System]
    places: list[Place]
    hidden: int
    progress: Progress


def applies_to(found: Countermeasure) -> bool:
    """The question is asked of what stays: a bandage stays where it is."""
    return found.kind != Kind.CONTAINMENT


def systems_of(incident: Incident) -> list[System]:
    """The system of the incident, else those of its station: which of them it was, somebody has to say."""
    if incident.system is not None:
        return [incident.system]
    return list(incident.station.systems.all()) if incident.station is not None else []


def stations(found: Countermeasure, system: System) -> QuerySet[Station]:
    """All other stations with the system, at every site."""
    others = Station.objects.filter(systems=system).select_related("line__area__site")
    if found.incident.station_id is not None:
        others = others.exclude(pk=found.incident.station_id)
    return others.order_by("line__area__site__code", "line__code", "code")


def where_else(found: Countermeasure, *, reader: Person) -> WhereElse:
    """The list as its reader may see it; progress counts all sites. Five queries at most."""
    choices = systems_of(found.incident)
    system = found.system or (choices[0] if len(choices) == 1 else None)
    others = list(stations(found, system)) if system is not None else []
    rows = Elsewhere.objects.filter(countermeasure=found).select_related("owner", "answered_by")
    answers = {row.station_id: row for row in rows}
    seen = [one for one in others if reader.sees_site(one.line.area.site_id)]
    before = earlier_answers(found, [one.pk for one in seen if one.pk not in answers])
    return WhereElse(
        countermeasure=found,
        system=system,
        choices=choices,
        places=[Place(one, answers.get(one.pk), before.get(one.pk)) for one in seen],
        hidden=len(others) - len(seen),
        progress=_progress([answers.get(one.pk) for one in others]),
    )


def earlier_answers(found: Countermeasure, stations: Sequence[int]) -> dict[int, Elsewhere]:
    """By station, the newest answer given for another fix of the same incident (ADR 0130)."""
    if not stations:
        return {}
    rows = Elsewhere.objects.filter(
        countermeasure__incident=found.incident_id, countermeasure__lt=found.pk, station__in=stations
    )
    newest_last = rows.select_related("countermeasure", "owner").order_by("answered_at", "pk")
    return {row.station_id: row for row in newest_last}


def chosen_before(incident: Incident) -> System | None:
    """Of several systems at its station, the one that was said for the newest fix of this incident."""
    said = Countermeasure.objects.filter(incident=incident, system__isnull=False)
    newest = said.select_related("system").order_by("-pk").first()
    return newest.system if newest is not None else None


def _progress(answers: Sequence[Elsewhere | None]) -> Progress:
    given = [one for one in answers if one is not None]
    settled = sum(one.is_settled for one in given)
    return Progress(settled=settled, to_do=len(given) - settled, total=len(answers))


def progress_of(found: Iterable[Countermeasure]) -> dict[int, Progress]:
    """By countermeasure, for a page with several of one incident; only where other stations have the system.

    A total of 0 says that somebody has to say first which of several systems it is about. Four queries,
    however many there are. Their incident is loaded `with_place()`.
    """
    asked = [one for one in found if applies_to(one)]
    if not asked:
        return {}
    choices = systems_of(asked[0].incident)
    only = choices[0].pk if len(choices) == 1 else None
    about = {one.pk: one.system_id or only for one in asked}
    totals = _totals({pk for pk in about.values() if pk}, asked[0].incident.station_id)
    rows = (
        Elsewhere.objects.filter(countermeasure__in=about)
        .values_list("countermeasure_id")
        .annotate(to_do=Count("pk", filter=Q(answer=Answer.APPLIES)), all=Count("pk"))
    )
    given = {pk: (to_do, count) for pk, to_do, count in rows}
    progress = {}
    for pk, system_id in about.items():
        to_do, count = given.get(pk, (0, 0))
        total = totals.get(system_id or 0, 0)
        if total or (system_id is None and len(choices) > 1):
            progress[pk] = Progress(settled=count - to_do, to_do=to_do, total=total)
    return progress


def _totals(systems: set[int], besides: int | None) -> dict[int, int]:
    if not systems:
        return {}
    links = Station.systems.through.objects.filter(system_id__in=systems)
    if besides is not None:
        links = links.exclude(station_id=besides)
    return dict(links.values_list("system_id").annotate(count=Count("pk")))
