"""`ask_help`: somebody by name, whoever is on duty in a role, or a vendor is asked to come in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from incidents import lifecycle, who_helps
from incidents.lifecycle.helping import HELPERS
from incidents.models import Event, EventKind, Incident, Status
from opsdesk.errors import Invalid, NotAllowed, Refused
from plant.models import Role, VendorContact
from tests.factories import (
    NOW,
    Floor,
    crew_of,
    fresh,
    make_person,
    make_site,
    make_station,
    make_system,
    make_three_shifts,
    make_vendor,
    put_on_roster,
    raise_,
    reach,
)


def asked(incident: Incident) -> list[dict[str, Any]]:
    events = Event.objects.filter(incident=incident, kind=EventKind.HELP_ASKED)
    return [event.data for event in events.order_by("id")]


def test_a_named_person_is_asked_and_nothing_changes_hands(floor: Floor) -> None:
    incident, helper = reach(floor, Status.ACKNOWLEDGED), floor.who(Role.SUPERVISOR)
    after = lifecycle.ask_help(incident.number, by=floor.tech, who=helper, words=" Bring a ladder ", now=NOW)
    assert (after.owner, after.status, after.version) == (
        floor.tech,
        Status.ACKNOWLEDGED,
        incident.version + 1,
    )
    event = after.events.get(kind=EventKind.HELP_ASKED)
    assert (event.by, event.words) == (floor.tech, "Bring a ladder")
    assert event.data == {
        "who": f"person:{helper.username}",
        "to": helper.name,
        "people": [{"id": helper.pk, "name": helper.name, "role": ""}],
    }


def test_a_role_is_whoever_is_on_duty_there_now(floor: Floor) -> None:
    shifts = make_three_shifts(site=floor.site, areas=[floor.area])
    morning, night = (
        make_person(name, roles=[Role.IT_SPECIALIST], site=floor.site, crew=crew_of(shifts, crew))
        for name, crew in (("Morning", "SH1"), ("Night", "SH3"))
    )
    incident = reach(floor, Status.ACKNOWLEDGED)
    lifecycle.ask_help(incident.number, by=floor.tech, who=Role.IT_SPECIALIST, now=NOW)
    at_night = NOW + timedelta(hours=16)
    lifecycle.ask_help(incident.number, by=floor.tech, who=Role.IT_SPECIALIST, now=at_night)
    people = [[one["id"] for one in data["people"]] for data in asked(incident)]
    assert people == [[morning.pk], [night.pk]]
    assert all("gap" not in data for data in asked(incident))


def test_somebody_who_is_called_off_shift_is_marked_so(floor: Floor) -> None:
    shifts = make_three_shifts(site=floor.site, areas=[floor.area])
    lead = make_person("Lead", roles=[Role.IT_LEAD], site=floor.site)
    put_on_roster(lead, crew_of(shifts, "SH3"))
    incident = reach(floor, Status.ACKNOWLEDGED)
    lifecycle.ask_help(incident.number, by=floor.tech, who=Role.IT_LEAD, now=NOW)
    assert asked(incident)[0]["gap"] == {"level": "off_shift", "where": floor.area.name}


def test_a_vendor_is_recorded_with_nobody_to_write_to(floor: Floor) -> None:
    vendor = make_vendor("inkmarrow", phone="+1-555-0142")
    incident = reach(floor, Status.ACKNOWLEDGED)
    lifecycle.ask_help(incident.number, by=floor.tech, who=vendor, now=NOW)
    assert asked(incident) == [
        {"who": "vendor:inkmarrow", "to": vendor.name, "vendor": "inkmarrow", "people": []}
    ]


@pytest.mark.parametrize("status", [Status.RAISED, Status.ACKNOWLEDGED, Status.CONTAINED, Status.RESOLVED])
def test_help_may_be_asked_for_until_it_is_closed(floor: Floor, status: Status) -> None:
    incident = reach(floor, status)
    lifecycle.ask_help(incident.number, by=floor.manager, who=floor.who(Role.IT_SPECIALIST), now=NOW)
    assert len(asked(incident)) == 1


def test_a_closed_incident_needs_no_help(floor: Floor) -> None:
    incident = reach(floor, Status.CLOSED)
    with pytest.raises(Refused) as refusal:
        lifecycle.ask_help(incident.number, by=floor.tech, who=floor.who(Role.IT_SPECIALIST))
    assert (refusal.value.code, refusal.value.status) == ("closed", 409)


def test_a_double_tap_asks_once_and_ten_minutes_later_it_is_asking_again(floor: Floor) -> None:
    incident, helper = reach(floor, Status.ACKNOWLEDGED), floor.who(Role.IT_SPECIALIST)
    for minutes in (0, 0, 9, 11):
        now = NOW + timedelta(minutes=minutes)
        lifecycle.ask_help(
            incident.number,
            by=floor.tech,
            who=helper,
            seen_version=incident.version if not minutes else None,
            now=now,
        )
    assert len(asked(incident)) == 2


def test_a_stale_screen_is_refused(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    lifecycle.arrive(incident.number, by=floor.tech, now=NOW)
    with pytest.raises(Refused) as refusal:
        lifecycle.ask_help(
            incident.number, by=floor.tech, who=floor.supervisor, seen_version=incident.version, now=NOW
        )
    assert refusal.value.code == "stale" and asked(incident) == []


def test_nobody_asks_themselves_the_owner_or_a_stranger(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    stranger = make_person("Stranger", roles=[Role.IT_LEAD], site=make_site())
    for by, who in ((floor.manager, floor.manager), (floor.manager, floor.tech), (floor.tech, stranger)):
        with pytest.raises(Refused) as refusal:
            lifecycle.ask_help(incident.number, by=by, who=who, now=NOW)
        assert (refusal.value.code, refusal.value.status) == ("cannot_help", 409)
    assert asked(incident) == []


def test_the_only_lead_cannot_ask_the_lead_on_duty(floor: Floor) -> None:
    incident, lead = reach(floor, Status.ACKNOWLEDGED), floor.who(Role.IT_LEAD)
    with pytest.raises(Refused) as refusal:
        lifecycle.ask_help(incident.number, by=lead, who=Role.IT_LEAD, now=NOW)
    assert refusal.value.code == "nobody_to_help"


@pytest.mark.parametrize("role", sorted(set(Role) - set(HELPERS)))
def test_other_roles_are_not_asked_to_help(floor: Floor, role: Role) -> None:
    with pytest.raises(Invalid):
        lifecycle.ask_help(reach(floor, Status.ACKNOWLEDGED).number, by=floor.tech, who=role, now=NOW)


def test_words_have_an_end(floor: Floor) -> None:
    with pytest.raises(Invalid) as refusal:
        lifecycle.ask_help(
            reach(floor, Status.ACKNOWLEDGED).number, by=floor.tech, who=floor.supervisor, words="x" * 201
        )
    assert set(refusal.value.fields or {}) == {"words"}


def test_an_operator_cannot_call_anybody_in(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    with pytest.raises(NotAllowed) as refusal:
        lifecycle.ask_help(incident.number, by=floor.operator, who=floor.supervisor)
    assert refusal.value.code == "wrong_role" and fresh(incident).version == incident.version


# --- who is offered


def test_the_choices_are_the_specialist_the_lead_and_the_vendor_with_its_numbers(floor: Floor) -> None:
    vendor = make_vendor("inkmarrow", phone="+1-555-0142", support_hours="Mo-Fr 8-18")
    VendorContact.objects.create(vendor=vendor, name="Ida Falk", phone="+1-555-0143", is_escalation=True)
    VendorContact.objects.create(vendor=vendor, name="Sales", phone="+1-555-0199")
    system = make_system(vendor=vendor)
    specialist, lead = floor.who(Role.IT_SPECIALIST), floor.who(Role.IT_LEAD)
    incident = reach(floor, Status.ACKNOWLEDGED, system=system, station=floor.station)
    found = who_helps.choices(incident, by=floor.tech, now=NOW)
    assert [(one.who, one.name) for one in found] == [
        ("role:it_specialist", specialist.name),
        ("role:it_lead", lead.name),
        ("vendor:inkmarrow", vendor.name),
    ]
    assert [one.phone for one in found[2].numbers] == ["+1-555-0142", "+1-555-0143"]
    assert found[2].more == "Vendor, support Mo-Fr 8-18"


def test_without_a_system_the_vendors_are_those_of_the_station(floor: Floor) -> None:
    vendor = make_vendor("inkmarrow")
    station = make_station(line=floor.line, systems=[make_system(vendor=vendor)])
    incident = raise_(floor, station=station)
    assert [one.code for one in who_helps.vendors(incident)] == ["inkmarrow"]
    assert who_helps.vendors(raise_(floor)) == []


def test_whoever_asks_and_whoever_has_it_are_not_offered(floor: Floor) -> None:
    lead = floor.who(Role.IT_LEAD)
    specialist = floor.who(Role.IT_SPECIALIST)
    incident = reach(floor, Status.ACKNOWLEDGED)
    assert [one.who for one in who_helps.choices(incident, by=lead, now=NOW)] == ["role:it_specialist"]
    assert specialist.name in who_helps.choices(incident, by=lead, now=NOW)[0].name


@pytest.mark.parametrize("text", ["", "nobody", "it_tech", "role:plant_manager", "person:it_lead", "x:y"])
def test_an_unknown_name_is_said_so(floor: Floor, text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        who_helps.named(text)
    assert refusal.value.code == "unknown_helper"


def test_a_role_comes_before_a_person_of_that_name_and_a_person_before_a_vendor(floor: Floor) -> None:
    make_person("Odd", username="it_lead", site=floor.site)
    both = make_person("Both", username="inkmarrow", site=floor.site)
    vendor = make_vendor("inkmarrow")
    assert who_helps.named("it_lead") == Role.IT_LEAD
    assert who_helps.named("inkmarrow") == both
    assert who_helps.named("vendor:inkmarrow") == vendor
