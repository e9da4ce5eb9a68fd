"""The account of a fault run can say no: whatever may go wrong is found in the rows and in the mail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chaos.account import (
    Account,
    Asked,
    Delivery,
    Incident,
    Late,
    Mail,
    Notification,
    Rows,
    Told,
    Window,
    settle,
)
from chaos.report import Load, Screen, judge_screens, lines, misses, said_for_nothing
from chaos.screens import Seen, bad_spans

LADDER = {"S1": (0, 1, 2), "S2": (0,)}
KILL = Window("a kill", 1100, 1105, 1120, kills_a_send=True)
FROZEN = Window("frozen", 1300, 1350, 1360, kills_a_send=False)
WINDOWS = (KILL, FROZEN)


def told(at: float, step: int = 0, *, incident: int = 1) -> Told:
    return Told(incident, "response", step, 0, at)


def mail(delivery: int, at: float) -> Mail:
    return Mail(at, f"<delivery-{delivery:x}-{0:016x}@plant>", f"TOKEN{delivery}", "vela@plant")


def good() -> tuple[Rows, list[Mail], Asked]:
    """One S1 that nobody takes: three steps, one person each by SMS and email."""
    rows = Rows(
        incidents=[Incident(1, 1001, "c1", "S1", "stopped", 1000.0, None)],
        told=[told(1000.2), told(1060.1, 1), told(1120.1, 2)],
    )
    mails = []
    for step, at in enumerate((1000.2, 1060.1, 1120.1)):
        due = 1000.0 + 60 * step
        rows.notifications.append(
            Notification(step, 1, 7, "step", "response", step, 0, f"T{step}", True, due, at)
        )
        rows.deliveries.append(Delivery(10 + step, step, "email", "sent", None, 1, at, at, at + 1))
        mails.append(mail(10 + step, at + 1))
    return rows, mails, Asked(raises=1, answered={"c1": 1001}, takes=set())


def account(rows: Rows, mails: list[Mail], asked: Asked) -> Account:
    return settle(rows, mails, asked, WINDOWS, ladder=LADDER, end=1200.0)


def test_a_good_run_has_nothing_to_say() -> None:
    sums = account(*good())
    assert (len(sums.due), sums.lost, sums.late, sums.duplicates) == (3, [], [], [])


# --- lost ---


def test_a_raise_that_was_answered_and_is_not_there_is_lost() -> None:
    rows, mails, asked = good()
    asked.answered["c2"] = 1002
    assert account(rows, mails, asked).lost == ["INC-1002 was answered and is not in the database"]


def test_a_take_that_was_answered_and_is_not_on_the_timeline_is_lost() -> None:
    rows, mails, asked = good()
    asked.takes.add(1001)
    assert "its timeline does not know" in account(rows, mails, asked).lost[0]


def test_a_step_that_was_due_and_did_not_fire_is_lost() -> None:
    rows, mails, asked = good()
    del rows.told[2]
    assert account(rows, mails, asked).lost == ["step 2 of INC-1001 was due and did not fire"]


def test_a_step_that_somebody_overtook_is_lost_only_when_it_was_due_long_before_and_without_a_fault() -> None:
    rows, mails, asked = good()
    del rows.told[1:]
    rows.incidents = [rows.incidents[0]._replace(stopped_at=1061.0)]
    assert account(rows, mails, asked).lost == []
    rows.incidents = [rows.incidents[0]._replace(stopped_at=1080.0)]
    assert len(account(rows, mails, asked).lost) == 1
    rows.incidents = [rows.incidents[0]._replace(raised_at=1050.0, stopped_at=1125.0)]
    rows.told = [told(1050.1)]
    assert account(rows, mails, asked).lost == [], "due at 1110, in a fault"


def test_a_step_that_was_not_due_before_the_end_or_before_somebody_took_it_is_not_asked_for() -> None:
    rows, mails, asked = good()
    del rows.told[1:]
    rows.incidents = [rows.incidents[0]._replace(stopped_at=1059.0)]
    assert len(account(rows, mails, asked).due) == 1
    rows.incidents = [rows.incidents[0]._replace(stopped_at=None, raised_at=1195.0)]
    rows.told = [told(1195.1)]
    assert len(account(rows, mails, asked).due) == 1


def test_the_next_step_is_counted_from_a_late_one_and_a_higher_step_speaks_for_it() -> None:
    rows, mails, asked = good()
    rows.told = [told(1040.0), told(1100.5, 1)]
    assert [one.at for one in account(rows, mails, asked).due] == [1000.0, 1100.0, 1160.5]
    rows.told = [told(1100.5, 1), told(1160.6, 2)]
    assert account(rows, mails, asked).lost == []


def test_an_open_incident_that_waits_for_nothing_is_lost() -> None:
    rows, mails, asked = good()
    rows.silent, rows.overdue = [1001], 2
    assert len(account(rows, mails, asked).lost) == 2


def test_an_email_that_says_sent_and_never_arrived_is_lost() -> None:
    rows, mails, asked = good()
    assert account(rows, mails[1:], asked).lost == ["delivery 10 is sent, and the mail server never had it"]


@pytest.mark.parametrize(
    ("state", "into", "is_lost"),
    [
        ("queued", None, True),
        ("sending", None, True),
        ("failed", None, False),
        ("dropped", None, False),
        ("bundled", 11, False),
        ("bundled", 99, True),
    ],
)
def test_a_notification_has_to_come_to_an_end(state: str, into: int | None, is_lost: bool) -> None:
    rows, mails, asked = good()
    rows.deliveries[0] = rows.deliveries[0]._replace(state=state, bundled_into=into, sent_at=None)
    assert bool(account(rows, mails[1:], asked).lost) is is_lost


def test_a_notification_without_any_delivery_is_lost() -> None:
    rows, mails, asked = good()
    del rows.deliveries[0]
    assert account(rows, mails[1:], asked).lost == ["notification 0 (step) came to nothing"]


# --- late ---


def test_late_is_put_down_to_the_fault_it_was_due_in() -> None:
    rows, mails, asked = good()
    rows.told = [told(1000.2), told(1067.0, 1)]
    rows.incidents = [rows.incidents[0]._replace(stopped_at=1070.0)]
    assert [one.fault for one in account(rows, mails, asked).late] == [""]
    rows.incidents = [rows.incidents[0]._replace(raised_at=1050.0, stopped_at=1140.0)]
    rows.told = [told(1050.2), told(1130.0, 1)]
    (late,) = account(rows, mails, asked).late
    assert (late.fault, round(late.seconds, 1)) == ("a kill", 19.8)


def test_what_only_keeps_mail_back_is_no_excuse_for_a_late_step() -> None:
    rows, mails, asked = good()
    rows.told[:2] = [told(1000.0), told(1100.0, 1)]
    mail_only = Window("mail", 1050, 1100, 1200, kills_a_send=False, holds_steps=False)
    mails[1] = mail(11, 1130.0)
    sums = settle(rows, mails, asked, [mail_only], ladder=LADDER, end=1150.0)
    assert [(one.fault, one.seconds) for one in sums.late] == [("", 40.0), ("mail", 70.0)]
    assert sums.waits == {"mail": (0.0, 70.0)}


def test_an_urgent_message_that_is_handed_over_late_is_late_unless_it_was_held_to_go_with_others() -> None:
    rows, mails, asked = good()
    mails[0] = mail(10, 1030.0)
    assert account(rows, mails, asked).late == [Late("", 30.0, 1000.0)]
    rows.deliveries[0] = rows.deliveries[0]._replace(not_before=1028.0)
    assert account(rows, mails, asked).late == []


# --- twice ---


def test_a_mail_that_came_twice_is_put_down_to_the_kill_that_hit_it() -> None:
    rows, mails, asked = good()
    assert account(rows, [*mails, mail(10, 1050.0)], asked).duplicates[0][0] == ""
    rows.deliveries.append(rows.deliveries[0]._replace(id=20))
    twice = [*mails, mail(20, 1099.0), mail(20, 1107.0)]
    assert [fault for fault, _what in account(rows, twice, asked).duplicates] == ["a kill"]


def test_a_step_that_fired_twice_and_a_person_who_was_told_twice_are_duplicates() -> None:
    rows, mails, asked = good()
    rows.told.append(told(1000.9))
    rows.notifications.append(rows.notifications[0]._replace(id=50))
    rows.deliveries.append(rows.deliveries[0]._replace(id=51, notification=50))
    assert [fault for fault, _ in account(rows, [*mails, mail(51, 1001.0)], asked).duplicates] == ["", ""]


# --- screens ---


def looks(*bad: tuple[float, float], says: str = "red band") -> list[Seen]:
    """A look every second, bad within these spans."""
    return [Seen(at, "s", says if any(a <= at <= b for a, b in bad) else "") for at in range(1280, 1420)]


def judged(*bad: tuple[float, float]) -> Screen:
    return judge_screens({"s": looks(*bad)}, [(1300.0, 1350.0)], FROZEN, 1400.0)


def test_screens_that_say_so_in_time_and_stop_are_good() -> None:
    screen = judged((1327, 1353))
    assert (screen.misses, screen.words) == ([], "after 27 s, gone after 4 s")


def test_a_screen_that_is_silent_or_late_or_never_stops_is_a_miss() -> None:
    assert "did not say so" in judged().misses[0]
    assert "did not say so" in judged((1332, 1353)).misses[0]
    assert "still said so" in judged((1325, 1372)).misses[0]


def test_what_is_over_soon_need_not_be_said() -> None:
    screen = judge_screens({"s": looks()}, [(1300.0, 1312.0)], FROZEN, 1400.0)
    assert (screen.misses, screen.words) == ([], "need not")


def test_a_screen_that_cries_for_nothing_is_noticed() -> None:
    assert said_for_nothing({"s": looks((1285, 1286))}, WINDOWS) == ["s said “red band” without a fault"] * 2
    assert said_for_nothing({"s": looks((1285, 1286), says="no answer")}, WINDOWS) == []
    assert bad_spans(looks((1285, 1286), (1419, 1419))) == [(1285, 1287), (1419, float("inf"))]


# --- the verdict ---


def load(**changes: Any) -> Load:
    plain = Load(1, 1, 1, [], 20, 20, 60, [0.03], 0, 0)
    return replace(plain, **changes)


def test_the_verdict_names_each_thing_that_is_not_as_it_should_be() -> None:
    sums = account(*good())
    screens = {window.name: Screen() for window in WINDOWS}
    assert misses(load(), sums, screens, [], began=1000.0, senders=2) == []
    assert len(lines(load(), sums, WINDOWS, screens, 1000.0)) == 13
    sums.lost = ["x"] * 9
    sums.late = [Late("", 8.0, 1037), Late("", 6.0, 1041), Late("frozen", 50.0, 1080), Late("", 5.5, 1099)]
    sums.duplicates = [("", "twice"), *[("a kill", "twice")] * 3]
    screens["frozen"].misses.append("silent")
    said = misses(load(answered=0, refused=["400"]), sums, screens, ["noise"], began=1000.0, senders=2)
    assert [sentence.partition(":")[0] for sentence in said[8:]] == [
        "lost",
        "a raise was refused",
        "1 raises never got an answer",
        "3 late without a fault, by up to 8 s, due at 37 to 41, 99 s",
        "twice without a kill in mid-send",
        "3 duplicates of “a kill”",
        "silent",
        "screens",
    ]
