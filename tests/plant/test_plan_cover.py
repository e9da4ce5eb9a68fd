"""Cover and swaps from the week: what is refused in words, what is asked first, and what is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from opsdesk.errors import NotAllowed, Refused
from plant.duty import who_is_on_duty
from plant.lifecycle import ShiftTime, add_cover, change_cover, end_cover, remove_cover, swap_shifts
from plant.models import Cover, CoverKind, Person, Role
from plant.roster.doubts import doubts_about
from tests.factories import DETROIT, crew_of, give_role, make_cover, make_person, make_site, make_three_shifts

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 1, 9, tzinfo=DETROIT)
SIX, TWO = datetime(2026, 6, 3, 6, tzinfo=DETROIT), datetime(2026, 6, 3, 14, tzinfo=DETROIT)
TEN = TWO + timedelta(hours=8)
HOUR = timedelta(hours=1)


@pytest.fixture
def plant() -> Any:
    site = make_site("MBK")
    pattern = make_three_shifts(site=site, days=5)
    first, second = crew_of(pattern, "SH1"), crew_of(pattern, "SH2")
    site.last_resort = make_person("Dale Hutchins", roles=[Role.IT_MANAGER], site=site, crew=first)
    site.save()
    return SimpleNamespace(
        site=site,
        hutchins=site.last_resort,
        vela=make_person("Marcus Vela", roles=[Role.IT_TECH], site=site, crew=first),
        ishida=make_person("Jun Ishida", roles=[Role.IT_TECH], site=site, crew=second),
        brandt=make_person("Keisha Brandt", roles=[Role.IT_LEAD], site=site, crew=first),
    )


def plan(plant: Any, **asked: Any) -> Cover:
    asked = {
        "by": plant.hutchins,
        "absent": plant.vela,
        "stand_in": plant.ishida,
        "starts_at": SIX,
        "ends_at": TWO,
        "now": NOW,
        **asked,
    }
    return add_cover(**asked)


def refused(do: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        do()
    return caught.value.code


# --- what is refused ----------------------------------------------------------------------------------------


def test_cover_planned_today_changes_who_is_on_duty_then(plant: Any) -> None:
    plan(plant, kind=CoverKind.SICK, note="flu")
    answer = who_is_on_duty(Role.IT_TECH, plant.site, SIX)
    assert [person.name for person in answer.people] == ["Jun Ishida"]
    assert LogEntry.objects.get().user == plant.hutchins


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.IT_MANAGER, Role.IT_LEAD)])
def test_nobody_but_it_managers_and_leads_plans_cover(plant: Any, role: Role) -> None:
    other = make_person(roles=[role], site=plant.site)
    with pytest.raises(NotAllowed):
        plan(plant, by=other)


def test_an_it_lead_plans_cover_at_their_own_site_only(plant: Any) -> None:
    assert plan(plant, by=plant.brandt).pk
    elsewhere = make_site("DSC")
    with pytest.raises(NotAllowed):
        plan(plant, by=plant.brandt, absent=make_person("Far", site=elsewhere))


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"ends_at": SIX}, "ends_before_it_starts"),
        ({"starts_at": NOW - timedelta(days=2), "ends_at": NOW}, "in_the_past"),
        ({"ends_at": SIX + timedelta(days=400)}, "too_long"),
        ({"starts_at": SIX.replace(year=2062), "ends_at": TWO.replace(year=2062)}, "too_long"),
    ],
)
def test_times_that_cannot_be_are_refused_in_words(plant: Any, asked: dict[str, Any], code: str) -> None:
    assert refused(lambda: plan(plant, **asked)) == code
    assert not Cover.objects.exists()


def test_nobody_is_away_twice_at_the_same_time(plant: Any) -> None:
    plan(plant)
    later = {"starts_at": TWO - timedelta(minutes=1), "ends_at": TEN}
    assert refused(lambda: plan(plant, **later)) == "away_already"
    assert plan(plant, starts_at=TWO, ends_at=TEN).pk, "right after it is free"


def test_who_is_away_or_has_left_cannot_stand_in(plant: Any) -> None:
    make_cover(plant.ishida, starts_at=SIX)
    assert refused(lambda: plan(plant)) == "stand_in_away"
    assert refused(lambda: plan(plant, stand_in=plant.vela)) == "same_person"
    gone = make_person("Gone", site=plant.site, is_active=False)
    assert refused(lambda: plan(plant, stand_in=gone)) == "has_left"


def test_a_refusal_names_the_person_and_the_field(plant: Any) -> None:
    make_cover(plant.ishida, starts_at=SIX)
    with pytest.raises(Refused, match="Jun Ishida is away then too") as caught:
        plan(plant)
    assert list(caught.value.fields or {}) == ["stand_in"]


@pytest.mark.django_db(transaction=True)
def test_two_planners_at_once_send_one_person_away_once(plant: Any) -> None:
    """Both find nobody away; the lock lets the second one see what the first one saved."""
    together, codes = Barrier(2), []

    def one() -> None:
        together.wait()
        try:
            plan(plant, stand_in=None)
            codes.append("saved")
        except Refused as refusal:
            codes.append(refusal.code)
        finally:
            connection.close()

    threads = [Thread(target=one) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["away_already", "saved"]


# --- what has begun, and what is over -----------------------------------------------------------------------


def change(plant: Any, cover: Cover, now: datetime, **asked: Any) -> Cover:
    kept = {name: getattr(cover, name) for name in ("stand_in", "starts_at", "ends_at", "kind", "note")}
    return change_cover(cover.pk, by=plant.hutchins, now=now, **{**kept, **asked})


def test_future_cover_is_changed_and_removed(plant: Any) -> None:
    cover = plan(plant)
    assert change(plant, cover, NOW, stand_in=None, ends_at=TEN).ends_at == TEN
    remove_cover(cover.pk, by=plant.hutchins, now=NOW)
    assert not Cover.objects.exists()


def test_cover_that_has_begun_ends_early_but_is_not_taken_off_the_record(plant: Any) -> None:
    cover, during = plan(plant), SIX + timedelta(hours=1)
    earlier = {"starts_at": SIX - timedelta(hours=1)}
    assert refused(lambda: change(plant, cover, during, **earlier)) == "cover_has_begun"
    assert refused(lambda: remove_cover(cover.pk, by=plant.hutchins, now=during)) == "cover_has_begun"
    noon = SIX + timedelta(hours=6)
    assert change(plant, cover, during, ends_at=noon).ends_at == noon


def test_what_is_over_stays_as_it_was(plant: Any) -> None:
    cover = plan(plant)
    assert refused(lambda: change(plant, cover, TWO, ends_at=TEN)) == "cover_is_over"
    assert refused(lambda: remove_cover(cover.pk, by=plant.hutchins, now=TWO)) == "cover_is_over"
    assert refused(lambda: remove_cover(0, by=plant.hutchins)) == "unknown_cover"


def on_duty(plant: Any, at: datetime) -> list[str]:
    return [person.name for person in who_is_on_duty(Role.IT_TECH, plant.site, at).people]


@pytest.mark.parametrize("ends", [timedelta(0), timedelta(minutes=59), timedelta(hours=1)])
def test_an_end_that_has_passed_means_that_they_are_back_now(plant: Any, ends: timedelta) -> None:
    cover, during = plan(plant), SIX + timedelta(hours=1)
    assert on_duty(plant, during) == ["Jun Ishida"]
    assert change(plant, cover, during, ends_at=SIX + ends).ends_at == during
    assert on_duty(plant, during) == ["Marcus Vela"]
    assert on_duty(plant, SIX) == ["Jun Ishida"], "it stays on record"


def test_an_end_before_the_start_is_a_slip_and_puts_nobody_back(plant: Any) -> None:
    cover, during = plan(plant), SIX + timedelta(hours=1)
    last_year = SIX - timedelta(days=365)
    assert refused(lambda: change(plant, cover, during, ends_at=last_year)) == "ends_before_it_starts"


def test_whoever_is_back_is_on_at_once_and_may_be_sent_away_again(plant: Any) -> None:
    cover, during = plan(plant, stand_in=None), SIX + timedelta(hours=1)
    assert refused(lambda: end_cover(cover.pk, by=plant.hutchins, now=SIX)) == "cover_has_not_begun"
    with pytest.raises(NotAllowed):
        end_cover(cover.pk, by=plant.vela, now=during)
    assert end_cover(cover.pk, by=plant.brandt, now=during).ends_at == during
    assert refused(lambda: end_cover(cover.pk, by=plant.hutchins, now=during)) == "cover_is_over"
    assert LogEntry.objects.count() == 2
    assert plan(plant, stand_in=None, starts_at=during, now=during).pk


def test_who_is_back_is_back_even_when_the_stand_in_has_left_or_is_away(plant: Any) -> None:
    cover, during = plan(plant), SIX + timedelta(hours=1)
    make_cover(plant.ishida, starts_at=SIX)
    Person.objects.filter(pk=plant.ishida.pk).update(is_active=False)
    assert change(plant, cover, during, ends_at=SIX).ends_at == during


# --- swaps --------------------------------------------------------------------------------------------------


def test_two_who_swap_each_work_the_shift_of_the_other(plant: Any) -> None:
    day = timedelta(days=1)
    swap_shifts(
        by=plant.brandt,
        first=plant.vela,
        first_shift=ShiftTime(SIX, TWO),
        second=plant.ishida,
        second_shift=ShiftTime(TWO + day, TEN + day),
        now=NOW,
    )
    on = [who_is_on_duty(Role.IT_TECH, plant.site, at).people for at in (SIX, TWO, SIX + day, TWO + day)]
    assert [people[0].name for people in on] == ["Jun Ishida", "Jun Ishida", "Marcus Vela", "Marcus Vela"]


def test_half_a_swap_is_no_swap(plant: Any) -> None:
    day = timedelta(days=1)
    make_cover(plant.ishida, starts_at=TWO + day)
    asked: dict[str, Any] = {
        "by": plant.brandt,
        "first": plant.vela,
        "first_shift": ShiftTime(SIX, TWO),
        "second": plant.ishida,
        "now": NOW,
    }
    taken = ShiftTime(TWO + day, TEN + day)
    assert refused(lambda: swap_shifts(**asked, second_shift=taken)) == "away_already"
    assert Cover.objects.count() == 1
    assert refused(lambda: swap_shifts(**asked, second_shift=ShiftTime(SIX, TWO))) == "same_time"


# --- what is asked first ------------------------------------------------------------------------------------


def doubts(plant: Any, **asked: Any) -> str:
    fields = {"absent": plant.vela, "stand_in": plant.ishida, "starts_at": SIX, "ends_at": TWO, **asked}
    return " ".join(doubt.sentence for doubt in doubts_about(Cover(**fields)))


def test_a_stand_in_with_the_role_and_the_time_raises_no_doubt(plant: Any) -> None:
    assert doubts(plant) == ""


def test_a_stand_in_who_works_then_or_does_not_hold_the_role_raises_doubt(plant: Any) -> None:
    said = doubts(plant, stand_in=plant.brandt)
    assert "Keisha Brandt works then already: from Wed 3 Jun" in said
    assert "Keisha Brandt does not hold the role IT technician" in said


def test_a_stand_in_nobody_can_text_raises_doubt(plant: Any) -> None:
    plant.ishida.mobile = ""
    plant.ishida.save()
    assert "no mobile number" in doubts(plant)


def test_the_gap_that_would_open_is_said_before_it_is_saved(plant: Any) -> None:
    assert "Nobody on shift as IT technician, so Jun Ishida is told off shift." in doubts(
        plant, stand_in=None
    )
    make_person("Second", roles=[Role.IT_TECH], site=plant.site, crew=plant.vela.rosters.get().crew)
    assert doubts(plant, stand_in=None) == ""


# --- the screen ---------------------------------------------------------------------------------------------


def wall(at: datetime) -> str:
    return at.astimezone(DETROIT).strftime("%Y-%m-%dT%H:%M")


def next_shift(person: Any) -> tuple[datetime, datetime]:
    """Tomorrow or later, on a day the first shift works."""
    day = timezone.localtime(timezone=DETROIT).replace(hour=6, minute=0, second=0, microsecond=0)
    day += timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return day, day.replace(hour=14)


def posted(plant: Any, **more: Any) -> dict[str, Any]:
    start, end = next_shift(plant.vela)
    fields = {
        "absent": plant.vela.pk,
        "stand_in": plant.ishida.pk,
        "starts_at": wall(start),
        "ends_at": wall(end),
        "kind": "sick",
    }
    return {**fields, **more}


def test_the_form_saves_cover_and_goes_back_to_the_week_it_came_from(plant: Any, client: Client) -> None:
    client.force_login(plant.hutchins)
    back = "/setup/roster/?week=2026-W23"
    response = client.post("/setup/roster/cover/", posted(plant, next=back))
    assert (response.status_code, response["Location"]) == (302, back)
    cover = Cover.objects.get()
    assert (cover.starts_at, cover.ends_at) == next_shift(plant.vela)
    far = client.post(f"/setup/roster/cover/{cover.pk}/remove/", {"next": "https://elsewhere.example.com/"})
    assert far["Location"].startswith("/setup/roster/?site=MBK")
    assert not Cover.objects.exists()


def test_a_doubt_is_shown_once_and_then_it_is_saved_all_the_same(plant: Any, client: Client) -> None:
    client.force_login(plant.hutchins)
    asked = posted(plant, stand_in=plant.brandt.pk)
    page = client.post("/setup/roster/cover/", asked)
    assert page.status_code == 200 and not Cover.objects.exists()
    assert "works then already" in page.content.decode()
    accepted = [doubt.code for doubt in page.context["doubts"]]
    assert client.post("/setup/roster/cover/", {**asked, "accept": accepted}).status_code == 302
    assert Cover.objects.get().stand_in == plant.brandt


def test_a_refusal_keeps_every_word_and_says_why(plant: Any, client: Client) -> None:
    client.force_login(plant.hutchins)
    client.post("/setup/roster/cover/", posted(plant))
    page = client.post("/setup/roster/cover/", posted(plant, note="from his doctor"))
    assert page.status_code == 409
    said = page.content.decode()
    assert "Marcus Vela is away then already" in said and "from his doctor" in said


@pytest.mark.parametrize("wrong", [{"starts_at": "soon"}, {"absent": ""}, {"kind": "x"}, {"ends_at": ""}])
def test_what_is_missing_is_said_beside_the_field(plant: Any, client: Client, wrong: dict[str, str]) -> None:
    client.force_login(plant.hutchins)
    assert client.post("/setup/roster/cover/", posted(plant, **wrong)).status_code == 400


def test_an_hour_that_happens_twice_is_its_first_one(plant: Any, client: Client) -> None:
    """01:30 on the night the clock goes back: Django's own field refuses it."""
    year = timezone.now().year
    nights = [datetime(year + more, 11, day, 1, 30, tzinfo=DETROIT) for more in (0, 1) for day in range(1, 8)]
    night = next(n for n in nights if n.utcoffset() != n.replace(fold=1).utcoffset() and n > timezone.now())
    client.force_login(plant.hutchins)
    asked = posted(plant, starts_at=wall(night), ends_at=f"{night:%Y-%m-%d}T06:00", accept=[])
    page = client.post("/setup/roster/cover/", asked)
    asked["accept"] = [doubt.code for doubt in page.context["doubts"]] if page.status_code == 200 else []
    if page.status_code == 200:
        assert client.post("/setup/roster/cover/", asked).status_code == 302
    assert Cover.objects.get().starts_at == night.astimezone(UTC)


