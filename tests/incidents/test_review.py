"""The day of the review has come: accepted again until a later day, or opened again."""

from __future__ import annotations

from datetime import date

import pytest

from incidents import lifecycle
from incidents.models import EventKind, Incident, Status
from opsdesk.errors import Invalid, NotAllowed, Refused
from tests.factories import NOW, Floor, fresh, reach

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)


@pytest.fixture
def accepted(floor: Floor) -> Incident:
    incident = reach(floor, Status.CONTAINED)
    lifecycle.accept_no_fix(
        incident.number, by=floor.manager, reason="The maker is gone", review_on=MAY, now=NOW
    )
    return fresh(incident)


def test_a_manager_accepts_it_until_a_later_day(floor: Floor, accepted: Incident) -> None:
    lifecycle.review(accepted.number, by=floor.manager, reason="Still gone", review_on=JUNE, now=NOW)
    found = fresh(accepted)
    assert (found.status, found.review_on, found.no_fix_reason) == (Status.CLOSED, JUNE, "Still gone")
    event = found.events.last()
    assert event is not None and (event.kind, event.words) == (EventKind.NO_FIX_ACCEPTED, "Still gone")
    assert event.data == {"review_on": "2026-06-01", "was": "2026-05-01"}


def test_or_it_is_opened_again_and_the_acceptance_ends(floor: Floor, accepted: Incident) -> None:
    lifecycle.reopen(accepted.number, by=floor.manager, reason="A new maker", now=NOW)
    found = fresh(accepted)
    assert (found.status, found.review_on, found.clocks_from) == (Status.REOPENED, None, NOW)
    with pytest.raises(Refused) as refusal:
        lifecycle.review(found.number, by=floor.manager, reason="x", review_on=JUNE, now=NOW)
    assert refusal.value.code == "nothing_to_review"


def test_what_closed_with_a_proved_fix_has_nothing_to_review(floor: Floor) -> None:
    closed = reach(floor, Status.CLOSED)
    with pytest.raises(Refused) as refusal:
        lifecycle.review(closed.number, by=floor.manager, reason="x", review_on=JUNE, now=NOW)
    assert refusal.value.code == "nothing_to_review"


def test_only_who_may_accept_it_may_do_so_again(floor: Floor, accepted: Incident) -> None:
    for person in (floor.tech, floor.supervisor, floor.operator):
        with pytest.raises(NotAllowed):
            lifecycle.review(accepted.number, by=person, reason="x", review_on=JUNE, now=NOW)


def test_it_needs_a_reason_and_a_later_day(floor: Floor, accepted: Incident) -> None:
    for reason, day, code in ((" ", JUNE, "no_reason"), ("x", NOW.date(), "bad_review")):
        with pytest.raises(Invalid) as refusal:
            lifecycle.review(accepted.number, by=floor.manager, reason=reason, review_on=day, now=NOW)
        assert refusal.value.code == code
