"""Where else? Every station with the same system is answered: to do, does not apply, done (domain §3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from countermeasures import lifecycle as fixes
from countermeasures.models import Answer, Countermeasure, Elsewhere
from countermeasures.promises.models import Outcome, Promise
from countermeasures.where_else import progress_of, where_else
from incidents import lifecycle
from incidents.models import EventKind, Incident, Status
from opsdesk.errors import Invalid, NotAllowed, Refused, Stale
from plant.models import Role, Station, System
from tests.factories import (
    NOW,
    Floor,
    fresh,
    give_role,
    make_area,
    make_floor,
    make_line,
    make_person,
    make_station,
    make_system,
    plan_fix,
    raise_,
    reach,
)


@pytest.fixture
def label(floor: Floor) -> System:
    """Box labels are printed at the floor's station and at three others."""
    system = make_system("label")
    floor.station.systems.add(system)
    for code in ("T-A", "T-B", "T-C"):
        make_station(code, line=floor.line, name=f"Pack {code}", systems=[system])
    make_station("T-D", line=floor.line, systems=[make_system("mes")])
    return system


@pytest.fixture
def fix(floor: Floor, label: System) -> Countermeasure:
    lifecycle.acknowledge(raise_(floor).number, by=floor.tech, now=NOW)
    return plan_fix(floor, Incident.objects.latest("number"))


def at(code: str) -> Station:
    return Station.objects.select_related("line__area__site").get(code=code)


def figures(fix: Countermeasure, floor: Floor) -> tuple[int, int, int]:
    progress = where_else(fix, reader=floor.tech).progress
    return progress.settled, progress.to_do, progress.total


def test_it_lists_every_other_station_with_the_same_system(floor: Floor, fix: Countermeasure) -> None:
    asked = where_else(fix, reader=floor.tech)
    assert [place.station.code for place in asked.places] == ["T-A", "T-B", "T-C"]
    assert all(place.answer is None for place in asked.places)
    assert figures(fix, floor) == (0, 0, 3)


def test_each_answer_counts_and_is_in_the_timeline(floor: Floor, fix: Countermeasure) -> None:
    fixes.applies_elsewhere(fix.pk, by=floor.tech, station=at("T-A"), now=NOW)
    fixes.does_not_apply_elsewhere(fix.pk, by=floor.tech, station=at("T-B"), reason="Prints by hand", now=NOW)
    fixes.done_elsewhere(fix.pk, by=floor.tech, station=at("T-C"), evidence="8.4 pinned", now=NOW)
    assert figures(fix, floor) == (2, 1, 3)
    told = fix.incident.events.filter(kind=EventKind.COUNTERMEASURE).order_by("id")
    assert [event.data["did"] for event in told][-3:] == [
        "elsewhere_applies",
        "elsewhere_does_not_apply",
        "elsewhere_done",
    ]
    assert told.last() and "8.4 pinned" in told.latest("id").words


def test_applies_is_one_tap_the_owner_of_the_fix_does_it_in_two_weeks(
    floor: Floor, fix: Countermeasure
) -> None:
    task = fixes.applies_elsewhere(fix.pk, by=floor.tech, station=at("T-A"), now=NOW)
    assert (task.owner, task.due_on) == (floor.tech, NOW.date() + timedelta(days=14))


def test_another_owner_and_day_may_be_named_and_changed(floor: Floor, fix: Countermeasure) -> None:
    lead = floor.who(Role.IT_LEAD)
    for day in (3, 9):
        due = NOW.date() + timedelta(days=day)
        fixes.applies_elsewhere(fix.pk, by=floor.tech, station=at("T-A"), owner=lead, due_on=due, now=NOW)
    task = Elsewhere.objects.get()
    assert (task.owner, task.due_on) == (lead, due)


def test_the_owner_of_a_task_finishes_it_whatever_their_role(floor: Floor, fix: Countermeasure) -> None:
    fixes.applies_elsewhere(fix.pk, by=floor.tech, station=at("T-A"), owner=floor.operator, now=NOW)
    done = fixes.done_elsewhere(fix.pk, by=floor.operator, station=at("T-A"), evidence="Seen", now=NOW)
    assert (done.answer, done.owner) == (Answer.DONE, floor.operator)
    with pytest.raises(NotAllowed):
        fixes.done_elsewhere(fix.pk, by=floor.operator, station=at("T-B"), evidence="Seen", now=NOW)


def test_does_not_apply_needs_a_reason_and_done_needs_evidence(floor: Floor, fix: Countermeasure) -> None:
    for verb, word in (
        (fixes.does_not_apply_elsewhere, "reason"),
        (fixes.done_elsewhere, "evidence"),
    ):
        with pytest.raises(Invalid) as refusal:
            verb(fix.pk, by=floor.tech, station=at("T-A"), now=NOW, **{word: " "})  # type: ignore[operator, arg-type]
        assert refusal.value.fields is not None and list(refusal.value.fields) == [word]
    assert figures(fix, floor) == (0, 0, 3)