@pytest.mark.parametrize(
    "asked",
    [
        "absent=99999999999999999999&from=nonsense",
        "absent=x&from=0001-01-01T00:00:00%2B14:00&until=9999-12-31T23:59:59-12:00",
        "from=2026-06-03T06:00:00",
    ],
)
def test_an_address_that_makes_no_sense_opens_the_empty_form(plant: Any, client: Client, asked: str) -> None:
    client.force_login(plant.hutchins)
    assert client.get(f"/setup/roster/cover/?{asked}").status_code == 200


def test_who_does_not_plan_is_not_let_in(plant: Any, client: Client) -> None:
    cover = make_cover(plant.vela, starts_at=next_shift(plant.vela)[0])
    client.force_login(plant.vela)
    for address in ("/setup/roster/cover/", f"/setup/roster/cover/{cover.pk}/", "/setup/roster/swap/"):
        assert client.get(address).status_code == 403
        assert client.post(address, posted(plant)).status_code == 403
    assert client.post(f"/setup/roster/cover/{cover.pk}/remove/").status_code == 403
    assert Cover.objects.get() == cover


def test_cover_of_another_site_is_not_there(plant: Any, client: Client) -> None:
    other = make_person("Far", site=make_site("DSC"))
    cover = make_cover(other, starts_at=timezone.now() + timedelta(days=1))
    client.force_login(plant.hutchins)
    assert client.get(f"/setup/roster/cover/{cover.pk}/").status_code == 404


