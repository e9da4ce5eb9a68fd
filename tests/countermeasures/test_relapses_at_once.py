"""Real threads on PostgreSQL: repeats raised and weighed at once fail a fix once, and a raise never waits."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from countermeasures.lifecycle import weigh_due
from countermeasures.models import Stage
from incidents import lifecycle
from incidents.models import EventKind, Impact, Incident, Status, UnweighedRepeat
from tests.factories import NOW, Floor, fresh, make_floor, reach
from tests.incidents.test_two_at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)

LATER = NOW + timedelta(days=10)


@pytest.fixture
def old() -> Incident:
    return reach(make_floor(), Status.RESOLVED)


def again(old: Incident) -> Incident:
    """Raised from the station's tablet."""
    return lifecycle.raise_incident(
        by=None, category=old.category, impact=Impact.AT_RISK, station=old.station, now=LATER
    )[0]


def test_two_repeats_raised_at_once_are_both_linked(old: Incident) -> None:
    first, second = at_once(lambda: again(old), lambda: again(old))
    assert (first.repeat_of, second.repeat_of) == (old, old)
    assert UnweighedRepeat.objects.count() == 2


def test_three_engines_at_once_reopen_the_old_one_once(old: Incident) -> None:
    again(old), again(old)
    weighed = at_once(*[lambda: weigh_due(LATER)] * 3)
    assert sum(weighed) == 2
    assert (fresh(old).status, fresh(old).reopen_count) == (Status.REOPENED, 1)
    assert old.countermeasures.permanent().get().stage == Stage.NOT_EFFECTIVE
    assert old.events.filter(kind=EventKind.REPEATED).count() == 2


def test_an_engine_that_weighs_and_somebody_who_opens_it_by_hand_open_it_once(old: Incident) -> None:
    floor = Floor(old.site, old.area, old.line, old.station, old.category)  # type: ignore[arg-type]
    supervisor = floor.supervisor
    again(old)
    results = at_once(
        lambda: weigh_due(LATER),
        lambda: lifecycle.reopen(old.number, by=supervisor, reason="Blank again", now=LATER),
    )
    assert results[0] + weigh_due(LATER) == 1, results  # it does not wait: the next turn may have to
    assert fresh(old).reopen_count == 1
    assert old.countermeasures.permanent().get().stage == Stage.NOT_EFFECTIVE


def test_the_engine_does_not_wait_for_whoever_holds_the_old_one(old: Incident) -> None:
    """Else the steps of every stopped line would wait with it."""
    again(old)
    with transaction.atomic():
        Incident.objects.locked(old.number)
        assert at_once(lambda: weigh_due(LATER)) == [0]  # ends although the lock is held
    assert UnweighedRepeat.objects.get().failures == 0
    assert weigh_due(LATER) == 1


def test_raising_does_not_wait_for_whoever_holds_the_old_one(old: Incident) -> None:
    with transaction.atomic():
        Incident.objects.locked(old.number)
        (raised,) = at_once(lambda: again(old))  # ends although the lock is held
    assert raised.repeat_of == old
