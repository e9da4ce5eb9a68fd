from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError

from incidents.models import Event, EventKind
from tests.factories import Floor, raise_

ATTEMPTS = [
    "UPDATE incidents_event SET words = 'Never happened'",
    "UPDATE incidents_event SET id = id",
    "DELETE FROM incidents_event",
    "DELETE FROM incidents_event WHERE kind = 'raised'",
    "INSERT INTO incidents_event SELECT * FROM incidents_event ON CONFLICT (id) DO UPDATE SET words = 'x'",
]


@pytest.mark.parametrize("sql", ATTEMPTS)
def test_the_database_refuses_to_change_or_remove_an_event(floor: Floor, sql: str) -> None:
    incident = raise_(floor, words="No labels")
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    assert [event.words for event in incident.events.all()] == ["No labels"]


def test_neither_does_the_orm(floor: Floor) -> None:
    event = raise_(floor).events.get()
    event.words = "Never happened"
    for attempt in (event.save, event.delete, Event.objects.all().delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            attempt()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Event.objects.update(words="x")


def test_an_incident_with_a_timeline_is_not_removed(floor: Floor) -> None:
    with pytest.raises(ProtectedError):
        raise_(floor).delete()


def test_adding_goes_on(floor: Floor) -> None:
    incident = raise_(floor)
    Event.objects.create(incident=incident, at=incident.raised_at, kind=EventKind.TOLD, version=1)
    assert incident.events.count() == 2
