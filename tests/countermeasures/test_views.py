"""The forms behind the countermeasure verbs: shown, done, refused in words, with what was typed kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from countermeasures import lifecycle as fixes
from countermeasures.models import Cause, Countermeasure, Stage
from countermeasures.offers import offers
from countermeasures.views import VERBS
from incidents import lifecycle
from incidents.models import Incident, Status
from plant.models import Role
from tests.factories import Floor, fresh, make_person, make_site, place_fix, plan_fix, raise_, reach
from tests.screens.reading import words

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Target": "do"}


@pytest.fixture
def tech(client: Client, floor: Floor) -> Client:
    client.force_login(floor.tech)
    return client


def as_(floor: Floor, role: Role) -> Client:
    client = Client()
    client.force_login(floor.who(role))
    return client


def at(found: Countermeasure, verb: str) -> str:
    return f"/countermeasures/{found.pk}/{verb}/"


def again(found: Countermeasure) -> Countermeasure:
    return Countermeasure.objects.get(pk=found.pk)


def bandage(incident: Incident) -> Countermeasure:
    return incident.countermeasures.get(kind="containment")


def today() -> Any:
    return timezone.now().date()


def contained(floor: Floor) -> Incident:
    """Contained just now, so that days count from today."""
    incident = raise_(floor, now=timezone.now())
    lifecycle.acknowledge(incident.number, by=floor.tech)
    return lifecycle.contain(incident.number, by=floor.tech, what="Spare printer")


# -- each verb does what it says


def test_adding_one_with_an_owner_and_a_day_promises_it(tech: Client, floor: Floor) -> None:
    incident = contained(floor)
    address = f"/incidents/{incident.number}/countermeasures/add/"
    assert "Add a countermeasure" in words(tech.get(address))
    response = tech.post(
        address,
        {
            "kind": "permanent",
            "what": "Pin the driver",
            "owner": floor.tech.pk,
            "due_on": today() + timedelta(days=3),
            "strength": "prevent",
            "seen_version": incident.version,
        },
    )
    assert response.headers["Location"] == incident.get_absolute_url()
    added = incident.countermeasures.get(kind="permanent")
    assert (added.stage, added.owner, added.strength) == (Stage.IN_WORK, floor.tech, "prevent")


def test_a_bandage_that_should_stay_too_long_is_refused_at_its_field(tech: Client, floor: Floor) -> None:
    incident = contained(floor)
    response = tech.post(
        f"/incidents/{incident.number}/countermeasures/add/",
        {"kind": "containment", "what": "Tape over it", "expires_on": today() + timedelta(days=90)},
    )
    assert response.status_code == 400
    assert "A bandage is good until" in words(response)
    assert "Tape over it" in response.content.decode()
    assert incident.countermeasures.filter(what="Tape over it").count() == 0


def test_promising_names_an_owner_and_a_day(tech: Client, floor: Floor) -> None:
    incident = contained(floor)
    found = fixes.add(incident.number, by=floor.tech, kind="permanent", what="Pin the driver")
    tech.post(at(found, "start"), {"owner": floor.tech.pk, "due_on": today() + timedelta(days=5)})
    assert (again(found).stage, again(found).due_on) == (Stage.IN_WORK, today() + timedelta(days=5))


def test_the_check_is_planned_with_somebody_else(tech: Client, floor: Floor) -> None:
    incident = contained(floor)
    found = fixes.add(incident.number, by=floor.tech, kind="permanent", what="Pin it", owner=floor.tech)
    asked = {"metric": "Queue stops", "target": "None", "window_days": 30}
    response = tech.post(at(found, "plan-check"), asked | {"checker": floor.tech.pk})
    assert response.status_code >= 400 and "Queue stops" in response.content.decode()
    tech.post(at(found, "plan-check"), asked | {"checker": floor.supervisor.pk})
    assert (again(found).checker, again(found).window_days) == (floor.supervisor, 30)


def test_putting_it_in_place_starts_the_proof(tech: Client, floor: Floor) -> None:
    found = plan_fix(floor, contained(floor), now=timezone.now())
    tech.post(at(found, "in-place"), {"evidence": "8.4 is pinned"})
    assert (again(found).stage, again(found).evidence) == (Stage.CHECKING, "8.4 is pinned")


def test_in_place_without_a_planned_check_says_what_is_missing_and_keeps_the_words(
    tech: Client, floor: Floor
) -> None:
    incident = contained(floor)
    found = fixes.add(incident.number, by=floor.tech, kind="permanent", what="Pin it", owner=floor.tech)
    response = tech.post(at(found, "in-place"), {"evidence": "8.4 is pinned"})
    assert response.status_code == 409
    assert "Plan the check first" in words(response) and "8.4 is pinned" in response.content.decode()


def test_the_checker_signs_it_off_after_its_window(floor: Floor) -> None:
    found = place_fix(floor, contained(floor), now=timezone.now() - timedelta(days=40))
    as_(floor, Role.SUPERVISOR).post(at(found, "check"), {"measured": "No stops", "effective": "yes"})
    assert (again(found).stage, again(found).checked_by) == (Stage.EFFECTIVE, floor.supervisor)


def test_what_did_not_hold_opens_the_incident_again(floor: Floor) -> None:
    incident = contained(floor)
    found = place_fix(floor, incident, now=timezone.now())
    as_(floor, Role.SUPERVISOR).post(at(found, "check"), {"measured": "Two stops", "effective": "no"})
    assert (again(found).stage, fresh(incident).status) == (Stage.NOT_EFFECTIVE, Status.REOPENED)


def test_signing_off_too_early_is_refused_with_the_day(floor: Floor) -> None:
    found = place_fix(floor, contained(floor), now=timezone.now())
    response = as_(floor, Role.SUPERVISOR).post(at(found, "check"), {"measured": "Fine", "effective": "yes"})
    assert response.status_code == 409 and "It has held for 0 of 30 days · 0 of 30 shift starts." in words(
        response
    )


def test_the_owner_cannot_check_their_own(tech: Client, floor: Floor) -> None:
    found = place_fix(floor, contained(floor), now=timezone.now())
    response = tech.post(at(found, "check"), {"measured": "Fine", "effective": "no"})
    assert response.status_code == 403 and "somebody else has to check it" in words(response)
    assert again(found).stage == Stage.CHECKING


def test_a_manager_extends_a_bandage_with_a_reason(floor: Floor) -> None:
    found = bandage(contained(floor))
    later = today() + timedelta(days=20)
    manager = as_(floor, Role.PRODUCTION_MANAGER)
    assert manager.post(at(found, "extend"), {"expires_on": later, "reason": ""}).status_code == 400
    manager.post(at(found, "extend"), {"expires_on": later, "reason": "Part is late"})
    assert again(found).expires_on == later


def test_a_manager_accepts_a_weaker_one(floor: Floor) -> None:
    found = plan_fix(floor, contained(floor), strength="train")
    as_(floor, Role.PRODUCTION_MANAGER).post(at(found, "waive"), {"reason": "Line ends in May"})
    assert again(found).waived_reason == "Line ends in May"


def test_a_bandage_comes_off(tech: Client, floor: Floor) -> None:
    found = bandage(contained(floor))
    tech.post(at(found, "take-off"))
    assert again(found).removed_at is not None


def test_giving_one_up_needs_a_reason(tech: Client, floor: Floor) -> None:
    found = plan_fix(floor, contained(floor))
    assert tech.post(at(found, "withdraw"), {"reason": " "}).status_code == 400
    tech.post(at(found, "withdraw"), {"reason": "Vendor fixed it"})
    assert again(found).stage == Stage.WITHDRAWN


def test_causes_are_written_and_come_back_into_the_form(tech: Client, floor: Floor) -> None:
    incident = contained(floor)
    address = f"/incidents/{incident.number}/cause/"
    tech.post(
        address,
        {
            "root_cause": "Drivers update",
            "why_1": "Blank",
            "why_2": " ",
            "why_3": "Driver",
            "escape_cause": "",
        },
    )
    assert Cause.objects.get(incident=incident).five_whys == ["Blank", "Driver"]
    body = tech.get(address).content.decode()
    assert "Drivers update" in body and "Blank" in body and "Driver" in body


# -- every form


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_form_on_a_page_and_as_a_fragment(floor: Floor, tech: Client, verb: str) -> None:
    found = plan_fix(floor, contained(floor))
    page = tech.get(at(found, verb))
    part = tech.get(at(found, verb), headers=HTMX)
    assert page.status_code == part.status_code == 200
    assert b"<html" in page.content and b"<html" not in part.content
    assert b'name="seen_version"' in part.content and b"Pin the driver" in part.content


def test_an_unknown_verb_or_countermeasure_is_not_found(tech: Client, floor: Floor) -> None:
    found = plan_fix(floor, contained(floor))
    assert tech.get(at(found, "explode")).status_code == 404
    assert tech.get("/countermeasures/999999/start/").status_code == 404
    assert tech.get("/incidents/999999/cause/").status_code == 404


def test_a_stale_screen_is_refused_with_the_words_kept_and_works_the_second_time(
    tech: Client, floor: Floor
) -> None:
    incident = contained(floor)
    found = plan_fix(floor, incident, now=timezone.now())
    old = fresh(incident).version
    lifecycle.add_words(incident.number, by=floor.supervisor, words="Again on line 2")
    response = tech.post(at(found, "in-place"), {"evidence": "8.4 is pinned", "seen_version": old})
    assert response.status_code == 409 and "This changed a moment ago." in words(response)
    body = response.content.decode()
    assert "8.4 is pinned" in body and f'name="seen_version" value="{fresh(incident).version}"' in body
    tech.post(at(found, "in-place"), {"evidence": "8.4 is pinned", "seen_version": fresh(incident).version})
    assert again(found).stage == Stage.CHECKING


def test_htmx_is_sent_to_the_page_instead_of_following_a_redirect(tech: Client, floor: Floor) -> None:
    incident = contained(floor)
    response = tech.post(at(bandage(incident), "take-off"), headers=HTMX)
    assert response.status_code == 200 and response.headers["HX-Redirect"] == incident.get_absolute_url()


def test_an_operator_may_look_but_not_decide(floor: Floor) -> None:
    incident = contained(floor)
    found = plan_fix(floor, incident)
    client = Client()
    client.force_login(floor.operator)
    assert client.post(at(found, "withdraw"), {"reason": "No"}).status_code == 403
    assert client.get(f"/incidents/{incident.number}/countermeasures/add/").status_code == 403
    assert again(found).stage != Stage.WITHDRAWN


def test_somebody_from_another_site_is_refused(floor: Floor) -> None:
    found = plan_fix(floor, contained(floor))
    client = Client()
    client.force_login(make_person("Ola", roles=[Role.IT_MANAGER], site=make_site("ELSE")))
    for verb in VERBS:
        assert client.get(at(found, verb)).status_code == 403


def test_people_of_other_sites_are_not_offered_as_owners(tech: Client, floor: Floor) -> None:
    stranger = make_person("Ola Stranger", site=make_site("ELSE"))
    body = tech.get(f"/incidents/{contained(floor).number}/countermeasures/add/").content.decode()
    assert stranger.name not in body and floor.tech.name in body


def test_without_a_login_it_asks_to_sign_in(client: Client, floor: Floor) -> None:
    found = plan_fix(floor, contained(floor))
    assert client.post(at(found, "withdraw"), {"reason": "No"}).status_code == 302
    assert again(found).stage != Stage.WITHDRAWN


# -- what is offered


def test_what_is_offered_follows_the_stage_and_the_person(floor: Floor) -> None:
    incident = contained(floor)
    planned = fixes.add(incident.number, by=floor.tech, kind="permanent", what="Pin it", strength="prevent")
    assert verbs(planned, floor.tech) == ["start", "plan-check", "in-place", "withdraw"]
    placed = place_fix(floor, incident, now=timezone.now())
    assert verbs(placed, floor.supervisor) == ["check", "checker"] and verbs(placed, floor.tech) == [
        "checker"
    ]
    worn = bandage(incident)
    assert verbs(worn, floor.manager) == ["extend", "take-off", "owner"]
    assert verbs(worn, floor.tech) == ["take-off", "owner"]
    assert verbs(planned, floor.operator) == []


def test_somebody_else_looks_after_a_bandage(tech: Client, floor: Floor) -> None:
    worn = bandage(contained(floor))
    assert tech.post(at(worn, "owner"), {"owner": ""}).status_code == 400
    assert tech.post(at(worn, "owner"), {"owner": floor.supervisor.pk}).status_code == 302
    assert again(worn).owner == floor.supervisor and again(worn).expires_on == worn.expires_on


def test_nothing_is_offered_once_it_is_closed(floor: Floor) -> None:
    incident = reach(floor, Status.CLOSED)
    assert [verbs(one, floor.manager) for one in incident.countermeasures.all()] == [[], []]


def test_a_bandage_that_is_on_after_closing_without_a_fix_still_comes_off(floor: Floor) -> None:
    incident, day = reach(floor, Status.CONTAINED), timezone.now().date() + timedelta(days=90)
    lifecycle.accept_no_fix(incident.number, by=floor.manager, reason="It ends in May", review_on=day)
    worn = bandage(incident)
    assert verbs(worn, floor.manager) == ["extend", "take-off", "owner"]
    assert verbs(worn, floor.tech) == ["take-off", "owner"]
    fixes.take_off(worn.pk, by=floor.tech)
    assert verbs(worn, floor.manager) == []


def test_what_is_promised_or_being_proved_after_closing_without_a_fix_is_still_done(floor: Floor) -> None:
    """Somebody is asked about it until it ends, so there is a way to end it."""
    incident, day = contained(floor), today() + timedelta(days=90)
    now = timezone.now()
    proving = place_fix(floor, incident, now=now, window_exposure=1, exposure_unit="trucks")
    promised = plan_fix(floor, incident, now=now)
    to_agree = fixes.add(incident.number, by=floor.tech, kind="permanent", what="Or a new printer")
    lifecycle.accept_no_fix(incident.number, by=floor.manager, reason="It ends in May", review_on=day)
    assert verbs(proving, floor.supervisor) == ["check", "checker"]
    assert verbs(promised, floor.tech) == ["new-date", "plan-check", "in-place", "withdraw"]
    assert verbs(to_agree, floor.tech) == []
    fixes.log_measurement(proving.pk, by=floor.tech, times=1)
    done = now + timedelta(days=31)
    fixes.check(proving.pk, by=floor.supervisor, effective=True, measured="None", now=done)
    assert verbs(proving, floor.supervisor) == []


def test_a_reason_that_stands_at_its_field_is_not_said_twice(floor: Floor) -> None:
    worn, far = bandage(contained(floor)), today() + timedelta(days=90)
    page = as_(floor, Role.PRODUCTION_MANAGER).post(at(worn, "extend"), {"expires_on": far, "reason": "Part"})
    assert page.status_code == 400
    assert words(page).count("Then it is looked at again.") == 1
    assert words(page).count("at the latest.") == 2, "said before it is refused, too"


def verbs(found: Countermeasure, person: Any) -> list[str]:
    return [offer.verb for offer in offers(Countermeasure.objects.get(pk=found.pk), person)]