def test_cover_of_somebody_of_another_site_who_holds_a_role_here_is_kept_from_here(
    plant: Any, client: Client
) -> None:
    far = make_person("Far", site=make_site("DSC", timezone="Europe/Berlin"))
    give_role(far, Role.IT_TECH, site=plant.site)
    second = make_site("MBS")
    give_role(plant.hutchins, Role.IT_MANAGER, site=second)
    start, end = next_shift(plant.vela)
    client.force_login(plant.hutchins)
    asked = posted(plant, absent=far.pk)
    assert client.post("/setup/roster/cover/?site=MBK", asked).status_code == 302
    cover = Cover.objects.get()
    page = client.get(f"/setup/roster/cover/{cover.pk}/?site=MBK")
    assert (page.status_code, page.context["site"]) == (200, plant.site)
    said = page.content.decode()
    assert f'value="{wall(start)}"' in said and f'<option value="{plant.ishida.pk}" selected>' in said
    there = client.get(f"/setup/roster/cover/{cover.pk}/?site=MBS")
    assert there.context["site"] == second
    assert f'<option value="{plant.ishida.pk}" selected>' in there.content.decode(), "nobody is lost"
    changed = {**asked, "stand_in": "", "ends_at": wall(end + HOUR)}
    assert client.post(f"/setup/roster/cover/{cover.pk}/?site=MBK", changed).status_code == 302
    cover.refresh_from_db()
    assert (cover.stand_in, cover.ends_at) == (None, end + HOUR)
    assert "site=MBK" in client.post(f"/setup/roster/cover/{cover.pk}/remove/?site=MBK")["Location"]
    assert not Cover.objects.exists()