def test_the_same_answer_again_changes_nothing(floor: Floor, fix: Countermeasure) -> None:
    for _tap in range(2):
        fixes.done_elsewhere(fix.pk, by=floor.tech, station=at("T-A"), evidence="Seen", now=NOW)
    assert fix.incident.events.filter(data__did="elsewhere_done").count() == 1


def test_an_answer_may_be_changed_and_the_timeline_keeps_both(floor: Floor, fix: Countermeasure) -> None:
    fixes.does_not_apply_elsewhere(fix.pk, by=floor.tech, station=at("T-A"), reason="By hand", now=NOW)
    fixes.applies_elsewhere(fix.pk, by=floor.tech, station=at("T-A"), now=NOW)
    row = Elsewhere.objects.get()
    assert (row.answer, row.reason) == (Answer.APPLIES, "")
    assert fix.incident.events.filter(data__did__startswith="elsewhere").count() == 2


def test_a_stale_screen_is_refused(floor: Floor, fix: Countermeasure) -> None:
    seen = fresh(fix.incident).version
    fixes.applies_elsewhere(fix.pk, by=floor.tech, station=at("T-A"), seen_version=seen, now=NOW)
    with pytest.raises(Stale):
        fixes.applies_elsewhere(fix.pk, by=floor.tech, station=at("T-B"), seen_version=seen, now=NOW)


def test_only_stations_with_the_system_are_asked(floor: Floor, fix: Countermeasure) -> None:
    for code in ("T-D", floor.station.code):
        with pytest.raises(Invalid) as refusal:
            fixes.applies_elsewhere(fix.pk, by=floor.tech, station=at(code), now=NOW)
        assert refusal.value.code == "unknown_station"


def test_a_bandage_is_not_asked_nor_what_was_given_up(floor: Floor, label: System) -> None:
    incident = reach(floor, Status.CONTAINED)
    bandage = incident.countermeasures.containment().get()
    given_up = plan_fix(floor, incident)
    fixes.withdraw(given_up.pk, by=floor.tech, reason="Too dear", now=NOW)
    for found, code in ((bandage, "a_bandage"), (given_up, "wrong_status")):
        with pytest.raises(Refused) as refusal:
            fixes.applies_elsewhere(found.pk, by=floor.tech, station=at("T-A"), now=NOW)
        assert refusal.value.code == code


def test_of_several_systems_somebody_says_which_it_is_about(floor: Floor, fix: Countermeasure) -> None:
    scan = make_system("scan")
    floor.station.systems.add(scan)
    make_station("T-E", line=floor.line, systems=[scan])
    asked = where_else(fix, reader=floor.tech)
    assert (asked.system, len(asked.choices), asked.places) == (None, 2, [])
    with pytest.raises(Refused) as refusal:
        fixes.applies_elsewhere(fix.pk, by=floor.tech, station=at("T-E"), now=NOW)
    assert refusal.value.code == "no_system"
    found = fixes.choose_system(fix.pk, by=floor.tech, system=scan, now=NOW)
    assert [place.station.code for place in where_else(found, reader=floor.tech).places] == ["T-E"]
    with pytest.raises(Invalid):
        fixes.choose_system(fix.pk, by=floor.tech, system=make_system("erp"), now=NOW)


def test_the_system_of_the_incident_needs_no_choosing(floor: Floor, label: System) -> None:
    floor.station.systems.add(make_system("scan"))
    fix = plan_fix(floor, raise_(floor, station=floor.station, system=label))
    assert figures(fix, floor) == (0, 0, 3)


def test_other_sites_count_and_are_answered_only_by_who_works_there(
    floor: Floor, fix: Countermeasure, label: System
) -> None:
    harlow = make_floor(name="Harlow Plant")
    harlow.station.systems.add(label)
    asked = where_else(fix, reader=floor.tech)
    assert (len(asked.places), asked.hidden, asked.progress.total) == (3, 1, 4)
    with pytest.raises(NotAllowed):
        fixes.applies_elsewhere(fix.pk, by=floor.tech, station=at(harlow.station.code), now=NOW)
    give_role(floor.tech, Role.IT_TECH, site=harlow.site)
    both = type(floor.tech).objects.get(pk=floor.tech.pk)
    assert fixes.applies_elsewhere(fix.pk, by=both, station=at(harlow.station.code), now=NOW)


