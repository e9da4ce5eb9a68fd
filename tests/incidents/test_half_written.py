"""When something breaks in the middle of a verb, nothing of it is written and nobody hears of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from countermeasures import lifecycle as fixes
from countermeasures.models import Cause, Countermeasure
from incidents import lifecycle
from incidents.models import Downtime, Event, Incident, Photo, Status, Update
from incidents.signals import incident_changed
from tests.factories import NOW, Floor, place_fix, plan_fix, raise_, reach

LATER = NOW + timedelta(days=40)
Breaks = Callable[[Floor], Callable[[], object]]


class BrokenError(Exception):
    """The disk is full, the connection is gone, somebody wrote a bug."""


def _raise(floor: Floor) -> Callable[[], object]:
    return lambda: raise_(floor)


def _contain(floor: Floor) -> Callable[[], object]:
    number = reach(floor, Status.ACKNOWLEDGED).number
    return lambda: lifecycle.contain(number, by=floor.tech, what="Spare printer", now=LATER)


def _update(floor: Floor) -> Callable[[], object]:
    number = reach(floor, Status.ACKNOWLEDGED).number
    said: dict[str, Any] = {"conditions": "a", "actions": "b", "needs": "c"}
    return lambda: lifecycle.post_update(number, by=floor.tech, **said)


def _reopen(floor: Floor) -> Callable[[], object]:
    number = reach(floor, Status.CONTAINED).number
    return lambda: lifecycle.reopen(number, by=floor.supervisor, reason="Again", now=LATER)


def _no_fix(floor: Floor) -> Callable[[], object]:
    number, review = reach(floor, Status.CONTAINED).number, (LATER + timedelta(days=9)).date()
    return lambda: lifecycle.accept_no_fix(number, by=floor.manager, reason="x", review_on=review, now=LATER)


def _take_back(floor: Floor) -> Callable[[], object]:
    number = raise_(floor).number
    return lambda: lifecycle.take_back(number, by=floor.operator, now=NOW)


def _add_words(floor: Floor) -> Callable[[], object]:
    number = raise_(floor, words="").number
    return lambda: lifecycle.add_words(number, by=floor.operator, words="It smokes")


def _put_in_place(floor: Floor) -> Callable[[], object]:
    fix = plan_fix(floor, reach(floor, Status.CONTAINED))
    return lambda: fixes.put_in_place(fix.pk, by=floor.tech, evidence="Seen", now=LATER)


def _did_not_hold(floor: Floor) -> Callable[[], object]:
    incident = reach(floor, Status.CONTAINED)
    fix = place_fix(floor, incident)
    lifecycle.resolve(incident.number, by=floor.tech)
    return lambda: fixes.check(fix.pk, by=floor.supervisor, effective=False, measured="3 stops", now=LATER)


def _cause(floor: Floor) -> Callable[[], object]:
    number = reach(floor, Status.CONTAINED).number
    return lambda: fixes.write_cause(number, by=floor.tech, root_cause="a", escape_cause="b")


VERBS: dict[str, Breaks] = {
    "raise": _raise,
    "contain": _contain,
    "update": _update,
    "reopen": _reopen,
    "accept no fix": _no_fix,
    "take back": _take_back,
    "add words": _add_words,
    "put in place": _put_in_place,
    "did not hold": _did_not_hold,
    "write cause": _cause,
}


def everything() -> dict[str, list[dict[str, Any]]]:
    tables: tuple[Any, ...] = (Incident, Event, Update, Downtime, Photo, Countermeasure, Cause)
    return {table.__name__: list(table._default_manager.order_by("pk").values()) for table in tables}


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_is_half_written(
    floor: Floor,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
    verb: str,
) -> None:
    call = VERBS[verb](floor)
    before, heard = everything(), []

    def broken(*args: object, **kwargs: object) -> None:
        raise BrokenError

    def listen(**said: object) -> None:
        heard.append(said)

    monkeypatch.setattr("incidents.lifecycle.moves.announce", broken)  # the last thing every verb does
    monkeypatch.setattr("incidents.lifecycle.raising.announce", broken)
    incident_changed.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True), pytest.raises(BrokenError):
            call()
    finally:
        incident_changed.disconnect(listen)
    assert everything() == before
    assert heard == []
