"""The IT managers hear 12 h before nobody is on shift; again when it changed; not of what was mended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from escalation import outbox
from escalation.messages.notices import digest
from escalation.models import Delivery, Notification, Reason
from plant.models import CalendarEntry, Cover, CoverKind, Role
from tests import factories as make
from tests.rounds.plant import TUESDAY, Plant, channels_of, go, sent, told, wall

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def gaps() -> list[str]:
    return told(Reason.GAP_AHEAD)


def holes(number: int = -1) -> list[tuple[str, str, str]]:
    return [(one["role"], one["from"], one["to"]) for one in sent(Reason.GAP_AHEAD)[number].data["holes"]]


def send_away(plant: Plant, name: str, clock: str, *, hours: int = 8, **more: Any) -> Any:
    begins = wall(clock)
    return make.make_cover(
        plant[name], starts_at=begins, ends_at=begins + hours * HOUR, kind=CoverKind.SICK, **more
    )


def test_a_gap_is_told_twelve_hours_before_and_once(plant: Plant) -> None:
    send_away(plant, "ishida", "14:00")
    go(wall("01:50"))
    assert gaps() == []
    go(wall("02:00"))
    assert gaps() == ["hutchins"]
    assert go(wall("02:10"), until=wall("23:00")) == 0


def test_it_names_role_place_times_and_who_is_told_instead(plant: Plant) -> None:
    send_away(plant, "ishida", "14:00")
    go(wall("11:00"))
    (message,) = sent(Reason.GAP_AHEAD)
    (hole,) = message.data["holes"]
    assert (hole["role"], hole["where"]) == ("it_tech", plant.site.name)
    assert datetime.fromisoformat(hole["from"]) == wall("14:00")
    assert datetime.fromisoformat(hole["to"]) == wall("22:00")
    assert hole["told"] == ["Sorensen", "Vela"]
    outbox.drain(now=wall("11:00"))
    delivery = Delivery.objects.get()
    assert delivery.text.startswith("NOBODY ON SHIFT 14:00: IT technician, Millbrook Plant, until 22:00. ")
    assert "Told: Sorensen and Vela." in delivery.text
    assert delivery.text.endswith("/setup/roster/?day=2026-06-02")


def test_a_gap_that_opens_late_is_told_at_once(plant: Plant) -> None:
    go(wall("13:00"))
    send_away(plant, "ishida", "14:00")
    go(wall("13:01"))
    assert gaps() == ["hutchins"]


def test_what_was_mended_before_is_not_told(plant: Plant) -> None:
    cover = send_away(plant, "ishida", "14:00")
    go(wall("01:50"))
    cover.stand_in = plant["vela"]
    cover.save()
    go(wall("02:00"), until=wall("15:00"))
    assert gaps() == []


def test_what_changed_is_told_once_more(plant: Plant) -> None:
    cover = send_away(plant, "ishida", "14:00")
    go(wall("02:00"))
    cover.ends_at = wall("18:00")
    cover.save()
    go(wall("02:10"), until=wall("13:00"))
    assert len(gaps()) == 2
    assert [one.data["is_change"] for one in sent(Reason.GAP_AHEAD)] == [False, True]
    cover.ends_at = wall("22:00")
    cover.save()
    go(wall("13:10"), until=wall("13:50"))
    assert len(gaps()) == 3  # back as it was is a change too


def test_one_of_two_that_is_mended_is_no_news(plant: Plant) -> None:
    send_away(plant, "ishida", "14:00")
    second = send_away(plant, "fontaine", "14:00")
    go(wall("02:00"))
    second.stand_in = plant["petty"]
    second.save()
    go(wall("02:10"), until=wall("13:50"))
    assert len(gaps()) == 1


@pytest.mark.parametrize("others", [[], ["fontaine"]], ids=["the only one", "one of two"])
def test_what_was_mended_and_opens_again_is_told_again(plant: Plant, others: list[str]) -> None:
    cover = send_away(plant, "ishida", "14:00")
    for name in others:
        send_away(plant, name, "14:00")
    go(wall("02:00"))
    Cover.objects.filter(pk=cover.pk).update(stand_in=plant["vela"])
    go(wall("09:00"), until=wall("10:30"))
    assert gaps() == ["hutchins"]
    Cover.objects.filter(pk=cover.pk).update(stand_in=None)
    go(wall("11:00"), until=wall("13:50"))
    assert gaps() == ["hutchins", "hutchins"]
    assert holes(0) == holes(1)


def test_several_of_one_shift_are_one_message(plant: Plant) -> None:
    send_away(plant, "ishida", "14:00")
    send_away(plant, "fontaine", "16:00", hours=6)
    go(wall("02:00"), until=wall("13:00"))
    assert gaps() == ["hutchins"]
    assert [role for role, _from, _to in holes()] == ["it_tech", "team_leader"]


def test_two_shifts_are_two_messages(plant: Plant) -> None:
    send_away(plant, "ishida", "14:00")
    send_away(plant, "cruz", "22:00")
    go(wall("02:00"), until=wall("13:00"))
    assert gaps() == ["hutchins", "hutchins"]


def test_gaps_that_touch_are_one(plant: Plant) -> None:
    send_away(plant, "ishida", "14:00")
    send_away(plant, "sorensen", "22:00")
    go(wall("02:00"), until=wall("21:00"))
    assert gaps() == ["hutchins"]
    ((role, begins, ends),) = holes()
    assert (role, begins[:16], ends[:16]) == ("it_tech", "2026-06-02T18:00", "2026-06-03T10:00")


def test_one_that_goes_on_and_on_has_no_end_and_is_told_once(plant: Plant) -> None:
    send_away(plant, "ishida", "14:00", hours=24 * 9)
    send_away(plant, "sorensen", "14:00", hours=24 * 9)
    send_away(plant, "vela", "14:00", hours=24 * 9)
    for hours in range(0, 24 * 6, 6):
        go(wall("02:00") + hours * HOUR)
    assert gaps() == ["hutchins"]
    assert holes()[0][2] == ""


def test_a_gap_that_began_during_an_outage_is_told_within_the_hour_and_then_left_to_the_board(
    plant: Plant,
) -> None:
    send_away(plant, "ishida", "14:00")
    go(wall("15:01"))
    assert gaps() == []
    send_away(plant, "cruz", "22:00")
    go(wall("22:59"))
    assert gaps() == ["hutchins"]


def test_every_it_manager_is_told_and_a_stand_in_for_who_is_away(plant: Plant) -> None:
    plant.add("second", Role.IT_MANAGER, "SH1")
    plant.add("deputy", Role.SUPPORT)
    send_away(plant, "hutchins", "00:00", hours=48, stand_in=plant["deputy"])
    send_away(plant, "ishida", "14:00")
    go(wall("08:00"))
    assert gaps() == ["deputy", "second"]


def test_no_gap_is_told_while_the_plant_stands_still(plant: Plant) -> None:
    CalendarEntry.objects.create(
        site=plant.site, kind="shutdown", name="Summer", starts_at=TUESDAY, ends_at=TUESDAY + 48 * HOUR
    )
    send_away(plant, "ishida", "14:00")
    go(wall("02:00"), until=wall("13:00"))
    assert gaps() == []


@pytest.mark.parametrize(("at", "channel"), [("02:00", "email"), ("10:00", "email"), ("10:30", "sms")])
def test_only_what_begins_soon_is_a_text_message(plant: Plant, at: str, channel: str) -> None:
    send_away(plant, "ishida", "14:00")
    go(wall(at))
    assert channels_of(plant["hutchins"]) == [channel]


@pytest.mark.parametrize("day", ["2026-03-08", "2026-11-01"])
def test_on_both_clock_changes_it_is_twelve_hours_and_not_eleven_or_thirteen(plant: Plant, day: str) -> None:
    sunday = TUESDAY.replace(month=int(day[5:7]), day=int(day[8:]))
    begins = wall("06:00", day=sunday).astimezone(UTC)
    make.make_cover(plant["vela"], starts_at=begins, kind=CoverKind.SICK)
    before = [begins - timedelta(minutes=minutes) for minutes in range(14 * 60, 10 * 60, -20)]
    assert [(begins - now) / HOUR for now in before if go(now)] == [12]


def test_the_message_opens_the_week_at_the_day_it_is_about(plant: Plant, client: Any) -> None:
    client.force_login(plant["hutchins"])
    page = client.get(f"/setup/roster/?site={plant.site.code}&day=2026-06-04").content.decode()
    assert '<details class="drawer" id="day-2026-06-04" open>' in page
    assert page.count(" open><summary") == 1
    assert client.get("/setup/roster/?day=nonsense").status_code == 200


def test_a_message_about_a_gap_that_is_over_does_not_go_out(plant: Plant) -> None:
    send_away(plant, "ishida", "14:00")
    go(wall("13:00"))
    outbox.drain(now=wall("22:01"))
    assert Delivery.objects.get().state == "dropped"


def test_among_several_things_in_one_message_it_still_says_what_it_is(plant: Plant) -> None:
    for number, name in enumerate(("ishida", "fontaine", "sorensen", "cruz")):
        send_away(plant, name, ("14:00", "16:00", "22:00", "23:00")[number], hours=1)
        go(wall(("13:00", "13:01", "20:00", "20:01")[number]))
    messages = Notification.objects.filter(reason=Reason.GAP_AHEAD)
    things = digest.things_of(list(messages.select_related("site")), wall("20:01"))
    assert all("Nobody on shift as" in thing.state for thing in things)
    assert "Told instead:" in things[0].what
