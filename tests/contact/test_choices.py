"""What people choose about how they are told, on the page and by the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from typing import Any

import pytest
from django.test import Client

from opsdesk.errors import Invalid, NotAllowed, Refused
from plant.lifecycle import Choices, change_addresses, choose_ways
from plant.models import Person, SiteCalendar
from plant.numbers import mobile_of
from tests.screens.reading import words

pytestmark = pytest.mark.django_db

As = Callable[[str], Client]


def fresh(person: Person) -> Person:
    return Person.objects.get(pk=person.pk)


@pytest.mark.parametrize(
    ("text", "country", "kept"),
    [
        ("(313) 555-0101", "US", "+13135550101"),
        ("313.555.0101", "US", "+13135550101"),
        ("1 313 555 0101", "US", "+13135550101"),
        ("81 2345 6789", "MX", "+528123456789"),
        ("+52 81 2345 6789", "US", "+528123456789"),
        ("0170 1234567", "DE", "+491701234567"),
        ("  ", "US", ""),
    ],
)
def test_a_number_is_taken_as_people_write_it(text: str, country: str, kept: str) -> None:
    assert mobile_of(text, country) == kept


@pytest.mark.parametrize("text", ["12", "555-0114", "call me", "+1 313 555 0101 0101 0101", "²²²²²²²²"])
def test_what_can_be_no_number_is_refused_in_words(text: str) -> None:
    with pytest.raises(Invalid, match="no telephone number"):
        mobile_of(text)


def test_without_a_country_code_it_is_a_number_of_the_sites_country(world: Any) -> None:
    SiteCalendar.objects.update_or_create(site=world.site, defaults={"country": "MX"})
    vela = world["vela"]
    assert change_addresses(vela, mobile="81 2345 6789", email=vela.email, by=vela).mobile == "+528123456789"


def test_a_new_number_is_not_verified_and_the_same_in_other_words_still_is(world: Any) -> None:
    vela = world["vela"]
    Person.objects.filter(pk=vela.pk).update(
        mobile="+13135550101", mobile_verified_at=world.now, email_verified_at=world.now
    )
    change_addresses(vela, mobile="(313) 555-0101", email=vela.email, by=vela)
    assert fresh(vela).mobile_verified_at == world.now
    change_addresses(vela, mobile="313 555 0102", email=vela.email, by=vela)
    assert fresh(vela).mobile_verified_at is None and fresh(vela).email_verified_at == world.now


def test_nobody_takes_the_address_that_somebody_else_signs_in_with(world: Any) -> None:
    vela = world["vela"]
    with pytest.raises(Refused, match="Somebody else"):
        change_addresses(vela, mobile=vela.mobile, email=world["brandt"].email.upper(), by=vela)


@pytest.mark.parametrize(
    "wrong",
    [
        Choices(urgent=["digest"]),
        Choices(urgent=["pigeon"]),
        Choices(normal=["sms", "sms"]),
        Choices(works_from=time(7)),
        Choices(works_from=time(7), works_until=time(7)),
        Choices(works_from=time(7), works_until=time(9), works_days=[]),
        Choices(works_from=time(7), works_until=time(9), works_days=[7]),
        Choices(language="xx"),
    ],
)
def test_choices_that_cannot_be_are_refused(world: Any, wrong: Choices) -> None:
    with pytest.raises(Invalid):
        choose_ways(world["vela"], wrong, by=world["vela"])


def test_only_the_person_and_their_it_manager_choose(world: Any) -> None:
    choose_ways(world["vela"], Choices(urgent=["email"]), by=world["hutchins"])
    with pytest.raises(NotAllowed):
        choose_ways(world["vela"], Choices(), by=world["tillery"])
    assert fresh(world["vela"]).urgent_channels == ["email"]


FORM = {
    "urgent_0": "email",
    "urgent_1": "sms",
    "normal_0": "digest",
    "works_from": "07:00",
    "works_until": "16:00",
    "works_days": ["0", "2"],
}


def test_the_page_keeps_what_is_chosen_and_shows_it_again(world: Any, as_: As) -> None:
    client = as_("vela")
    assert client.post("/profile/reach/choices/", FORM).status_code == 302
    vela = fresh(world["vela"])
    assert vela.urgent_channels == ["email", "sms"] and vela.normal_channels == ["digest"]
    assert vela.works_from == time(7) and vela.works_days == [0, 2]
    page = client.get("/profile/reach/").content.decode()
    assert '<option value="email" selected>' in page and 'value="07:00"' in page


def test_what_is_wrong_is_said_and_nothing_is_kept(world: Any, as_: As) -> None:
    client = as_("vela")
    refused = client.post("/profile/reach/choices/", FORM | {"urgent_1": "email"})
    assert refused.status_code == 400 and "Name each way once." in words(refused)
    refused = client.post("/profile/reach/choices/", FORM | {"works_from": "25:99"})
    assert refused.status_code == 400 and "Enter a valid time." in words(refused)
    refused = client.post("/profile/reach/addresses/", {"mobile": "12", "email": world["vela"].email})
    assert refused.status_code == 400 and "no telephone number" in words(refused)
    assert fresh(world["vela"]).urgent_channels == []


def test_after_a_refusal_the_address_of_a_form_leads_back_to_the_page(world: Any, as_: As) -> None:
    for form in ("choices", "addresses", "code", "sms/verify", "sms/test"):
        assert as_("vela").get(f"/profile/reach/{form}/").headers["Location"] == "/profile/reach/"
    others = "/setup/people/vela/reach/"
    assert as_("hutchins").get(f"{others}sms/test/").headers["Location"] == others
    assert as_("vela").get("/setup/people/hutchins/reach/choices/").status_code == 403


def test_an_it_manager_opens_the_page_of_others_and_others_do_not(world: Any, as_: As) -> None:
    page = as_("hutchins").get("/setup/people/vela/reach/")
    assert page.status_code == 200 and "How Vela is told" in words(page)
    assert as_("brandt").get("/setup/people/vela/reach/").status_code == 403
    assert as_("hutchins").get("/setup/people/nobody/reach/").status_code == 404


def test_the_board_of_who_would_answer_marks_a_number_that_nobody_verified(world: Any, as_: As) -> None:
    Person.objects.update(mobile_verified_at=world.now, email_verified_at=world.now)
    assert "not verified" not in words(as_("hutchins").get("/setup/duty/"))
    Person.objects.filter(username="vela").update(mobile_verified_at=None)
    assert "not verified" in words(as_("hutchins").get("/setup/duty/"))


def test_the_api_reads_changes_and_proves(world: Any, as_: As) -> None:
    client = as_("vela")
    asked = {"mobile": "313 555 0188", "normal": ["email"], "works_from": "07:00", "works_until": "16:00"}
    body = client.patch("/api/v1/me/contact/", asked, content_type="application/json").json()
    assert body["mobile"] == "+13135550188" and body["normal"] == ["email"] and body["urgent"] == []
    assert client.post("/api/v1/me/contact/sms/verify/").status_code == 201
    wrong = client.post("/api/v1/me/contact/code/", {"code": "x"}, content_type="application/json")
    assert wrong.status_code == 409 and wrong.json()["code"] == "wrong_code"
    assert client.get("/api/v1/me/contact/sms/test/").status_code == 404
    assert client.post("/api/v1/me/contact/sms/test/").json()["state"] == "queued"
    assert client.get("/api/v1/me/contact/sms/test/").json()["answered_at"] is None
    assert client.post("/api/v1/me/contact/pigeon/test/").status_code == 404
    bad = client.patch("/api/v1/me/contact/", {"urgent": ["digest"]}, content_type="application/json")
    assert bad.status_code == 400