def test_two_shifts_are_swapped_by_tapping_them(plant: Any, client: Client) -> None:
    client.force_login(plant.brandt)
    address = f"/setup/roster/swap/?first={plant.vela.pk}&second={plant.ishida.pk}"
    form = client.get(address).context["form"]
    first, second = form.fields["first_shift"].choices[0][0], form.fields["second_shift"].choices[5][0]
    response = client.post(address, {"first_shift": first, "second_shift": second})
    if response.status_code == 200:
        accept = [doubt.code for doubt in response.context["doubts"]]
        response = client.post(address, {"first_shift": first, "second_shift": second, "accept": accept})
    assert response.status_code == 302
    assert {(one.absent.name, one.kind) for one in Cover.objects.all()} == {
        ("Marcus Vela", "swap"),
        ("Jun Ishida", "swap"),
    }
    assert client.post(address, {"first_shift": "1", "second_shift": second}).status_code == 400


def test_the_same_person_is_not_swapped_with_themselves(plant: Any, client: Client) -> None:
    client.force_login(plant.brandt)
    page = client.get(f"/setup/roster/swap/?first={plant.vela.pk}&second={plant.vela.pk}").content.decode()
    assert "Choose somebody else." in page


def test_cover_that_cannot_be_taken_off_is_shown_with_its_stand_in(plant: Any, client: Client) -> None:
    now = timezone.now()
    begun = make_cover(plant.vela, stand_in=plant.ishida, starts_at=now - timedelta(hours=1))
    client.force_login(plant.hutchins)
    page = client.post(f"/setup/roster/cover/{begun.pk}/remove/")
    assert page.status_code == 409
    assert f'<option value="{plant.ishida.pk}" selected>' in page.content.decode()


