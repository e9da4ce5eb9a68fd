"""The outbox where only some messages stay: no link that answers for somebody is shown to anybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from escalation import outbox
from escalation.contact import proving
from escalation.models import Notification

pytestmark = pytest.mark.django_db


def test_an_sms_that_stays_does_not_show_the_link_of_an_email_that_left(
    world: Any, advance: Callable[..., None], as_: Callable[[str], Client], settings: Any
) -> None:
    world.raise_it()
    advance(minutes=1)
    settings.EMAIL_URL = "smtp://mail.example:25"
    assert as_("jimenez").get("/outbox/").status_code == 404
    body = as_("hutchins").get("/outbox/").content.decode()
    tokens = Notification.objects.values_list("token", flat=True)
    assert world["vela"].mobile in body and not [token for token in tokens if token in body]


@pytest.mark.parametrize("odd", ["²", "٣", "9" * 39, "-1"])
def test_odd_numbers_in_the_address_break_nothing(world: Any, as_: Callable[[str], Client], odd: str) -> None:
    client = as_("tillery")
    for name in ("before", "mail"):
        assert client.get("/outbox/", {name: odd}).status_code == 200


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_where_messages_go_out_nobody_reads_the_code_or_link_that_proves_an_address(
    world: Any, as_: Callable[[str], Client], settings: Any, channel: str
) -> None:
    sent = proving.start(world["vela"], channel, by=world["vela"], now=world.now)
    outbox.drain(world.now)
    assert proving.code_for(sent) in as_("hutchins").get("/outbox/").content.decode() or channel == "email"
    settings.EMAIL_URL = "smtp://mail.example:25"
    body = as_("hutchins").get("/outbox/").content.decode()
    assert 'class="letter"' in body
    assert proving.code_for(sent) not in body and sent.token not in body