def test_an_owner_from_another_site_is_refused(floor: Floor, fix: Countermeasure) -> None:
    stranger = make_person("Stranger", site=make_floor().site)
    with pytest.raises(Invalid) as refusal:
        fixes.applies_elsewhere(fix.pk, by=floor.tech, station=at("T-A"), owner=stranger, now=NOW)
    assert refusal.value.code == "cannot_take"


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.IT_TECH, True),
        (Role.IT_LEAD, True),
        (Role.IT_MANAGER, True),
        (Role.TEAM_LEADER, True),
        (Role.SUPERVISOR, True),
        (Role.PRODUCTION_MANAGER, True),
        (Role.PLANT_MANAGER, True),
        (Role.SUPPORT, False),
        (Role.DEPT_MANAGER, False),
    ],
)
def test_who_plans_countermeasures_answers(floor: Floor, fix: Countermeasure, role: Role, may: bool) -> None:
    who = floor.who(role)
    if may:
        assert fixes.applies_elsewhere(fix.pk, by=who, station=at("T-A"), now=NOW)
    else:
        with pytest.raises(NotAllowed):
            fixes.applies_elsewhere(fix.pk, by=who, station=at("T-A"), now=NOW)


def test_a_role_for_one_area_answers_for_that_area_alone(
    floor: Floor, fix: Countermeasure, label: System
) -> None:
    paint = make_area(site=floor.site, name="Paint")
    make_station("T-P", line=make_line(area=paint), systems=[label])
    here = make_person("Area lead", roles=[Role.IT_LEAD], areas=[floor.area])
    assert fixes.applies_elsewhere(fix.pk, by=here, station=at("T-A"), now=NOW)
    with pytest.raises(NotAllowed):
        fixes.applies_elsewhere(fix.pk, by=here, station=at("T-P"), now=NOW)


def test_open_stations_do_not_keep_an_incident_open_and_are_answered_after_it_closed(
    floor: Floor, label: System
) -> None:
    """ADR 0091: closing asks whether it stays fixed here; the rest stays promised."""
    closed = reach(floor, Status.CLOSED)
    fix = closed.countermeasures.permanent().get()
    task = fixes.applies_elsewhere(fix.pk, by=floor.tech, station=at("T-A"), now=NOW)
    assert (fresh(closed).status, task.answer) == (Status.CLOSED, Answer.APPLIES)


def test_progress_of_many_takes_as_many_queries_as_of_one(
    floor: Floor, fix: Countermeasure, django_assert_max_num_queries: object
) -> None:
    more = [plan_fix(floor, fix.incident) for _n in range(4)]
    fixes.done_elsewhere(fix.pk, by=floor.tech, station=at("T-A"), evidence="Seen", now=NOW)
    incident = Incident.objects.numbered(fix.incident.number)
    for one in (fix, *more):
        one.incident = incident
    with django_assert_max_num_queries(4):  # type: ignore[operator]
        found = progress_of([fix, *more])
    assert (found[fix.pk].settled, found[fix.pk].total) == (1, 3)
    assert found[more[0].pk].unanswered == 3


def test_a_task_elsewhere_is_a_promise_kept_by_doing_it(floor: Floor, fix: Countermeasure) -> None:
    task = fixes.applies_elsewhere(fix.pk, by=floor.tech, station=at("T-A"), now=NOW)
    promise = Promise.objects.get(subject=f"where_else:{task.pk}")
    assert (promise.person, promise.due_on, promise.outcome) == (floor.tech, task.due_on, Outcome.OPEN)
    fixes.done_elsewhere(fix.pk, by=floor.tech, station=at("T-A"), evidence="Seen", now=NOW)
    promise.refresh_from_db()
    assert promise.outcome == Outcome.KEPT


def test_giving_the_fix_up_gives_up_what_was_promised_elsewhere(floor: Floor, fix: Countermeasure) -> None:
    task = fixes.applies_elsewhere(fix.pk, by=floor.tech, station=at("T-A"), now=NOW)
    fixes.withdraw(fix.pk, by=floor.tech, reason="Too dear", now=NOW)
    assert Promise.objects.get(subject=f"where_else:{task.pk}").outcome == Outcome.WITHDRAWN


def test_the_database_keeps_the_rules_too(floor: Floor, fix: Countermeasure) -> None:
    whole = {"countermeasure": fix, "station": at("T-A"), "answered_by": floor.tech, "answered_at": NOW}
    for wrong in (
        {"answer": Answer.APPLIES},
        {"answer": Answer.DOES_NOT_APPLY},
        {"answer": Answer.DONE},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Elsewhere.objects.create(**whole, **wrong)
    Elsewhere.objects.create(**whole, answer=Answer.DONE, evidence="Seen")
    with pytest.raises(ProtectedError):
        at("T-A").delete()
