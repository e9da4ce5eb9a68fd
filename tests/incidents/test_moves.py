"""The table of domain §2: which verb leads where from which status. The rest is refused, writing nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from incidents import lifecycle
from incidents.models import Event, Incident, Status
from opsdesk.errors import Refused
from plant.models import Role
from tests.factories import NOW, Floor, fresh, place_fix, reach

LATER = NOW + timedelta(minutes=1)
Verb = Callable[[Floor, int], Incident]


def _no_fix(floor: Floor, number: int) -> Incident:
    review = (NOW + timedelta(days=9)).date()
    return lifecycle.accept_no_fix(number, by=floor.manager, reason="x", review_on=review, now=LATER)


VERBS: dict[str, Verb] = {
    "acknowledge": lambda f, n: lifecycle.acknowledge(n, by=f.who(Role.IT_LEAD), now=LATER),
    "contain": lambda f, n: lifecycle.contain(n, by=f.tech, what="x", now=LATER),
    "resolve": lambda f, n: lifecycle.resolve(n, by=f.tech, now=LATER),
    "reopen": lambda f, n: lifecycle.reopen(n, by=f.supervisor, reason="x", now=LATER),
    "take_back": lambda f, n: lifecycle.take_back(n, by=f.operator, now=LATER),
    "accept_no_fix": _no_fix,
}

LEADS: dict[tuple[str, Status], Status] = {
    ("acknowledge", Status.RAISED): Status.ACKNOWLEDGED,
    ("acknowledge", Status.ACKNOWLEDGED): Status.ACKNOWLEDGED,
    ("acknowledge", Status.REOPENED): Status.ACKNOWLEDGED,
    ("acknowledge", Status.CONTAINED): Status.CONTAINED,
    ("acknowledge", Status.RESOLVED): Status.RESOLVED,
    ("contain", Status.ACKNOWLEDGED): Status.CONTAINED,
    ("contain", Status.REOPENED): Status.CONTAINED,
    ("resolve", Status.CONTAINED): Status.RESOLVED,
    ("reopen", Status.CONTAINED): Status.REOPENED,
    ("reopen", Status.RESOLVED): Status.REOPENED,
    ("reopen", Status.CLOSED): Status.REOPENED,
    ("take_back", Status.RAISED): Status.CLOSED,
    ("accept_no_fix", Status.CONTAINED): Status.CLOSED,
    ("accept_no_fix", Status.RESOLVED): Status.CLOSED,
}


def snapshot(incident: Incident) -> dict[str, Any]:
    row = Incident.objects.filter(pk=incident.pk).values().get()
    return {
        **row,
        "events": incident.events.count(),
        "running": incident.downtimes.filter(ended_at=None).count(),
    }


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_leads_where_the_table_says_or_nowhere(floor: Floor, verb: str, status: Status) -> None:
    incident = reach(floor, status)
    if verb == "resolve" and status in (Status.CONTAINED, Status.ACKNOWLEDGED, Status.REOPENED):
        place_fix(floor, incident)
    before, wanted = snapshot(incident), LEADS.get((verb, status))
    if wanted is None:
        with pytest.raises(Refused) as refusal:
            VERBS[verb](floor, incident.number)
        assert refusal.value.status == 409
        assert snapshot(incident) == before
    else:
        VERBS[verb](floor, incident.number)
        assert fresh(incident).status == wanted


def test_every_write_bumps_the_version_and_says_so_on_the_timeline(floor: Floor) -> None:
    incident = reach(floor, Status.CLOSED)
    lifecycle.reopen(incident.number, by=floor.supervisor, reason="x", now=LATER)
    versions = list(Event.objects.filter(incident=incident).order_by("id").values_list("version", flat=True))
    assert versions == list(range(1, len(versions) + 1))
    assert fresh(incident).version == versions[-1]


def test_every_event_says_who_and_when(floor: Floor) -> None:
    incident = reach(floor, Status.CLOSED)
    assert all(event.by is not None and event.at >= NOW for event in incident.events.all())
