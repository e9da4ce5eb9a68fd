"""A number or an address counts once its owner showed that they read what goes there."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from escalation import outbox, watch
from escalation.contact import proving
from escalation.models import Delivery, DeliveryState, Notification, Reason
from opsdesk.errors import Missing, NotAllowed, Refused
from plant.lifecycle import change_addresses
from plant.models import Person
from tests import factories as make

pytestmark = pytest.mark.django_db

As = Callable[[str], Client]


def texted(world: Any, name: str = "vela") -> str:
    """Send a code and read it off the phone."""
    proving.start(world[name], "sms", by=world[name], now=world.now)
    outbox.drain(world.now)
    text = Delivery.objects.filter(notification__reason=Reason.VERIFY).latest("pk").text
    return re.match(r"\d{6}", text).group()  # type: ignore[union-attr]


def fresh(person: Person) -> Person:
    return Person.objects.get(pk=person.pk)


def test_the_code_stands_first_in_the_text_message_and_verifies_the_number(world: Any) -> None:
    code = texted(world)
    proving.confirm_code(world["vela"], f" {code[:3]} {code[3:]} ", by=world["vela"], now=world.now)
    assert fresh(world["vela"]).mobile_verified_at == world.now


def test_a_wrong_code_verifies_nothing_and_five_end_the_right_one_too(world: Any) -> None:
    code = texted(world)
    wrong = "000000" if code != "000000" else "000001"
    for said in ["Look at the newest"] * (proving.WRONG_CODES - 1) + ["Ask for a new one"]:
        with pytest.raises(Refused, match=said):
            proving.confirm_code(world["vela"], wrong, by=world["vela"], now=world.now)
    with pytest.raises(Refused, match="no longer counts"):
        proving.confirm_code(world["vela"], code, by=world["vela"], now=world.now)
    assert fresh(world["vela"]).mobile_verified_at is None


def test_a_code_runs_out_and_a_newer_one_ends_it(world: Any) -> None:
    first = texted(world)
    late = world.now + proving.LASTS + timedelta(seconds=1)
    with pytest.raises(Refused, match="no longer counts"):
        proving.confirm_code(world["vela"], first, by=world["vela"], now=late)
    world.now += timedelta(minutes=11)
    second = texted(world)
    assert first != second
    with pytest.raises(Refused, match="not the code"):
        proving.confirm_code(world["vela"], first, by=world["vela"], now=world.now)


def test_the_code_of_one_number_does_not_verify_the_next(world: Any) -> None:
    code = texted(world)
    change_addresses(world["vela"], mobile="313 555 0199", email=world["vela"].email, by=world["vela"])
    proving.confirm_code(world["vela"], code, by=world["vela"], now=world.now)
    assert fresh(world["vela"]).mobile_verified_at is None


def test_nobody_enters_the_code_of_somebody_else(world: Any) -> None:
    code = texted(world)
    with pytest.raises(Refused) as refused:
        proving.confirm_code(world["vela"], code, by=world["hutchins"], now=world.now)
    assert refused.value.status == 403


def test_more_than_six_in_an_hour_are_refused_and_later_ones_are_not(world: Any) -> None:
    for _n in range(proving.MOST):
        proving.start(world["vela"], "sms", by=world["vela"], now=world.now)
    with pytest.raises(Refused) as refused:
        proving.start(world["vela"], "sms", by=world["vela"], now=world.now)
    assert refused.value.status == 429
    assert proving.start(world["vela"], "sms", by=world["vela"], now=world.now + proving.WITHIN)


def test_a_code_is_not_held_back_by_the_budget_of_text_messages(world: Any) -> None:
    for _n in range(4):
        proving.start(world["vela"], "sms", by=world["vela"], now=world.now)
    outbox.drain(world.now)
    assert {one.state for one in Delivery.objects.all()} == {DeliveryState.DELIVERED}


def test_without_a_number_or_after_stop_nothing_is_sent(world: Any) -> None:
    Person.objects.filter(pk=world["vela"].pk).update(mobile="")
    Person.objects.filter(pk=world["brandt"].pk).update(stopped_mobile=world["brandt"].mobile)
    for name, code in (("vela", "no_address"), ("brandt", "no_texts")):
        with pytest.raises(Refused) as refused:
            proving.start(world[name], "sms", by=world[name], now=world.now)
        assert refused.value.code == code
    assert not Notification.objects.exists()


def test_an_it_manager_starts_it_for_others_and_nobody_else_does(world: Any) -> None:
    assert proving.start(world["vela"], "sms", by=world["hutchins"], now=world.now)
    for name in ("brandt", "tillery"):
        with pytest.raises(NotAllowed):
            proving.start(world["vela"], "sms", by=world[name], now=world.now)


# --- the link ---


def link_to(world: Any, kind: Reason = Reason.VERIFY, channel: str = "email") -> str:
    send = proving.start if kind == Reason.VERIFY else proving.send_test
    send(world["vela"], channel, by=world["vela"], now=world.now)
    outbox.drain(world.now)
    text = Delivery.objects.latest("pk").text
    return "/v/" + re.search(r"/v/(\w+)/", text).group(1) + "/"  # type: ignore[union-attr]


def press(client: Client, link: str) -> Any:
    nonce = re.search(r'name="nonce" value="([^"]+)"', client.get(link).content.decode())
    return client.post(link, {"nonce": nonce.group(1) if nonce else ""})


def test_opening_the_link_changes_nothing_and_its_button_verifies_the_address(world: Any) -> None:
    link, client = link_to(world), Client(enforce_csrf_checks=True)
    for _n in range(3):
        assert client.get(link).status_code == 200
    client.head(link)
    assert fresh(world["vela"]).email_verified_at is None
    assert client.post(link, {"nonce": "forged"}).status_code == 200
    assert fresh(world["vela"]).email_verified_at is None
    assert "Thanks, Vela" in press(client, link).content.decode()
    assert fresh(world["vela"]).email_verified_at == world.now


def test_an_old_an_altered_and_an_unknown_link_all_give_the_same_plain_page(world: Any) -> None:
    link, client = link_to(world), Client()
    altered = link[:4] + ("A" if link[4] != "A" else "B") + link[5:]
    watch.beat(world.now)
    pages = [client.get(one) for one in (altered, "/v/ZZZZZZZZZZ/")]
    world.now += proving.LASTS + timedelta(seconds=1)
    watch.beat(world.now)
    pages.append(client.get(link))
    assert {page.status_code for page in pages} == {404}
    assert len({page.content for page in pages}) == 1
    assert b"Vela" not in pages[0].content


def test_a_link_to_an_old_address_does_not_verify_the_new_one(world: Any) -> None:
    link = link_to(world)
    change_addresses(world["vela"], mobile=world["vela"].mobile, email="new@example.com", by=world["vela"])
    press(Client(), link)
    assert fresh(world["vela"]).email_verified_at is None


def test_a_link_that_answers_for_an_incident_proves_nothing(world: Any, advance: Callable[..., None]) -> None:
    world.raise_it()
    advance(minutes=1)
    token = Notification.objects.filter(incident__isnull=False).values_list("token", flat=True)[0]
    assert Client().get(f"/v/{token}/").status_code == 404
    with pytest.raises(Missing):
        proving.confirm_link(token, now=world.now)


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_a_test_goes_by_that_channel_alone_and_its_receipt_shows_sent_delivered_answered(
    world: Any, as_: As, channel: str
) -> None:
    client = as_("vela")
    assert client.post(f"/profile/reach/{channel}/test/").status_code == 302
    assert "Waiting" in client.get("/profile/reach/").content.decode()
    outbox.drain(world.now)
    sent = Delivery.objects.get()
    assert sent.channel == channel
    page = client.get("/profile/reach/").content.decode()
    assert "sent 10:00:00" in page and "delivered 10:00:00" in page and "answered 10:00" not in page
    link = re.search(r"/v/\w+/", sent.text).group()  # type: ignore[union-attr]
    press(Client(), link)
    assert "answered 10:00:00" in client.get("/profile/reach/").content.decode()


def test_the_receipt_of_the_number_before_says_nothing_of_the_new_one(world: Any, as_: As) -> None:
    proving.send_test(world["vela"], "sms", by=world["vela"], now=world.now)
    outbox.drain(world.now)
    page = as_("vela").get("/profile/reach/").content.decode()
    assert "delivered" in page
    vela = fresh(world["vela"])
    change_addresses(vela, mobile="+13135550177", email=vela.email, by=vela)
    assert "delivered" not in as_("vela").get("/profile/reach/").content.decode()


def test_a_test_that_fails_says_why(world: Any, as_: As) -> None:
    proving.send_test(world["vela"], "sms", by=world["vela"], now=world.now)
    Delivery.objects.update(state=DeliveryState.FAILED, failed_at=world.now, error="No such number")
    assert "No such number" in as_("vela").get("/profile/reach/").content.decode()


def test_who_cannot_be_reached_gets_mended_by_verifying(world: Any) -> None:
    from plant.reachability import Fault, judged_now

    code = texted(world)
    proving.confirm_code(world["vela"], code, by=world["vela"], now=world.now)
    press(Client(), link_to(world))
    faults = {fault for one in judged_now([world["vela"]], world.now) for fault in one.faults}
    assert not faults & {Fault.MOBILE_UNVERIFIED, Fault.EMAIL_UNVERIFIED}


def test_somebody_without_a_site_gets_their_code_too(world: Any) -> None:
    alone = make.make_person("Ola Roamer", corporate=True)
    assert proving.start(alone, "sms", by=alone, now=world.now).site == world.site