def test_one_tap_puts_back_who_was_sent_away_by_mistake(plant: Any, client: Client) -> None:
    now = timezone.now()
    begun = make_cover(plant.vela, stand_in=plant.ishida, starts_at=now - timedelta(seconds=40))
    client.force_login(plant.hutchins)
    address = f"/setup/roster/cover/{begun.pk}/"
    assert f'action="{address}back/?site=MBK"' in client.get(address).content.decode()
    page = client.post(f"{address}back/", {"next": "/setup/roster/"}, follow=True)
    assert "Marcus Vela is back." in page.content.decode()
    begun.refresh_from_db()
    assert now <= begun.ends_at <= timezone.now()
    assert client.post(f"{address}back/").status_code == 409


def test_an_end_that_has_passed_is_taken_by_the_form_as_back_now(plant: Any, client: Client) -> None:
    start = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=5)
    begun = make_cover(plant.vela, stand_in=plant.brandt, starts_at=start)
    client.force_login(plant.hutchins)
    asked = posted(plant, stand_in=plant.brandt.pk, starts_at=wall(start), ends_at=wall(start))
    page = client.post(f"/setup/roster/cover/{begun.pk}/", {**asked, "next": "/setup/roster/"}, follow=True)
    assert "Marcus Vela is back." in page.content.decode()
    begun.refresh_from_db()
    assert start < begun.ends_at <= timezone.now()


def test_programs_put_somebody_back_by_the_same_rules(plant: Any) -> None:
    begun = make_cover(plant.vela, starts_at=timezone.now() - timedelta(hours=1))
    address = f"/api/v1/plant/cover/{begun.pk}/back/"
    program = APIClient()
    program.force_authenticate(plant.ishida)
    assert program.post(address).status_code == 403
    program.force_authenticate(plant.brandt)
    assert program.post(address).status_code == 200
    begun.refresh_from_db()
    assert begun.ends_at <= timezone.now()
    again = program.post(address)
    assert (again.status_code, again.data["code"]) == (409, "cover_is_over")
