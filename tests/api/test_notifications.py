from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from escalation import engine, outbox
from escalation.channels.email import message_id
from escalation.models import Delivery, Notification
from tests.api.calls import get, program
from tests.factories import NOW, Floor, raise_


def test_who_was_told_how_and_how_far_it_got(floor: Floor) -> None:
    tech, supervisor = floor.tech, floor.supervisor
    incident = raise_(floor)
    engine.tick(NOW)
    said = get(supervisor, f"incidents/{incident.number}/notifications/").json()["results"]
    assert {row["person"]["username"] for row in said} == {tech.username, supervisor.username}
    mine = next(row for row in said if row["person"]["username"] == tech.username)
    assert (mine["clock"], mine["role"], mine["answered_at"]) == ("response", "it_tech", None)
    (delivery,) = mine["deliveries"]
    assert (delivery["channel"], delivery["address"], delivery["state"]) == ("sms", tech.mobile, "queued")


def test_without_a_role_people_read_their_own_number_and_no_others(floor: Floor) -> None:
    tech, _supervisor = floor.tech, floor.supervisor
    incident = raise_(floor)
    engine.tick(NOW)
    tech.role_assignments.all().delete()
    for reader, reads in [(floor.operator, set()), (tech, {tech.username})]:
        said = get(reader, f"incidents/{incident.number}/notifications/").json()["results"]
        shown = {row["person"]["username"] for row in said for one in row["deliveries"] if one["address"]}
        assert len({row["person"]["username"] for row in said}) == 2 and shown == reads


@pytest.mark.parametrize("is_real", [False, True], ids=["sandbox", "really sent"])
def test_the_keys_to_answer_without_a_login_stay_theirs(floor: Floor, settings: Any, is_real: bool) -> None:
    incident = raise_(floor, by=floor.supervisor)
    assert floor.tech.mobile
    engine.tick(NOW)
    outbox.drain(NOW)
    if is_real:
        settings.SMS_URL, settings.EMAIL_URL = "twilio://a:b@api.example?from=1", "smtp://mail.example:25"
    for one in Delivery.objects.all():
        Delivery.objects.filter(pk=one.pk).update(provider_ref=message_id(one))
    answer = get(floor.tech, f"incidents/{incident.number}/notifications/").content.decode()
    secrets = [*Notification.objects.values_list("token", flat=True)]
    secrets += [message_id(one).split("-")[-1] for one in Delivery.objects.all()]
    assert "/a/…" in answer and not [one for one in secrets if one in answer]


def test_the_list_costs_the_same_for_many(floor: Floor, django_assert_max_num_queries: object) -> None:
    assert floor.tech and floor.supervisor and floor.manager
    incident = raise_(floor)
    for minutes in range(0, 120, 5):
        engine.tick(NOW + timedelta(minutes=minutes))
    assert Notification.objects.count() > 8
    client = program(floor.operator)
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        client.get(f"/api/v1/incidents/{incident.number}/notifications/")
