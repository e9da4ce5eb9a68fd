"""Which policy applies, and publishing a new version."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from escalation.defaults import DEFAULT_CLOCKS
from escalation.models import Policy
from escalation.policies import PolicyBook, ensure_policies, publish, withdraw
from incidents.models import Severity
from opsdesk.errors import Invalid, NotAllowed, Refused, Stale
from plant.models import Person, Role
from tests import factories as make
from tests.incidents.test_two_at_once import at_once

pytestmark = pytest.mark.django_db


def test_an_installation_without_demo_data_has_a_policy_for_each_severity():
    assert set(Policy.objects.current().values_list("severity", flat=True)) == set(Severity.values)


def test_a_policy_that_is_missing_comes_back_and_the_others_are_left_alone(world):
    Policy.objects.filter(severity="S2").delete()
    publish(by=world["hutchins"], severity="S1", clocks=DEFAULT_CLOCKS["S1"], why="Same again")
    ensure_policies()
    ensure_policies()
    assert Policy.objects.current().count() == 4
    assert Policy.objects.current().get(severity="S1").version == 2


def test_the_most_specific_policy_wins(world):
    incident = world.raise_it("stopped")
    clocks = DEFAULT_CLOCKS["S1"]
    default = PolicyBook.load().of(incident)
    site = publish(by=None, severity="S1", clocks=clocks, why="site", site=world.site)
    assert PolicyBook.load().of(incident) == site
    area = publish(by=None, severity="S1", clocks=clocks, why="area", area=world.area)
    assert PolicyBook.load().of(incident) == area
    assert area.site == world.site
    category = publish(by=None, severity="S1", clocks=clocks, why="category", category=world.category)
    assert PolicyBook.load().of(incident) == category
    elsewhere = make.make_area()
    book = PolicyBook.load()
    assert book.policy("S1", site_id=elsewhere.site_id, area_id=elsewhere.pk) == default


def test_publishing_makes_a_new_version_with_who_and_why(world):
    old = Policy.objects.current().get(severity="S1")
    new = publish(by=world["hutchins"], severity="S1", clocks=DEFAULT_CLOCKS["S1"], why=" Too late at night ")
    old.refresh_from_db()
    assert (new.version, new.published_by, new.why) == (2, world["hutchins"], "Too late at night")
    assert (old.is_current, new.is_current) == (False, True)


@pytest.mark.parametrize("who", ["vela", "brandt", "tillery", "okafor"])
def test_only_an_it_manager_publishes(world, who):
    with pytest.raises(NotAllowed):
        publish(by=world[who], severity="S1", clocks=DEFAULT_CLOCKS["S1"], why="Because")


def test_an_it_manager_of_another_site_does_not_publish_here(world):
    with pytest.raises(NotAllowed):
        publish(
            by=world["hutchins"], severity="S1", clocks=DEFAULT_CLOCKS["S1"], why="No", site=make.make_site()
        )


def republish(by, **scope):
    return publish(by=by, severity="S1", clocks=DEFAULT_CLOCKS["S1"], why="Same again", **scope)


def test_what_holds_at_every_site_is_published_by_who_manages_every_site(world):
    """With one site that is its IT manager; with a second one it takes the role for both, or for all."""
    republish(world["hutchins"])
    other = make.make_site()
    for category in (None, world.category):
        with pytest.raises(NotAllowed) as refused:
            republish(world["hutchins"], category=category)
        assert refused.value.code == "every_site"
    assert republish(world["hutchins"], site=world.site, category=world.category).version == 1
    make.give_role(world["hutchins"], Role.IT_MANAGER, site=other)
    for name in (world["hutchins"].pk, make.make_person("All", roles=[Role.IT_MANAGER], corporate=True).pk):
        republish(Person.objects.get(pk=name))
    assert Policy.objects.current().get(severity="S1", site=None).version == 4


def test_who_manages_some_areas_publishes_for_those(world):
    mine, other = world.area, make.make_area(site=world.site)
    manager = make.make_person("Paint", roles=[Role.IT_MANAGER], areas=[mine])
    assert republish(manager, area=mine).area == mine
    for scope, code in (
        ({"area": other}, "wrong_role"),
        ({"site": world.site}, "whole_site"),
        ({}, "every_site"),
    ):
        with pytest.raises(NotAllowed) as refused:
            republish(manager, **scope)
        assert refused.value.code == code


def test_a_reason_is_needed(world):
    with pytest.raises(Invalid) as refused:
        publish(by=world["hutchins"], severity="S1", clocks=DEFAULT_CLOCKS["S1"], why="  ")
    assert refused.value.code == "no_reason"


def test_a_policy_cannot_name_somebody_who_is_not_here(world):
    step = {"after": 0, "roles": [], "people": ["vela", "nobody"], "channels": ["sms"]}
    with pytest.raises(Invalid, match="nobody"):
        publish(
            by=world["hutchins"],
            severity="S1",
            clocks={**DEFAULT_CLOCKS["S1"], "response": [step]},
            why="Name them",
        )


def test_a_bad_policy_is_refused_and_the_old_one_stays(world):
    with pytest.raises(Invalid):
        publish(
            by=world["hutchins"], severity="S1", clocks={**DEFAULT_CLOCKS["S1"], "closure": []}, why="Quiet"
        )
    assert Policy.objects.current().get(severity="S1").version == 1


def test_only_one_version_is_in_force():
    old = Policy.objects.current().get(severity="S1")
    with pytest.raises(IntegrityError), transaction.atomic():
        Policy.objects.create(severity="S1", version=7, clocks=old.clocks)


# --- taking an override back ---


def test_an_override_that_is_taken_back_holds_no_more_and_says_who_and_why(world):
    incident = world.raise_it("stopped")
    wrong = republish(world["hutchins"], area=world.area)
    assert PolicyBook.load().of(incident) == wrong
    withdraw(wrong, by=world["hutchins"], why=" Wrong area ", seen_version=1, now=world.now)
    usual = publish(by=None, severity="S1", clocks=DEFAULT_CLOCKS["S1"], why="Later, everywhere")
    assert PolicyBook.load().of(incident) == usual
    wrong.refresh_from_db()
    assert (wrong.is_current, wrong.withdrawn_by, wrong.withdrawn_why) == (
        False,
        world["hutchins"],
        "Wrong area",
    )
    assert wrong.withdrawn_at == world.now


def test_a_later_override_there_goes_on_with_the_numbers(world):
    for version in (1, 2, 3):
        made = republish(world["hutchins"], area=world.area, seen_version=0)
        assert made.version == version
        withdraw(made, by=world["hutchins"], why="Not needed")


def test_what_is_running_keeps_the_override_it_started_under(world, advance):
    mine = republish(world["hutchins"], area=world.area)
    incident = world.raise_it("stopped")
    advance(minutes=1)
    withdraw(mine, by=world["hutchins"], why="Wrong area")
    advance(minutes=6)
    incident.run.refresh_from_db()
    assert incident.run.policy == mine


def test_without_the_override_of_an_area_that_of_its_site_holds(world):
    incident = world.raise_it("stopped")
    site = republish(world["hutchins"], site=world.site)
    withdraw(republish(world["hutchins"], area=world.area), by=world["hutchins"], why="As the site")
    assert PolicyBook.load().of(incident) == site


def test_what_holds_everywhere_is_never_taken_back(world):
    usual = Policy.objects.current().get(severity="S1")
    with pytest.raises(Refused) as refused:
        withdraw(usual, by=world["hutchins"], why="Enough")
    assert refused.value.code == "holds_everywhere"
    with pytest.raises(IntegrityError), transaction.atomic():
        Policy.objects.filter(pk=usual.pk).update(
            is_current=False, withdrawn_at=world.now, withdrawn_why="Enough"
        )


def test_who_may_not_publish_there_takes_nothing_back(world):
    mine = republish(world["hutchins"], site=world.site)
    areas = make.make_person("Paint", roles=[Role.IT_MANAGER], areas=[world.area])
    for person in (world["tillery"], areas):
        with pytest.raises(NotAllowed):
            withdraw(mine, by=person, why="No")
    with pytest.raises(Invalid):
        withdraw(mine, by=world["hutchins"], why="  ")
    assert Policy.objects.current().filter(pk=mine.pk).exists()


def test_who_takes_back_what_is_not_in_force_any_more_is_refused(world):
    first = republish(world["hutchins"], area=world.area)
    second = republish(world["hutchins"], area=world.area)
    for old, seen in ((first, None), (first, 1), (second, 1)):
        with pytest.raises(Stale):
            withdraw(old, by=world["hutchins"], why="Wrong area", seen_version=seen)
    withdraw(second, by=world["hutchins"], why="Wrong area", seen_version=2)
    with pytest.raises(Stale):
        withdraw(second, by=world["hutchins"], why="Wrong area")


def test_who_publishes_after_it_was_taken_back_is_told_so(world):
    withdraw(republish(world["hutchins"], area=world.area), by=world["hutchins"], why="Wrong area")
    with pytest.raises(Stale):
        republish(world["hutchins"], area=world.area, seen_version=1)


def test_nothing_is_taken_back_when_what_would_hold_then_leaves_somebody_in_silence(world):
    mine = republish(world["hutchins"], area=world.area)
    old = {**DEFAULT_CLOCKS["S1"], "closure": []}  # published before it was asked for
    Policy.objects.filter(severity="S1", site=None).update(clocks=old)
    with pytest.raises(Refused) as refused:
        withdraw(mine, by=world["hutchins"], why="Wrong area")
    assert refused.value.code == "would_be_silent" and refused.value.status == 409
    assert Policy.objects.current().filter(pk=mine.pk).exists()


def test_nothing_is_taken_back_when_the_only_one_who_could_take_it_then_has_left(world):
    mine = republish(world["hutchins"], area=world.area)
    first = {**DEFAULT_CLOCKS["S1"]["response"][0], "roles": [], "people": ["vela"]}
    Policy.objects.filter(severity="S1", site=None).update(
        clocks={**DEFAULT_CLOCKS["S1"], "response": [first]}
    )
    world["vela"].is_active = False
    world["vela"].save()
    with pytest.raises(Refused, match="could take it"):
        withdraw(mine, by=world["hutchins"], why="Wrong area")


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_it_back_at_once_one_does(world):
    mine = republish(world["hutchins"], area=world.area)
    results = at_once(*[lambda: withdraw(mine, by=world["hutchins"], why="Wrong area")] * 2)
    assert [isinstance(one, Stale) for one in results].count(True) == 1
    assert Policy.objects.exclude(withdrawn_at=None).count() == 1
