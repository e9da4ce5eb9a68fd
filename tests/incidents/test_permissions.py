"""Every cell of the table in domain §6, asked of the verbs themselves: forgetful screens change nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from countermeasures import lifecycle as fixes
from escalation import policies
from escalation.defaults import DEFAULT_CLOCKS
from incidents import lifecycle
from incidents.models import Event, Incident, Status
from incidents.permissions import ALLOWED, Action, can
from opsdesk.errors import NotAllowed
from plant.models import Person, Role
from tests.factories import (
    NOW,
    Floor,
    give_role,
    make_area,
    make_floor,
    make_line,
    make_person,
    make_site,
    make_station,
    place_fix,
    plan_fix,
    raise_,
    reach,
)

OPERATOR = "operator"
IT = {Role.IT_TECH, Role.IT_SPECIALIST, Role.IT_LEAD, Role.IT_MANAGER}
MANAGERS = {Role.PRODUCTION_MANAGER, Role.MATERIALS_MANAGER}
EVERYBODY = {OPERATOR, *Role}

TABLE: dict[str, set[Any]] = {
    "raise": EVERYBODY,
    "add words": EVERYBODY,
    "add photos": EVERYBODY,
    "acknowledge": IT,
    "arrive": IT,
    "update": IT,
    "ask for help": IT | MANAGERS | {Role.PLANT_MANAGER},
    "wait": IT,
    "contain": IT,
    "resolve": IT,
    "assign others": {Role.IT_LEAD, Role.IT_MANAGER},
    "confirm production runs": {
        OPERATOR,
        Role.TEAM_LEADER,
        Role.SUPERVISOR,
        *MANAGERS,
        Role.PLANT_MANAGER,
    },
    "reopen": {OPERATOR, Role.TEAM_LEADER, Role.SUPERVISOR, *MANAGERS, Role.PLANT_MANAGER},
    "floor call": {*MANAGERS, Role.PLANT_MANAGER},
    "extend containment": {*MANAGERS, Role.PLANT_MANAGER},
    "waive": {*MANAGERS, Role.PLANT_MANAGER},
    "accept no fix": {*MANAGERS, Role.PLANT_MANAGER},
    "shelve": {*MANAGERS, Role.PLANT_MANAGER},
    "check effectiveness": {*IT, Role.SUPERVISOR, *MANAGERS},
    "policies": {Role.IT_MANAGER},
}
"""Who may, as the page says. Without any role one is an operator; roles it does not name only raise."""


def _raise(floor: Floor, by: Person) -> None:
    raise_(floor, by=by)


def _words(floor: Floor, by: Person) -> None:
    lifecycle.add_words(raise_(floor).number, by=by, words="It smokes")


def _photo(floor: Floor, by: Person) -> None:
    image = SimpleUploadedFile("label.png", b"\x89PNG")
    lifecycle.add_photo(raise_(floor).number, by=by, image=image)


def _acknowledge(floor: Floor, by: Person) -> None:
    lifecycle.acknowledge(raise_(floor).number, by=by)


def _arrive(floor: Floor, by: Person) -> None:
    lifecycle.arrive(raise_(floor).number, by=by)


def _update(floor: Floor, by: Person) -> None:
    number = reach(floor, Status.ACKNOWLEDGED).number
    lifecycle.post_update(number, by=by, conditions="No labels", actions="Swapping", needs="No needs")


def _ask_help(floor: Floor, by: Person) -> None:
    helper = make_person("The one who helps", roles=[Role.IT_SPECIALIST], site=floor.site)
    lifecycle.ask_help(reach(floor, Status.ACKNOWLEDGED).number, by=by, who=helper)


def _wait(floor: Floor, by: Person) -> None:
    until = NOW + timedelta(hours=1)
    lifecycle.wait_on(raise_(floor).number, by=by, on="part", name="Fuser", until=until, now=NOW)


def _contain(floor: Floor, by: Person) -> None:
    lifecycle.contain(reach(floor, Status.ACKNOWLEDGED).number, by=by, what="Spare printer")


def _resolve(floor: Floor, by: Person) -> None:
    incident = reach(floor, Status.CONTAINED)
    place_fix(floor, incident)
    lifecycle.resolve(incident.number, by=by)


def _assign(floor: Floor, by: Person) -> None:
    lifecycle.assign(raise_(floor).number, by=by, to=floor.tech)


def _confirm(floor: Floor, by: Person) -> None:
    lifecycle.confirm_running(reach(floor, Status.CONTAINED).number, by=by)


def _reopen(floor: Floor, by: Person) -> None:
    lifecycle.reopen(reach(floor, Status.CONTAINED).number, by=by, reason="Blank again")


def _floor_call(floor: Floor, by: Person) -> None:
    lifecycle.change_severity(raise_(floor).number, by=by, severity="S2", reason="Buffer is full")


def _extend(floor: Floor, by: Person) -> None:
    bandage = reach(floor, Status.CONTAINED).countermeasures.get()
    fixes.extend(bandage.pk, by=by, expires_on=date(2026, 3, 20), reason="Part is late", now=NOW)


def _waive(floor: Floor, by: Person) -> None:
    weak = plan_fix(floor, reach(floor, Status.CONTAINED), strength="train")
    fixes.waive(weak.pk, by=by, reason="The line ends in May")


def _no_fix(floor: Floor, by: Person) -> None:
    number = reach(floor, Status.CONTAINED).number
    lifecycle.accept_no_fix(number, by=by, reason="x", review_on=date(2026, 5, 1), now=NOW)


def _shelve(floor: Floor, by: Person) -> None:
    until = NOW + timedelta(hours=1)
    lifecycle.shelve(raise_(floor).number, by=by, until=until, reason="Planned stop", now=NOW)


def _check(floor: Floor, by: Person) -> None:
    owner = make_person("Somebody else", roles=[Role.IT_TECH], site=floor.site)
    fix = place_fix(floor, reach(floor, Status.CONTAINED), owner=owner, checker=floor.who(Role.IT_LEAD))
    later = NOW + timedelta(days=31)
    fixes.check(fix.pk, by=by, effective=True, measured="No stops", now=later)


def _publish(floor: Floor, by: Person) -> None:
    policies.publish(by=by, severity="S1", clocks=DEFAULT_CLOCKS["S1"], why="x", site=floor.site)


DO: dict[str, Callable[[Floor, Person], None]] = {
    "raise": _raise,
    "add words": _words,
    "add photos": _photo,
    "acknowledge": _acknowledge,
    "arrive": _arrive,
    "update": _update,
    "ask for help": _ask_help,
    "wait": _wait,
    "contain": _contain,
    "resolve": _resolve,
    "assign others": _assign,
    "confirm production runs": _confirm,
    "reopen": _reopen,
    "floor call": _floor_call,
    "extend containment": _extend,
    "waive": _waive,
    "accept no fix": _no_fix,
    "shelve": _shelve,
    "check effectiveness": _check,
    "policies": _publish,
}


def one(floor: Floor, role: Any) -> Person:
    """Somebody who did nothing else in the test: a person with this one role, or none."""
    roles = [] if role == OPERATOR else [role]
    return make_person("The one who asks", roles=roles, site=floor.site)


@pytest.fixture(autouse=True)
def _photos_elsewhere(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.mark.parametrize("role", [OPERATOR, *Role], ids=str)
@pytest.mark.parametrize("action", TABLE)
def test_a_role_may_do_what_the_table_says_and_nothing_else(floor: Floor, action: str, role: Any) -> None:
    person = one(floor, role)
    if role in TABLE[action]:
        DO[action](floor, person)
        return
    with pytest.raises(NotAllowed) as refusal:
        DO[action](floor, person)
    assert (refusal.value.code, refusal.value.status) == ("wrong_role", 403)
    assert not Event.objects.filter(by=person).exists()


@pytest.mark.parametrize("action", [action for action in TABLE if action != "policies"])
def test_nobody_does_anything_at_a_site_they_do_not_work_for(floor: Floor, action: str) -> None:
    stranger = make_person("Visitor", roles=list(Role), site=make_site())
    with pytest.raises(NotAllowed) as refusal:
        DO[action](floor, stranger)
    assert (refusal.value.code, refusal.value.status) == ("wrong_site", 403)


@pytest.mark.parametrize("action", TABLE)
def test_a_corporate_role_reaches_every_site(floor: Floor, action: str) -> None:
    everywhere = make_person("Everywhere", corporate=True, roles=list(Role), site=make_site())
    DO[action](floor, everywhere)


@pytest.mark.parametrize("action", [action for action in TABLE if action != "policies"])
def test_somebody_who_left_does_nothing(floor: Floor, action: str) -> None:
    gone = make_person("Gone", roles=list(Role), site=floor.site, is_active=False)
    with pytest.raises(NotAllowed):
        DO[action](floor, gone)


SCOPED = ["confirm production runs", "reopen", "acknowledge", "floor call", "check effectiveness"]


@pytest.mark.parametrize("action", SCOPED)
def test_a_role_for_some_areas_ends_at_their_edge(floor: Floor, action: str) -> None:
    roles = [Role.SUPERVISOR, Role.IT_TECH, Role.PRODUCTION_MANAGER]
    elsewhere = make_person("Paint", roles=roles, areas=[make_area(site=floor.site)])
    with pytest.raises(NotAllowed) as refusal:
        DO[action](floor, elsewhere)
    assert refusal.value.code == "wrong_role"
    DO[action](floor, make_person("Assembly", roles=roles, areas=[floor.area]))


def test_outside_their_areas_people_still_raise_and_add_words(floor: Floor) -> None:
    elsewhere = make_person("Paint", roles=[Role.SUPERVISOR], areas=[make_area(site=floor.site)])
    DO["raise"](floor, elsewhere)
    DO["add words"](floor, elsewhere)


def test_a_role_at_another_site_does_not_count_at_ones_own(floor: Floor) -> None:
    person = make_person("Lends a hand elsewhere", site=floor.site)
    give_role(person, Role.IT_LEAD, site=make_site())
    with pytest.raises(NotAllowed) as refusal:
        DO["assign others"](floor, person)
    assert refusal.value.code == "wrong_role"


def test_somebody_with_a_role_is_no_operator(floor: Floor) -> None:
    """Support and department managers raise; only a person without any role answers for the floor."""
    for role in (Role.SUPPORT, Role.DEPT_MANAGER, Role.IT_DIRECTOR):
        assert not can(floor.who(role), Action.CONFIRM, reach(floor, Status.CONTAINED))


def test_two_roles_may_do_what_either_may(floor: Floor) -> None:
    person = make_person("Both", roles=[Role.IT_TECH, Role.SUPERVISOR], site=floor.site)
    DO["acknowledge"](floor, person)
    DO["reopen"](floor, person)


def test_a_system_without_an_area_is_for_everybody_with_the_role(floor: Floor) -> None:
    person = make_person("Paint", roles=[Role.IT_TECH], areas=[make_area(site=floor.site)])
    incident = raise_(floor, area=floor.area)
    Incident.objects.filter(pk=incident.pk).update(area=None)
    assert lifecycle.acknowledge(incident.number, by=person).owner == person


def test_people_see_the_incidents_of_their_sites_only(floor: Floor) -> None:
    other = make_floor()
    here, there = raise_(floor), raise_(other)
    both = make_person("Both", roles=[Role.IT_TECH], site=floor.site)
    give_role(both, Role.IT_TECH, site=other.site)
    corporate = make_person("Everywhere", roles=[Role.IT_DIRECTOR], corporate=True)
    seen = Incident.objects.visible_to
    assert set(seen(floor.operator)) == {here}
    assert set(seen(both)) == set(seen(corporate)) == {here, there}
    assert not seen(make_person("Nobody's")).exists()


def test_every_action_is_in_the_table() -> None:
    assert set(ALLOWED) == set(Action)


@pytest.mark.parametrize("role", [OPERATOR, Role.SUPPORT, Role.IT_DIRECTOR, Role.DEPT_MANAGER], ids=str)
def test_planning_is_for_those_who_work_on_it_or_run_the_floor(floor: Floor, role: Any) -> None:
    incident = reach(floor, Status.CONTAINED)
    with pytest.raises(NotAllowed):
        fixes.add(incident.number, by=one(floor, role), kind="permanent", what="Pin the driver")
    with pytest.raises(NotAllowed):
        fixes.write_cause(incident.number, by=one(floor, role), root_cause="x", escape_cause="")


def test_a_station_of_another_site_stays_raised_by_its_own_people(floor: Floor) -> None:
    far = make_station(line=make_line(area=make_area(site=make_site())))
    with pytest.raises(NotAllowed):
        raise_(floor, station=far)
