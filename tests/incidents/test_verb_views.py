"""The verbs on the screen: each a form of its own that keeps the words when it is refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from incidents import lifecycle
from incidents.models import Impact, Incident, SeverityRule, Status
from incidents.views.verbs import VERBS
from plant.models import Role
from tests.factories import Floor, fresh, give_role, make_floor, make_person, make_site, raise_, reach

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Target": "do"}
SAID = {"conditions": "Labels are blank", "actions": "Changing the print head", "needs": "No needs"}


@pytest.fixture
def tech(client: Client, floor: Floor) -> Client:
    client.force_login(floor.tech)
    return client


def as_(floor: Floor, role: Role) -> Client:
    client = Client()
    client.force_login(floor.who(role))
    return client


def at(incident: Incident, verb: str) -> str:
    return f"/incidents/{incident.number}/{verb}/"


def test_taking_it_makes_me_the_owner_and_brings_me_back(tech: Client, floor: Floor) -> None:
    incident = raise_(floor)
    response = tech.post(at(incident, "acknowledge"), {"seen_version": incident.version})
    assert response.headers["Location"] == incident.get_absolute_url()
    assert (fresh(incident).owner, fresh(incident).status) == (floor.tech, Status.ACKNOWLEDGED)


def test_the_number_may_have_its_letters(tech: Client, floor: Floor) -> None:
    incident = raise_(floor)
    assert tech.post(f"/incidents/INC-{incident.number}/acknowledge/").status_code == 302


def test_htmx_is_sent_to_the_page_instead_of_following_a_redirect(tech: Client, floor: Floor) -> None:
    incident = raise_(floor)
    response = tech.post(at(incident, "acknowledge"), headers=HTMX)
    assert response.status_code == 200 and response.headers["HX-Redirect"] == incident.get_absolute_url()


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_no_link_of_the_form_leads_elsewhere(tech: Client, floor: Floor, elsewhere: str) -> None:
    incident = raise_(floor)
    page = tech.get(at(incident, "acknowledge"), {"next": elsewhere}).content.decode()
    assert elsewhere not in page and f'<a class="btn quiet" href="{incident.get_absolute_url()}"' in page
    posted = tech.post(at(incident, "update"), {"next": elsewhere})
    assert posted.status_code == 400 and elsewhere not in posted.content.decode()


def test_a_verb_goes_back_to_the_page_it_was_asked_from(tech: Client, floor: Floor) -> None:
    incident = raise_(floor)
    assert tech.post(at(incident, "acknowledge"), {"next": "/work/"}).headers["Location"] == "/work/"
    away = tech.post(at(incident, "arrive"), {"next": "https://elsewhere.example.com/"})
    assert away.headers["Location"] == incident.get_absolute_url()


def test_two_taps_at_once_are_one(tech: Client, floor: Floor) -> None:
    incident = raise_(floor)
    for _tap in range(2):
        assert tech.post(at(incident, "acknowledge"), {"seen_version": 1}).status_code == 302
    assert fresh(incident).version == 2


def test_news_is_written_once_with_its_promise(tech: Client, floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    asked = {**SAID, "technical": "LBL-01 head 0x12", "next_update_at": "30"}
    assert tech.post(at(incident, "update"), asked).status_code == 302
    said = incident.updates.get()
    assert (said.conditions, said.technical) == (SAID["conditions"], "LBL-01 head 0x12")
    assert said.next_update_at is not None
    assert abs(said.next_update_at - timezone.now() - timedelta(minutes=30)) < timedelta(seconds=20)


@pytest.mark.parametrize("wrong", ["7", "-30", "soon", "1e9"])
def test_only_the_times_on_the_buttons_are_taken(tech: Client, floor: Floor, wrong: str) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    assert tech.post(at(incident, "update"), {**SAID, "next_update_at": wrong}).status_code == 400
    assert not incident.updates.exists()


@pytest.mark.parametrize("status", [Status.ACKNOWLEDGED, Status.CONTAINED])
@pytest.mark.parametrize("impact", Impact)
def test_every_time_offered_for_the_next_word_is_taken(
    tech: Client, floor: Floor, impact: Impact, status: Status
) -> None:
    incident = reach(floor, status, impact)
    page = tech.get(at(incident, "update")).content.decode()
    offered = re.findall(r'name="next_update_at" value="(\d*)"', page)
    assert "" in offered and "30" in offered
    refused = [
        minutes
        for minutes in offered
        if tech.post(at(incident, "update"), {**SAID, "next_update_at": minutes}).status_code != 302
    ]
    assert refused == []


def test_the_times_offered_follow_the_rule_that_the_it_manager_set(tech: Client, floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED, Impact.STOPPED)
    SeverityRule.objects.update_or_create(severity="S1", defaults={"update_every_minutes": 20})
    page = tech.get(at(incident, "update")).content.decode()
    assert re.findall(r'name="next_update_at" value="(\d*)"', page) == ["", "15"]


def test_a_stale_screen_is_refused_and_the_words_are_kept(tech: Client, floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    seen = incident.version
    lifecycle.arrive(incident.number, by=floor.tech)
    response = tech.post(at(incident, "update"), {**SAID, "seen_version": seen})
    page = response.content.decode()
    assert response.status_code == 409
    assert "changed a moment ago" in page and SAID["actions"] in page
    assert not incident.updates.exists()
    version = re.search(r'name="seen_version" value="(\d+)"', page)
    assert version is not None and int(version.group(1)) == fresh(incident).version
    assert tech.post(at(incident, "update"), {**SAID, "seen_version": version.group(1)}).status_code == 302


def test_a_refused_fragment_is_a_fragment_again(tech: Client, floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    response = tech.post(at(incident, "update"), {**SAID, "seen_version": 1}, headers=HTMX)
    page = response.content.decode()
    assert response.status_code == 409 and "<html" not in page and SAID["conditions"] in page


def test_what_is_missing_is_said_at_its_field(tech: Client, floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    response = tech.post(at(incident, "update"), {**SAID, "needs": ""})
    assert response.status_code == 400
    assert "needs" in re.findall(r'id="id_(\w+)_error"', response.content.decode())
    assert not incident.updates.exists()


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_each_verb_has_a_form_of_its_own(floor: Floor, verb: str) -> None:
    incident = reach(floor, Status.CONTAINED)
    for role in (Role.IT_LEAD, Role.PRODUCTION_MANAGER):
        response = as_(floor, role).get(at(incident, verb))
        if response.status_code == 200:
            page = response.content.decode()
            assert str(VERBS[verb].button) in page and 'name="csrfmiddlewaretoken"' in page
            return
        assert response.status_code == 403
    pytest.fail(f"neither a lead nor a manager may {verb}")


@pytest.mark.parametrize("verb", ["acknowledge", "update", "contain", "resolve"])
def test_an_operator_is_told_that_their_role_cannot(client: Client, floor: Floor, verb: str) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    client.force_login(floor.operator)
    before = fresh(incident).version
    assert client.get(at(incident, verb)).status_code == 403
    asked = {**SAID, "what": "Spare printer"}
    response = client.post(at(incident, verb), asked)
    assert response.status_code == 403 and "Your role cannot" in response.content.decode()
    assert fresh(incident).version == before


def test_somebody_of_another_site_is_refused(client: Client, floor: Floor) -> None:
    incident = raise_(floor)
    client.force_login(make_floor(code="AWAY").tech)
    response = client.post(at(incident, "acknowledge"))
    assert response.status_code == 403 and "site" in response.content.decode()
    assert fresh(incident).owner is None


def test_a_refused_form_shows_nothing_of_another_site(client: Client, floor: Floor) -> None:
    incident = raise_(floor)
    client.force_login(make_floor(code="AWAY").tech)
    response = client.post(at(incident, "update"))
    assert response.status_code == 403 and str(incident.station) not in response.content.decode()


def test_a_field_with_a_character_that_cannot_be_kept_is_refused(tech: Client) -> None:
    assert tech.post("/raise/", {"where": "station:\0", "category": "x", "impact": "none"}).status_code == 400


def test_without_a_login_nothing_happens(client: Client, floor: Floor) -> None:
    incident = raise_(floor)
    assert client.post(at(incident, "acknowledge")).headers["Location"].startswith("/login/")
    assert fresh(incident).status == Status.RAISED


@pytest.mark.parametrize("number", ["999999", "INC-999999", "abc", "0"])
def test_an_incident_that_does_not_exist_is_a_plain_404(tech: Client, number: str) -> None:
    response = tech.get(f"/incidents/{number}/update/")
    assert response.status_code == 404 and "There is no incident" in response.content.decode()


def test_a_forbidden_move_is_a_409_with_a_sentence(tech: Client, floor: Floor) -> None:
    incident = raise_(floor)
    response = tech.post(at(incident, "contain"), {"what": "Spare printer"})
    assert response.status_code == 409 and "Spare printer" in response.content.decode()
    assert fresh(incident).status == Status.RAISED


def test_product_moves_on_a_bandage_that_ends(tech: Client, floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    assert tech.post(at(incident, "contain"), {"what": "Spare printer"}).status_code == 302
    assert fresh(incident).status == Status.CONTAINED
    assert incident.countermeasures.get().expires_on is not None


def test_a_bandage_may_not_end_before_it_begins(tech: Client, floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    response = tech.post(at(incident, "contain"), {"what": "Spare printer", "expires_on": "2020-01-01"})
    assert response.status_code == 400 and fresh(incident).status == Status.ACKNOWLEDGED


def test_closing_too_early_says_what_is_missing(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    response = as_(floor, Role.SUPERVISOR).post(at(incident, "close"))
    assert response.status_code == 409 and "cannot be closed yet" in response.content.decode()


def test_a_small_thing_closes_with_its_cause_and_who_agrees(tech: Client, floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED, Impact.NONE)
    asked = {"cause": "Wrong job loaded", "agreed_by": floor.supervisor.pk}
    assert tech.post(at(incident, "close"), asked).status_code == 302
    assert fresh(incident).closed_cause == "Wrong job loaded"


def test_a_pause_has_a_length_from_the_buttons_and_a_reason(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    manager = as_(floor, Role.PRODUCTION_MANAGER)
    assert manager.post(at(incident, "shelve"), {"until": "60", "reason": ""}).status_code == 400
    assert manager.post(at(incident, "shelve"), {"until": "480", "reason": "No build"}).status_code == 302
    assert fresh(incident).is_shelved()
    assert manager.post(at(incident, "unshelve")).status_code == 302
    assert not fresh(incident).is_shelved()


def test_a_floor_call_changes_how_bad_it_is(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED, Impact.AT_RISK)
    manager = as_(floor, Role.MATERIALS_MANAGER)
    assert (
        manager.post(at(incident, "severity"), {"severity": "S1", "reason": "Truck waits"}).status_code == 302
    )
    assert fresh(incident).severity == "S1"


def test_how_bad_it_is_already_is_not_offered_and_not_said_to_be_changed(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED, Impact.AT_RISK)
    manager = as_(floor, Role.MATERIALS_MANAGER)
    page = manager.get(at(incident, "severity")).content.decode()
    assert re.findall(r'name="severity" value="(S\d)"', page) == ["S1", "S3", "S4"]
    again = manager.post(at(incident, "severity"), {"severity": "S2", "reason": "Truck waits"})
    assert again.status_code == 400 and "It is that already." in again.content.decode()
    assert fresh(incident).version == incident.version


def test_a_wait_has_a_name_and_a_time_in_the_plants_clock(tech: Client, floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    until = timezone.localtime(timezone.now() + timedelta(days=2), floor.site.tz).replace(
        second=0, microsecond=0
    )
    asked = {"on": "vendor", "name": "Larkin Labels", "until": until.strftime("%Y-%m-%dT%H:%M")}
    assert tech.post(at(incident, "wait"), asked).status_code == 302
    assert fresh(incident).waiting_until == until
    assert tech.post(at(incident, "stop-waiting")).status_code == 302
    assert fresh(incident).waiting_on == ""


@pytest.mark.parametrize(
    ("wall", "moment"),
    [
        ("2026-11-01T01:30", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
        ("2026-03-08T02:30", datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),
    ],
    ids=["twice: the first", "never: when the clock jumps"],
)
def test_a_time_in_the_hour_of_the_clock_change_is_taken(
    tech: Client, floor: Floor, monkeypatch: pytest.MonkeyPatch, wall: str, moment: datetime
) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED, Impact.AT_RISK)
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment - timedelta(hours=1))
    asked = {"on": "vendor", "name": "Larkin Labels", "until": wall}
    assert tech.post(at(incident, "wait"), asked).status_code == 302
    assert fresh(incident).waiting_until == moment
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment + timedelta(hours=1))
    assert tech.post(at(incident, "stop-line"), {"at": wall}).status_code == 302
    assert incident.downtimes.get(ended_at=None).started_at == moment


@pytest.mark.parametrize("home", ["", "Europe/Madrid"])
def test_a_time_is_by_the_clock_of_the_incidents_plant_whoever_types_it(
    client: Client, floor: Floor, home: str
) -> None:
    site = make_site("FAR", timezone=home) if home else None
    lead = make_person("Lead of all", roles=[Role.IT_LEAD], site=site, corporate=True)
    incident = reach(floor, Status.ACKNOWLEDGED)
    client.force_login(lead)
    until = datetime(timezone.now().year + 1, 2, 3, 14, tzinfo=floor.site.tz)
    asked = {"on": "vendor", "name": "Larkin Labels", "until": f"{until:%Y-%m-%dT%H:%M}"}
    assert client.post(at(incident, "wait"), asked).status_code == 302
    assert fresh(incident).waiting_until == until


def test_another_time_is_agreed_in_one_step_with_what_is_known_filled_in(tech: Client, floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    until = datetime(timezone.now().year + 1, 2, 3, 14, tzinfo=floor.site.tz)
    lifecycle.wait_on(incident.number, by=floor.tech, on="part", name="Print head", until=until)
    page = tech.get(at(incident, "wait")).content.decode()
    assert 'value="Print head"' in page and f'value="{until:%Y-%m-%dT%H:%M}"' in page
    assert re.search(r'value="part"[^>]*checked', page)
    asked = {"on": "part", "name": "Print head", "until": f"{until:%Y-%m-%dT}15:00"}
    assert tech.post(at(incident, "wait"), asked).status_code == 302
    assert fresh(incident).waiting_until == until + timedelta(hours=1)


def test_only_people_of_the_site_can_be_asked(floor: Floor) -> None:
    incident = raise_(floor)
    stranger = make_floor(code="AWAY").tech
    lead = as_(floor, Role.IT_LEAD)
    assert lead.post(at(incident, "assign"), {"to": stranger.pk}).status_code == 400
    assert lead.post(at(incident, "assign"), {"to": floor.tech.pk}).status_code == 302
    assert fresh(incident).assigned_to == floor.tech


@pytest.mark.parametrize(("verb", "field"), [("assign", "to"), ("contain", "owner"), ("close", "agreed_by")])
def test_who_is_at_home_elsewhere_and_works_here_is_offered_once(floor: Floor, verb: str, field: str) -> None:
    away = make_floor(code="AWAY")
    guest = make_person("Dana Guest", roles=[Role.IT_TECH, Role.SUPERVISOR], site=away.site)
    for role in (Role.IT_TECH, Role.SUPERVISOR):
        give_role(guest, role, site=floor.site)
    incident = reach(floor, Status.ACKNOWLEDGED, Impact.NONE)
    page = as_(floor, Role.IT_LEAD).get(at(incident, verb)).content.decode()
    assert page.count(f'<option value="{guest.pk}"') == 1
    assert f'<option value="{away.tech.pk}"' not in page
    asked = {field: guest.pk, "what": "Spare printer", "cause": "Loose cable"}
    assert as_(floor, Role.IT_LEAD).post(at(incident, verb), asked).status_code == 302


def test_words_are_added_by_anybody_of_the_site(client: Client, floor: Floor) -> None:
    incident = raise_(floor)
    client.force_login(floor.operator)
    assert client.post(at(incident, "words"), {"words": ""}).status_code == 400
    assert client.post(at(incident, "words"), {"words": "It smells burnt"}).status_code == 302
    assert incident.events.filter(words="It smells burnt").exists()


def test_a_verb_changes_nothing_when_it_is_only_looked_at(tech: Client, floor: Floor) -> None:
    incident = raise_(floor)
    for verb in ("acknowledge", "arrive", "stop-line"):
        assert tech.get(at(incident, verb)).status_code == 200
    assert fresh(incident).version == incident.version


def test_another_method_is_refused(tech: Client, floor: Floor) -> None:
    assert tech.delete(at(raise_(floor), "acknowledge")).status_code == 405


def test_a_form_without_its_token_is_refused_in_words(floor: Floor) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(floor.tech)
    response = client.post(at(raise_(floor), "acknowledge"))
    assert response.status_code == 403 and "open too long" in response.content.decode()


def test_a_message_says_what_happened(tech: Client, floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    tech.post(at(incident, "words"), {"words": "More"})
    assert "Added." in tech.get("/incidents/").content.decode()


def test_a_refused_htmx_request_says_so_in_the_page_it_came_from(client: Client, floor: Floor) -> None:
    client.force_login(floor.operator)
    response: Any = client.get(at(raise_(floor), "update"), headers=HTMX)
    assert response.status_code == 403
    assert response.headers["HX-Retarget"] == "#refusal" and "Your role cannot" in response.content.decode()
