"""When a promise is asked about: a table without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from escalation.chasing.rules import Ask, Dates, Fired, asked, next_question, now_due, schedule

DUE = datetime(2026, 3, 10, 12, tzinfo=UTC)
LONG_AGO = DUE - timedelta(days=30)
BY = schedule()
HOUR = timedelta(hours=1)


def dates(*, since: datetime = LONG_AGO, is_day: bool = False) -> Dates:
    return Dates(DUE, is_day, since)


def test_who_promised_is_reminded_two_days_before() -> None:
    first = next_question(dates(), BY, None)
    assert (first.step, first.due_at) == (0, DUE - 48 * HOUR)


def test_what_is_promised_for_a_day_is_asked_about_the_morning_after() -> None:
    asked_at = next_question(dates(is_day=True), BY, Fired(0, 0, DUE - 40 * HOUR))
    assert asked_at.due_at == DUE + 8 * HOUR


def test_a_promise_for_tomorrow_has_no_reminder_before_it_was_given() -> None:
    first = next_question(dates(since=DUE - 24 * HOUR), BY, None)
    assert (first.step, first.due_at) == (1, DUE)


def test_a_date_that_had_passed_already_is_asked_about_at_once_and_goes_up_from_there() -> None:
    given = DUE + 240 * HOUR
    first = next_question(dates(since=given), BY, None)
    assert (first.step, first.due_at) == (1, given)
    assert next_question(dates(since=given), BY, Fired(1, 0, given)).due_at == given + 24 * HOUR


def test_then_the_lead_the_it_manager_and_the_managers_hear_of_it() -> None:
    assert [asked(BY, step)[-1] for step in range(5)] == [
        Ask.OWNER,
        Ask.OWNER,
        Ask.LEAD,
        Ask.IT_MANAGER,
        Ask.MANAGERS,
    ]


def test_after_the_last_step_it_is_asked_again_and_again() -> None:
    again = next_question(dates(), BY, Fired(4, 2, DUE + 400 * HOUR))
    assert (again.step, again.round, again.due_at) == (4, 3, DUE + 568 * HOUR)


def test_after_an_outage_the_next_question_is_counted_from_the_last() -> None:
    late = DUE + 100 * HOUR
    assert next_question(dates(), BY, Fired(1, 0, late)).due_at == late + 24 * HOUR


def test_a_reminder_that_comes_after_the_date_has_become_the_question_itself() -> None:
    assert now_due(dates(), BY, 0, DUE) == 1
    assert now_due(dates(), BY, 0, DUE - HOUR) == 0
