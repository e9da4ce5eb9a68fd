"""The screens of a practice: who sees them, starting one in two taps, watching, stopping, and its report."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import time
from typing import Any

from django.test import Client

from escalation.drills import plan, running
from escalation.drills.asked import outlook
from escalation.models import Delivery, Drill, DrillPlan, Weekday
from tests.screens.reading import poll, words


def begin(world: Any) -> Drill:
    return running.start(world.site, by=world["hutchins"], severity="S1", area=world.area, now=world.now)


def play(world: Any, advance: Callable[..., None], drill: Drill) -> Drill:
    for _turn in range(80):
        running.step(drill.pk, now=world.now)
        advance(minutes=0.25)
        drill = Drill.objects.get(pk=drill.pk)
        if drill.ended_at is not None:
            return drill
    raise AssertionError("It never ended.")


def test_where_nobody_practised_yet_it_says_what_it_would_show(as_: Callable[[str], Client]) -> None:
    said = words(as_("hutchins").get("/drills/"))
    assert "Nobody has practised here yet" in said
    assert "Next practice: Wed 5 Nov 10:00, Final Assembly" in said
    assert "Practise now" in said


def test_managers_read_and_only_the_it_manager_practises(as_: Callable[[str], Client]) -> None:
    said = words(as_("tillery").get("/drills/"))
    assert "Would everybody be reached?" in said and "Practise now" not in said
    assert as_("vela").get("/drills/").status_code == 403
    assert as_("tillery").get("/drills/new/").status_code == 403
    assert as_("tillery").post("/drills/new/", {"severity": "S1"}).status_code == 403
    assert as_("tillery").post("/drills/plan/", {}).status_code == 403
    assert not Drill.objects.exists()


def test_the_first_tap_says_who_gets_how_many_messages_and_the_second_starts_it(
    world: Any, as_: Callable[[str], Client]
) -> None:
    manager = as_("hutchins")
    page = manager.get("/drills/new/", {"area": "MBK-ASM", "severity": "S1"})
    said = words(page)
    assert "Practise “Line down” in Final Assembly now?" in said
    assert "9 people get up to" in said
    assert not Drill.objects.exists()
    answer = manager.post("/drills/new/", {"area": "MBK-ASM", "severity": "S1"})
    drill = Drill.objects.get()
    assert answer["Location"] == f"/drills/{drill.pk}/"
    assert (drill.started_by, drill.area, drill.incident.is_drill) == (world["hutchins"], world.area, True)


def test_no_more_messages_come_than_were_announced(
    world: Any, as_: Callable[[str], Client], advance: Callable[..., None]
) -> None:
    about = outlook(
        world.site, world.area, "S1", world.category, flow=running.flow_of(world.area), now=world.now
    )
    drill = play(world, advance, begin(world))
    advance(minutes=1)
    sent = Delivery.objects.filter(notification__incident=drill.incident).count()
    assert sent == about.messages


def test_beside_a_real_stop_nobody_starts_one(world: Any, as_: Callable[[str], Client]) -> None:
    real = world.raise_it("stopped")
    manager = as_("hutchins")
    assert f"{real.code} is real and not solved yet." in words(manager.get("/drills/"))
    answer = manager.post("/drills/new/", {"area": "MBK-ASM", "severity": "S1"})
    assert answer.status_code == 409 and real.code in words(answer)


def test_while_it_runs_the_page_is_live_and_can_stop_it(
    world: Any, as_: Callable[[str], Client], advance: Callable[..., None]
) -> None:
    drill = begin(world)
    advance(minutes=0.5)
    manager, where = as_("hutchins"), f"/drills/{drill.pk}/"
    page = manager.get(where)
    assert "0 of 4 answered so far." in words(page) and "Stop the practice" in words(page)
    assert "Practice, not real" in words(page)
    assert "every 5s" in page.content.decode()
    live = poll(manager, where, "drill")
    assert poll(manager, where, "drill", live["ETag"]).status_code == 304
    assert "Stop the practice" not in words(as_("brandt").get(where))
    assert manager.post(f"{where}stop/").status_code == 302
    ended = words(manager.get(where))
    assert "Hutchins stopped it." in ended and "Stop the practice" not in ended
    assert "It ended before anybody had time to answer." in ended


def test_the_report_names_who_was_not_reached_and_why(
    world: Any, as_: Callable[[str], Client], advance: Callable[..., None]
) -> None:
    world["kowal"].mobile = world["kowal"].email = ""
    world["kowal"].save(update_fields=["mobile", "email"])
    drill = play(world, advance, begin(world))
    said = words(as_("tillery").get(f"/drills/{drill.pk}/"))
    assert "9 of 9 would not have been reached." in said
    assert "Kowal IT specialist has neither a mobile number nor an email address here" in said
    assert "If somebody takes it, and product does not move" in said
    assert "9 of 9 would not have been reached." in words(as_("tillery").get("/drills/"))


def test_the_answer_page_of_a_practice_asks_only_for_the_button(
    world: Any, as_: Callable[[str], Client], advance: Callable[..., None]
) -> None:
    drill = begin(world)
    advance(minutes=0.25)
    link = drill.incident.notifications.get(person=world["vela"])
    page = Client().get(f"/a/{link.token}/")
    assert "Practice, not real" in words(page) and "I’ve seen it" in words(page)
    assert "I’ll take it" not in words(page)
    nonce = re.search(r'name="nonce" value="([^"]+)"', page.content.decode())
    assert nonce is not None
    thanks = Client().post(f"/a/{link.token}/", {"nonce": nonce[1]}, follow=True)
    assert "It reached you. This is practice: nothing else is needed." in words(thanks)
    assert "Nobody has it yet" not in words(thanks)


def test_taking_it_on_its_page_is_thanked(
    world: Any, as_: Callable[[str], Client], advance: Callable[..., None]
) -> None:
    drill = begin(world)
    advance(minutes=0.25)
    tech, where = as_("vela"), f"/incidents/{drill.incident.number}/"
    before = words(tech.get(where))
    assert "I’ve seen it" in before and "I’m at the station" not in before
    page = tech.post(f"{where}acknowledge/", follow=True)
    assert "Thank you. This is practice: there is nothing to do." in words(page)
    assert "would take it" in words(page)


def test_the_plan_is_changed_on_a_screen_and_refused_with_what_was_typed(
    world: Any, as_: Callable[[str], Client]
) -> None:
    manager = as_("hutchins")
    good = {"is_on": "on", "weekday": "0", "at": "09:30", "severity": "S2"}
    assert manager.post("/drills/plan/", {**good, "at": "never"}).status_code == 400
    assert manager.post("/drills/plan/", good).status_code == 302
    kept = DrillPlan.objects.get()
    assert (kept.weekday, kept.at, kept.severity, kept.is_on) == (Weekday.MONDAY, time(9, 30), "S2", True)
    assert "Every week on Monday at 09:30, as “At risk”." in words(manager.get("/drills/"))
    manager.post("/drills/plan/", {**good, "is_on": ""})
    assert "Weekly practice is switched off" in words(manager.get("/drills/"))


def test_a_moved_practice_says_from_when_and_why(world: Any, as_: Callable[[str], Client]) -> None:
    plan.plan_of(world.site, world.now)
    world.now = world.now.replace(day=5, hour=14, minute=58)
    real = world.raise_it("stopped")
    world.now = world.now.replace(hour=15, minute=20)
    said = words(as_("hutchins").get("/drills/"))
    assert "Next practice: 11:00, Final Assembly" in said
    assert f"Moved from 10:00. {real.code} is real and not solved yet." in said


def test_the_list_asks_the_same_whatever_there_is(
    world: Any, as_: Callable[[str], Client], advance: Callable[..., None], django_assert_max_num_queries: Any
) -> None:
    drill = play(world, advance, begin(world))
    manager = as_("hutchins")
    with django_assert_max_num_queries(40):
        manager.get("/drills/")
    with django_assert_max_num_queries(20):
        manager.get(f"/drills/{drill.pk}/")
