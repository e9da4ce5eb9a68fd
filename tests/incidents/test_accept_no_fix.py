from __future__ import annotations

from datetime import date, timedelta

import pytest

from incidents import lifecycle
from incidents.models import EventKind, Status
from opsdesk.errors import Invalid, Refused
from plant.models import Role
from tests.factories import NOW, Floor, fresh, reach

REVIEW = (NOW + timedelta(days=30)).date()


@pytest.mark.parametrize("status", [Status.CONTAINED, Status.RESOLVED])
@pytest.mark.parametrize("role", [Role.PRODUCTION_MANAGER, Role.MATERIALS_MANAGER])
def test_a_manager_closes_it_with_a_reason_and_a_review(floor: Floor, status: Status, role: Role) -> None:
    number = reach(floor, status).number
    incident = lifecycle.accept_no_fix(
        number, by=floor.who(role), reason=" The line ends in May ", review_on=REVIEW, now=NOW
    )
    assert (incident.status, incident.closed_at) == (Status.CLOSED, NOW)
    assert (incident.no_fix_accepted_by, incident.no_fix_reason) == (floor.who(role), "The line ends in May")
    assert incident.review_on == REVIEW
    kinds = [event.kind for event in incident.events.order_by("-id")[:2]]
    assert kinds == [EventKind.CLOSED, EventKind.NO_FIX_ACCEPTED]


@pytest.mark.parametrize("status", [Status.RAISED, Status.ACKNOWLEDGED, Status.REOPENED, Status.CLOSED])
def test_product_has_to_move_first(floor: Floor, status: Status) -> None:
    incident = reach(floor, status)
    with pytest.raises(Refused) as refusal:
        lifecycle.accept_no_fix(incident.number, by=floor.manager, reason="x", review_on=REVIEW, now=NOW)
    assert refusal.value.code == "wrong_status"
    assert fresh(incident).no_fix_accepted_by is None


def test_it_needs_a_reason(floor: Floor) -> None:
    with pytest.raises(Invalid) as refusal:
        lifecycle.accept_no_fix(
            reach(floor, Status.CONTAINED).number, by=floor.manager, reason=" ", review_on=REVIEW, now=NOW
        )
    assert refusal.value.code == "no_reason"


@pytest.mark.parametrize(
    ("day", "code"),
    [(date(2026, 3, 2), "bad_review"), (date(2026, 3, 1), "bad_review"), (date(9999, 12, 31), "too_far")],
)
def test_the_review_is_on_a_later_day_that_somebody_lives_to_see(floor: Floor, day: date, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        lifecycle.accept_no_fix(
            reach(floor, Status.CONTAINED).number, by=floor.manager, reason="x", review_on=day, now=NOW
        )
    assert refusal.value.code == code


def test_coming_back_takes_the_acceptance_away(floor: Floor) -> None:
    number = reach(floor, Status.CONTAINED).number
    lifecycle.accept_no_fix(number, by=floor.manager, reason="x", review_on=REVIEW, now=NOW)
    incident = lifecycle.reopen(number, by=floor.supervisor, reason="Again", now=NOW)
    assert (incident.no_fix_accepted_by, incident.no_fix_reason, incident.review_on) == (None, "", None)
