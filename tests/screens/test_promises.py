"""The ledger: everybody sees the team's numbers and what is open; rows of persons, only who may."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from countermeasures import lifecycle as fixes
from countermeasures.models import Promise
from countermeasures.promises import lifecycle as promises
from countermeasures.promises.access import people_seen
from countermeasures.promises.ledger import Asked, ledger
from countermeasures.promises.models import PromiseKind
from plant.models import Person, Role
from tests.factories import Floor, make_person, make_site, plan_fix, raise_

ALL = {"tech", "specialist", "lead", "leader", "supervisor", "operator", "production", "manager", "director"}
IT = {"tech", "specialist", "lead"}


@pytest.fixture
def people(floor: Floor) -> dict[str, Person]:
    roles = {
        "tech": Role.IT_TECH,
        "specialist": Role.IT_SPECIALIST,
        "lead": Role.IT_LEAD,
        "leader": Role.TEAM_LEADER,
        "supervisor": Role.SUPERVISOR,
        "production": Role.PRODUCTION_MANAGER,
        "materials": Role.MATERIALS_MANAGER,
        "manager": Role.IT_MANAGER,
        "plant": Role.PLANT_MANAGER,
        "director": Role.IT_DIRECTOR,
        "dept": Role.DEPT_MANAGER,
        "support": Role.SUPPORT,
    }
    found = {name: floor.who(role) for name, role in roles.items()}
    return found | {"operator": floor.operator}


SEES = [
    ("operator", {"operator"}),
    ("leader", {"leader"}),
    ("tech", {"tech"}),
    ("specialist", {"specialist"}),
    ("support", {"support"}),
    ("dept", {"dept"}),
    ("lead", IT),
    ("supervisor", {"supervisor", "leader", "operator"}),
    ("production", None),
    ("materials", None),
    ("manager", None),
    ("plant", None),
    ("director", None),
]
"""By role: whose rows; None for everybody of the site."""


@pytest.mark.parametrize(("who", "whose"), SEES)
def test_each_role_sees_the_rows_that_domain_6_gives_it(
    people: dict[str, Person], floor: Floor, who: str, whose: set[str] | None
) -> None:
    seen = set(people_seen(people[who], floor.site))
    wanted = set(people.values()) if whose is None else {people[name] for name in whose}
    assert seen == wanted


def promise_by(floor: Floor, person: Person, *, days: int = 3) -> Promise:
    now = timezone.now()
    day = now.astimezone(floor.site.tz).date() + timedelta(days=days)
    checker = floor.who(Role.PLANT_MANAGER)
    found = plan_fix(floor, raise_(floor, now=now), owner=person, checker=checker, due_on=day, now=now)
    return Promise.objects.get(countermeasure=found, kind=PromiseKind.FIX)


def page(reader: Person, address: str = "/promises/") -> str:
    client = Client()
    client.force_login(reader)
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(("who", "whose"), SEES)
def test_the_page_has_a_row_for_those_and_the_open_list_for_everybody(
    people: dict[str, Person], floor: Floor, who: str, whose: set[str] | None
) -> None:
    promise_by(floor, people["tech"])
    said = page(people[who])
    rows = said.count('<span class="person">')
    assert rows == (1 if whose is None or "tech" in whose else 0)
    assert "Pin the driver of the print server" in said


def test_the_filters_show_what_is_due_and_what_has_passed(floor: Floor) -> None:
    soon, later = promise_by(floor, floor.tech), promise_by(floor, floor.tech, days=20)
    passed = promise_by(floor, floor.tech, days=30)
    Promise.objects.filter(pk=passed.pk).update(due_at=timezone.now() - timedelta(hours=1))
    now = timezone.now()

    def shown(show: str) -> set[int]:
        found = ledger(Asked(show), site=floor.site, reader=floor.manager, now=now).found
        return {one.pk for one in found}

    assert shown("open") == {soon.pk, later.pk, passed.pk}
    assert (shown("week"), shown("passed"), shown("kept")) == ({soon.pk}, {passed.pk}, set())


def test_the_team_s_numbers_count_how_promises_ended(floor: Floor) -> None:
    now = timezone.now()
    for moved in (False, True):
        promise = promise_by(floor, floor.tech)
        if moved:
            day = now.date() + timedelta(days=9)
            promises.agree_new_date(
                promise.pk, by=floor.tech, due_on=day, reason="Part", in_the_way="part", now=now
            )
        fixes.put_in_place(promise.countermeasure_id or 0, by=floor.tech, evidence="Seen", now=now)
    found = ledger(Asked(), site=floor.site, reader=floor.manager, now=now + timedelta(minutes=1))
    assert (found.numbers.kept, found.numbers.by_agreement, found.numbers.finished_late) == (1, 1, 0)
    assert [(bar.label, bar.count, bar.width) for bar in found.bars] == [("A part or a delivery", 1, 1000)]
    assert "2 of 2 promises kept" in page(floor.manager)


def test_another_site_is_not_shown(floor: Floor) -> None:
    promise_by(floor, floor.tech)
    stranger = make_person("Stranger", roles=[Role.PRODUCTION_MANAGER], site=make_site())
    assert "Pin the driver" not in page(stranger, f"/promises/?site={floor.site.code}")


def test_the_ledger_takes_the_same_queries_however_much_is_promised(floor: Floor) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as taken:
            ledger(Asked(), site=floor.site, reader=floor.manager, now=timezone.now())
        return len(taken)

    promise_by(floor, floor.tech)
    queries()  # the reader's roles are read once
    few = queries()
    for person in (floor.tech, floor.supervisor, floor.who(Role.IT_LEAD)):
        promise_by(floor, person)
    assert queries() == few <= 9


def test_what_a_person_carries_stands_beside_what_they_are_asked_to_promise(floor: Floor) -> None:
    promise = promise_by(floor, floor.tech)
    said = page(floor.who(Role.IT_LEAD), f"/countermeasures/{promise.countermeasure_id}/start/")
    assert "IT technician · 1 open, 1 in two weeks" in said
    assert "Production manager · " not in said


def test_my_work_lists_what_i_promised_with_the_page_that_keeps_or_moves_it(floor: Floor) -> None:
    promise = promise_by(floor, floor.tech)
    assert f'href="/promises/{promise.pk}/"' in page(floor.tech, "/work/")
    said = page(floor.tech, f"/promises/{promise.pk}/")
    assert "It is done" in said and "Agree this date" in said


def test_a_promise_of_another_site_has_no_page(floor: Floor) -> None:
    promise = promise_by(floor, floor.tech)
    client = Client()
    client.force_login(make_person("Stranger", roles=[Role.IT_MANAGER], site=make_site()))
    assert client.get(f"/promises/{promise.pk}/").status_code == 404


def test_team_and_kind_narrow_the_list_and_stay_in_the_address(floor: Floor) -> None:
    of_it = promise_by(floor, floor.tech)
    of_floor = promise_by(floor, floor.who(Role.TEAM_LEADER))
    now = timezone.now()

    def shown(**asked: str) -> set[int]:
        found = ledger(Asked(**asked), site=floor.site, reader=floor.manager, now=now)
        assert found.numbers.open == len(found.found)
        return {one.pk for one in found.found}

    assert shown(team="it") == {of_it.pk}
    assert shown(team="production") == {of_floor.pk}
    assert shown(kind=PromiseKind.FIX) == {of_it.pk, of_floor.pk}
    assert shown(kind=PromiseKind.REVIEW) == set()
    said = page(floor.manager, "/promises/?team=it&kind=fix&show=week")
    assert 'href="/promises/?show=passed&amp;team=it&amp;kind=fix"' in said
    assert '<option value="it" selected>' in said
    assert "Nothing fits" in page(floor.manager, "/promises/?team=materials")


def test_a_row_tells_of_the_person_whatever_the_list_is_narrowed_to(floor: Floor) -> None:
    promise_by(floor, floor.tech)
    promise_by(floor, floor.tech, days=20)
    rows = ledger(Asked(kind=PromiseKind.FIX), site=floor.site, reader=floor.manager, now=timezone.now()).rows
    assert [(row.person, len(row.last), row.carried.open) for row in rows] == [(floor.tech, 2, 2)]
    none = ledger(Asked(team="materials"), site=floor.site, reader=floor.manager, now=timezone.now()).rows
    assert none == []


def test_the_page_of_a_promise_names_the_days_it_was_given_for_before(floor: Floor) -> None:
    promise = promise_by(floor, floor.tech)
    assert promise.due_on is not None
    later = promise.due_on + timedelta(days=4)
    promises.agree_new_date(
        promise.pk, by=floor.tech, due_on=later, reason="Held up in customs", in_the_way="part"
    )
    said = page(floor.tech, f"/promises/{promise.pk}/")
    assert (
        f"<dd>{promise.due_on:%a} {promise.due_on.day} {promise.due_on:%b}. Held up in customs</dd>" in said
    )
