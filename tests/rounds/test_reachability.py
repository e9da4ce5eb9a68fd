"""Who cannot be reached: judged, checked at night, said on every save, and shown to the IT manager."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from escalation import rounds, watch
from escalation.defaults import DEFAULT_CLOCKS, with_safety_people
from escalation.models import Delivery, DeliveryState, Notification, Reason
from escalation.policies import publish
from escalation.reach import reach_of
from plant.models import Person, Role, RoleAssignment, Roster
from plant.reachability import Fault, Level, Standing, judge, judged_at, judged_now
from tests import factories as make
from tests.rounds.plant import TUESDAY, Plant, channels_of, go, sent, told, wall

pytestmark = pytest.mark.django_db

NIGHT = wall("03:00")
DAY = timedelta(days=1)


def standing(**changes: Any) -> Standing:
    fields = {
        "name": "Marcus Vela",
        "mobile": "+13135550101",
        "email": "vela@example.com",
        "mobile_verified_at": TUESDAY,
        "email_verified_at": TUESDAY,
    }
    asked = {"roles": frozenset({"it_tech"}), "is_on_roster": True}
    person = Person(**{name: changes.pop(name, value) for name, value in fields.items()})
    person.is_active = changes.pop("is_active", True)
    return Standing(person, **{**asked, **changes})


# --- judging ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({}, ()),
        ({"mobile": ""}, (Fault.NO_MOBILE,)),
        ({"email": ""}, (Fault.NO_EMAIL,)),
        ({"mobile": "", "email": ""}, (Fault.NO_MOBILE, Fault.NO_EMAIL)),
        ({"mobile_verified_at": None}, (Fault.MOBILE_UNVERIFIED,)),
        ({"email_verified_at": None}, (Fault.EMAIL_UNVERIFIED,)),
        ({"is_on_roster": False}, (Fault.NOT_ON_ROSTER,)),
        ({"is_on_roster": False, "roles": frozenset({"it_manager"})}, ()),
        ({"came_back": frozenset({"sms"})}, (Fault.SMS_CAME_BACK,)),
        ({"came_back": frozenset({"email"}), "email": ""}, (Fault.NO_EMAIL,)),
        ({"mobile": "", "roles": frozenset()}, ()),
        ({"mobile": "", "roles": frozenset(), "is_named": True}, (Fault.NO_MOBILE,)),
        ({"is_active": False, "is_on_roster": False}, ()),
        ({"is_active": False}, (Fault.LEFT_ON_ROSTER,)),
        ({"is_active": False, "is_named": True, "is_on_roster": False}, (Fault.SWITCHED_OFF,)),
    ],
)
def test_each_fault_is_found_and_nothing_else(changes: dict[str, Any], faults: tuple[Fault, ...]) -> None:
    assert judge(standing(**changes)) == faults


def test_missing_is_an_error_and_not_verified_is_a_warning() -> None:
    assert Fault.NO_MOBILE.level == Fault.NO_EMAIL.level == Level.ERROR
    assert Fault.MOBILE_UNVERIFIED.level == Fault.EMAIL_UNVERIFIED.level == Level.WARNING


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_says_what_to_do(fault: Fault) -> None:
    assert fault.to_do.endswith(".") and fault.label[0].islower()


def faults_at(plant: Plant, **more: Any) -> dict[str, list[str]]:
    found = judged_at(plant.site, NIGHT, **more)
    return {one.person.username: [fault.value for fault in one.faults] for one in found if one.faults}


def test_everybody_a_duty_could_call_is_looked_at(plant: Plant) -> None:
    assert faults_at(plant) == {}
    director = make.make_person("Fairbanks", username="fairbanks", roles=[Role.IT_DIRECTOR], corporate=True)
    make.make_person("Worker", mobile="", site=plant.site)  # holds no role: nobody calls them
    Person.objects.filter(pk=director.pk).update(mobile_verified_at=TUESDAY)
    Roster.objects.filter(person=plant["vela"]).update(last_day=date(2026, 6, 1))
    assert faults_at(plant) == {"fairbanks": ["email_unverified"], "vela": ["not_on_roster"]}


def test_who_left_and_is_still_on_the_roster_or_the_last_resort_is_found(plant: Plant) -> None:
    Person.objects.filter(username__in=["vela", "hutchins"]).update(is_active=False)
    assert faults_at(plant) == {"vela": ["left_on_roster"], "hutchins": ["switched_off"]}


def test_who_helps_from_another_site_is_shown_here_and_reported_at_home(plant: Plant) -> None:
    other = make.make_site("DSC")
    helper = make.make_person("Helper", username="helper", site=other)
    make.give_role(helper, Role.IT_LEAD, site=plant.site)
    assert "helper" in faults_at(plant)
    assert "helper" not in faults_at(plant, only_home=True)


def test_looking_at_a_site_costs_the_same_for_many(plant: Plant) -> None:
    with CaptureQueriesContext(connection) as few:
        reach_of(plant.site, NIGHT)
    for number in range(20):
        make.make_person(f"Person {number}", roles=[Role.IT_LEAD], site=plant.site, mobile="")
    with CaptureQueriesContext(connection) as many:
        reach_of(plant.site, NIGHT)
    assert len(many) == len(few) <= 10


# --- what the sending side knows ----------------------------------------------------------------------------


def test_people_whom_a_policy_names_are_looked_at_too(plant: Plant) -> None:
    safety = make.make_person("Oyelaran", username="oyelaran", site=plant.site, mobile="")
    clocks = with_safety_people(DEFAULT_CLOCKS["S1"], ["oyelaran"])
    publish(by=None, severity="S1", clocks=clocks, why="Safety", now=TUESDAY)
    found = {one.person.username: one.faults for one in reach_of(plant.site, NIGHT).wrong}
    assert Fault.NO_MOBILE in found["oyelaran"]
    Person.objects.filter(pk=safety.pk).update(is_active=False)
    assert [one.faults for one in reach_of(plant.site, NIGHT).wrong] == [(Fault.SWITCHED_OFF,)]


def failed_sms(person: Person, *, address: str, at: datetime) -> Delivery:
    notification = Notification.objects.create(
        site=person.site, person=person, reason=Reason.DIGEST, key=f"x{at}", due_at=at, created_at=at
    )
    return Delivery.objects.create(
        notification=notification,
        channel="sms",
        address=address,
        state=DeliveryState.FAILED,
        queued_at=at,
        not_before=at,
        failed_at=at,
    )


def test_a_number_whose_last_message_came_back_is_found_until_one_arrives(plant: Plant) -> None:
    vela = plant["vela"]
    failed_sms(vela, address=vela.mobile, at=NIGHT - DAY)
    assert [one.faults for one in reach_of(plant.site, NIGHT).wrong] == [(Fault.SMS_CAME_BACK,)]
    again = failed_sms(vela, address=vela.mobile, at=NIGHT - DAY / 2)
    again.state, again.sent_at, again.failed_at = DeliveryState.SENT, NIGHT - DAY / 2, None
    again.save()
    assert reach_of(plant.site, NIGHT).wrong == []


def test_a_failure_of_an_earlier_number_does_not_count_against_the_new_one(plant: Plant) -> None:
    failed_sms(plant["vela"], address="+19995550000", at=NIGHT - DAY)
    assert reach_of(plant.site, NIGHT).wrong == []


def test_a_channel_without_a_provider_beside_a_real_one_is_down(plant: Plant, settings: Any) -> None:
    ways = reach_of(plant.site, NIGHT).ways
    assert [way.channel for way in ways if way.is_up] == ["sms", "email", "push"]
    settings.EMAIL_URL = "smtp://mail.example.com"
    assert [way.channel for way in reach_of(plant.site, NIGHT).ways_down] == ["sms", "push"]


def test_a_channel_that_nobody_hands_over_is_down(plant: Plant) -> None:
    watch.beat(NIGHT - timedelta(minutes=5), "email")
    (down,) = reach_of(plant.site, NIGHT).ways_down
    assert (down.channel, down.down_since) == ("email", NIGHT - timedelta(minutes=5))


# --- the night ----------------------------------------------------------------------------------------------


def reports() -> list[list[tuple[str, list[str]]]]:
    return [
        [(one["username"], one["faults"]) for one in message.data["people"]]
        for message in sent(Reason.REACHABILITY)
    ]


def unverify(plant: Plant, name: str) -> None:
    Person.objects.filter(username=name).update(mobile_verified_at=None)


def nights(count: int) -> None:
    for number in range(count):
        go(NIGHT + number * DAY)


def test_while_all_is_well_nobody_hears_of_it(plant: Plant) -> None:
    nights(3)
    assert reports() == []


def test_what_is_wrong_is_reported_at_three_by_the_plants_clock_by_email(plant: Plant) -> None:
    unverify(plant, "vela")
    go(wall("02:59"))
    assert reports() == []
    go(wall("03:00"))
    assert reports() == [[("vela", ["mobile_unverified"])]]
    assert told(Reason.REACHABILITY) == ["hutchins"]
    assert channels_of(plant["hutchins"]) == ["email"]


def test_a_doubt_is_said_once_and_an_error_every_night(plant: Plant) -> None:
    unverify(plant, "vela")
    nights(3)
    assert len(reports()) == 1
    Person.objects.filter(username="ishida").update(mobile="")
    for number in range(3, 6):
        go(NIGHT + number * DAY)
    assert len(reports()) == 4


def test_a_change_is_said_and_so_is_the_end_of_it(plant: Plant) -> None:
    unverify(plant, "vela")
    nights(1)
    unverify(plant, "ishida")
    go(NIGHT + DAY)
    Person.objects.update(mobile_verified_at=TUESDAY)
    go(NIGHT + 2 * DAY)
    go(NIGHT + 3 * DAY)
    assert [len(report) for report in reports()] == [1, 2, 0]
    assert sent(Reason.REACHABILITY)[-1].data["mended"] == ["Ishida", "Vela"]


def test_it_is_checked_once_a_night_however_often_the_round_runs(plant: Plant) -> None:
    unverify(plant, "vela")
    go(wall("03:00"))
    unverify(plant, "ishida")
    go(wall("03:30"), until=wall("13:00"))
    assert len(reports()) == 1


def test_after_an_outage_it_is_made_up_for_until_noon(plant: Plant) -> None:
    unverify(plant, "vela")
    go(wall("11:59"))
    assert len(reports()) == 1
    go(wall("12:01", day=TUESDAY + DAY))
    assert len(reports()) == 1


@pytest.mark.parametrize("day", [datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)])
def test_on_both_clock_changes_it_is_checked_once(plant: Plant, day: datetime) -> None:
    unverify(plant, "vela")
    for hour in range(24):
        rounds.go(day + timedelta(hours=hour))
        rounds.go(day + timedelta(hours=hour, minutes=30))
    assert len(reports()) == 1


def test_a_check_that_breaks_leaves_no_mark_and_keeps_no_other_round_from_running(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    unverify(plant, "vela")
    plant.raise_it(at=NIGHT - DAY)
    paint = make.make_pattern(site=plant.site, shifts={"N": (3, 9)}, crews={"N": ["N"] * 7})
    make.make_person("N", roles=[Role.IT_TECH], site=plant.site, crew=make.crew_of(paint, "N"))
    with monkeypatch.context() as patched:
        patched.setattr("escalation.rounds.reachability.reach_of", lambda *_args, **_kwargs: 1 / 0)
        go(NIGHT)
    assert len(sent(Reason.SHIFT_START)) == 1 and reports() == []
    go(NIGHT + timedelta(minutes=1))
    assert len(reports()) == 1


def test_who_stands_in_for_the_workers_goes_one_round_a_minute(plant: Plant) -> None:
    unverify(plant, "vela")
    assert rounds.stand_in(NIGHT).told == 1
    Notification.objects.all()
    with CaptureQueriesContext(connection) as asked:
        rounds.stand_in(NIGHT + timedelta(seconds=30))
    assert len(asked) == 1


# --- on every save ------------------------------------------------------------------------------------------


def signed_in(plant: Plant) -> Client:
    client = Client()
    client.force_login(plant["hutchins"])
    return client


def test_only_what_is_wrong_is_said_about_people_just_saved(plant: Plant) -> None:
    assert judged_now([plant["vela"]], NIGHT) == []
    RoleAssignment.objects.filter(person=plant["vela"]).delete()
    unverify(plant, "vela")
    assert judged_now([plant["vela"]], NIGHT) == []
    unverify(plant, "ishida")
    assert [one.faults for one in judged_now([plant["ishida"]], NIGHT)] == [(Fault.MOBILE_UNVERIFIED,)]


def person_form(person: Person, **changes: str) -> dict[str, str]:
    return {
        "username": person.username,
        "name": person.name,
        "site": str(person.site_id),
        "language": "en",
        "mobile": person.mobile,
        "email": person.email,
        "urgent_channels": "",
        "normal_channels": "",
        "is_active": "on",
        **{f"{rows}-{name}_FORMS": "0" for rows in ("role_assignments", "rosters") for name in FORMSET},
        **changes,
    }


FORMSET = ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")


def test_saving_a_person_says_at_once_that_they_cannot_be_reached_and_saves_all_the_same(
    plant: Plant,
) -> None:
    vela = plant["vela"]
    page = signed_in(plant).post(
        f"/admin/plant/person/{vela.pk}/change/", person_form(vela, mobile=""), follow=True
    )
    assert "Vela cannot be reached as planned: no mobile number. Enter their mobile number." in (
        page.content.decode()
    )
    vela.refresh_from_db()
    assert vela.mobile == ""


def test_a_new_number_is_not_verified_and_an_old_one_stays_so(plant: Plant) -> None:
    vela, client = plant["vela"], signed_in(plant)
    address = f"/admin/plant/person/{vela.pk}/change/"
    page = client.post(address, person_form(vela, title="Boss"), follow=True).content.decode()
    assert "may not be reached" not in page
    page = client.post(address, person_form(vela, mobile="+13135559999"), follow=True).content.decode()
    assert "Vela may not be reached: mobile number not verified." in page
    vela.refresh_from_db()
    assert (vela.mobile_verified_at, vela.email_verified_at) == (None, TUESDAY)


def test_saving_a_roster_says_it_too(plant: Plant) -> None:
    unverify(plant, "vela")
    roster = Roster.objects.get(person=plant["vela"])
    said = {"person": plant["vela"].pk, "crew": roster.crew_id, "first_day": "2026-06-01", "last_day": ""}
    page = signed_in(plant).post(f"/admin/plant/roster/{roster.pk}/change/", said, follow=True)
    assert "Vela may not be reached" in page.content.decode()


def test_a_stand_in_who_may_not_be_reached_is_named_when_cover_is_saved(plant: Plant) -> None:
    unverify(plant, "ishida")
    tomorrow = datetime.now(tz=UTC) + DAY
    said = {
        "absent": plant["vela"].pk,
        "stand_in": plant["ishida"].pk,
        "starts_at": f"{tomorrow:%Y-%m-%d}T06:00",
        "ends_at": f"{tomorrow:%Y-%m-%d}T14:00",
        "kind": "sick",
    }
    client = signed_in(plant)
    page = client.post("/setup/roster/cover/", said, follow=True)
    assert page.status_code == 200, page.content.decode()
    assert "Ishida may not be reached: mobile number not verified." in page.content.decode()


def test_taking_in_a_roster_names_whom_it_puts_on(plant: Plant) -> None:
    unverify(plant, "hutchins")
    content = f"person,pattern,crew,first_day,last_day\nhutchins,{plant.pattern.code},SH1,2030-01-01,\n"
    page = signed_in(plant).post("/setup/roster/import/", {"content": content}, follow=True).content.decode()
    assert "Hutchins may not be reached" in page


# --- the page, the panel and the API ------------------------------------------------------------------------


def test_the_page_says_what_is_wrong_with_whom_and_what_to_do(plant: Plant) -> None:
    unverify(plant, "vela")
    Person.objects.filter(username="ishida").update(email="")
    page = signed_in(plant).get("/setup/reach/").content.decode()
    assert "One person cannot be reached as planned" in page
    assert page.index("Ishida") < page.index("Vela")
    assert "No email address" in page and "Enter their email address." in page
    assert f"/admin/plant/person/{plant['vela'].pk}/change/" in page
    assert "5 people can be reached" in page


def test_an_empty_page_says_that_everybody_can_be_reached(plant: Plant) -> None:
    page = signed_in(plant).get("/setup/reach/").content.decode()
    assert "Everybody can be reached" in page and "What is wrong" not in page


def test_only_the_it_manager_of_the_site_sees_it(plant: Plant, client: Client) -> None:
    client.force_login(plant["vela"])
    assert client.get("/setup/reach/").status_code == 403
    assert "may not be reached" not in client.get("/setup/duty/").content.decode()
    assert client.get("/api/v1/plant/reachability/").status_code == 403


def test_the_duty_board_has_the_panel_for_the_it_manager(plant: Plant) -> None:
    unverify(plant, "vela")
    page = signed_in(plant).get("/setup/duty/").content.decode()
    assert "Who may not be reached" in page and "Mobile number not verified" in page
    assert f"/setup/reach/?site={plant.site.code}" in page


def test_programs_read_the_same(plant: Plant) -> None:
    unverify(plant, "vela")
    answer = signed_in(plant).get(f"/api/v1/plant/reachability/?site={plant.site.code}").json()
    assert (answer["site"], len(answer["people"])) == (plant.site.code, 7)
    assert answer["people"][0] == {
        "username": "vela",
        "name": "Vela",
        "roles": ["it_tech"],
        "level": "warning",
        "faults": [
            {
                "code": "mobile_unverified",
                "level": "warning",
                "what": "mobile number not verified",
                "to_do": "Send them a code, or ask them to do it under their settings.",
            }
        ],
    }
    assert [way["is_up"] for way in answer["ways"]] == [True, True, True]


def test_a_site_of_others_is_refused_and_an_unknown_one_is_malformed(plant: Plant) -> None:
    make.make_site("DSC")
    client = signed_in(plant)
    assert client.get("/api/v1/plant/reachability/?site=DSC").status_code == 403
    assert client.get("/api/v1/plant/reachability/?site=XXX").status_code == 400
    assert client.get("/setup/reach/?site=DSC").status_code == 404
