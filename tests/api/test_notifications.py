from __future__ import annotations

from datetime import timedelta

from escalation import engine
from escalation.models import Notification
from tests.api.calls import get, program
from tests.factories import NOW, Floor, raise_


def test_who_was_told_how_and_how_far_it_got(floor: Floor) -> None:
    tech, supervisor = floor.tech, floor.supervisor
    incident = raise_(floor)
    engine.tick(NOW)
    said = get(floor.operator, f"incidents/{incident.number}/notifications/").json()["results"]
    assert {row["person"]["username"] for row in said} == {tech.username, supervisor.username}
    mine = next(row for row in said if row["person"]["username"] == tech.username)
    assert (mine["clock"], mine["role"], mine["answered_at"]) == ("response", "it_tech", None)
    (delivery,) = mine["deliveries"]
    assert (delivery["channel"], delivery["address"], delivery["state"]) == ("sms", tech.mobile, "queued")


def test_the_key_to_answer_without_a_login_stays_theirs(floor: Floor) -> None:
    assert floor.tech and floor.supervisor
    incident = raise_(floor)
    engine.tick(NOW)
    answer = get(floor.operator, f"incidents/{incident.number}/notifications/")
    tokens = list(Notification.objects.values_list("token", flat=True))
    assert tokens and not any(token in answer.content.decode() for token in tokens)


def test_the_list_costs_the_same_for_many(floor: Floor, django_assert_max_num_queries: object) -> None:
    assert floor.tech and floor.supervisor and floor.manager
    incident = raise_(floor)
    for minutes in range(0, 120, 5):
        engine.tick(NOW + timedelta(minutes=minutes))
    assert Notification.objects.count() > 8
    client = program(floor.operator)
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        client.get(f"/api/v1/incidents/{incident.number}/notifications/")
