"""The webhook and the poll bring the same text in the same moment: it acts once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from escalation.inbound import Heard
from escalation.inbound.sms import take_sms
from escalation.models import Inbound
from tests.factories import fresh, make_floor, raise_

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 4


def test_one_message_in_four_processes_posts_one_update():
    floor = make_floor()
    incident, sender = raise_(floor), floor.tech.mobile
    ready = Barrier(AT_ONCE)

    def take(_n: int) -> Heard:
        try:
            ready.wait(timeout=30)
            words = f"{incident.number} spare printer is in"
            return take_sms(sender=sender, text=words, reference="SM1", provider="twilio")
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        heard = list(pool.map(take, range(AT_ONCE)))
    assert sorted(one.is_new for one in heard) == [False, False, False, True]
    assert {(one.did, one.reply) for one in heard} == {(heard[0].did, heard[0].reply)}
    assert fresh(incident).updates.count() == 1
    assert Inbound.objects.count() == 1
