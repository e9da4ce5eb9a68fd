"""The plant of the properties: three shifts, everybody the policies name, and clean tables each time."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from django.apps import apps
from django.db import connection

from escalation.defaults import DEFAULT_CLOCKS
from escalation.policies import publish
from plant.models import Cover, CoverKind, Person, Role
from tests import factories as make
from tests.scenarios.world import CAST, World, build_world

OPERATOR = "pat"
ROLES: dict[str, str] = {name: role.value for name, role, _shift in CAST} | {OPERATOR: ""}
NAMES = sorted(ROLES)
TECHNICIANS = sorted(name for name, role, _shift in CAST if role == Role.IT_TECH)
CREWS = {
    shift: [name for name, role, crew in CAST if role == Role.IT_TECH and crew == shift]
    for shift in ("SH1", "SH2", "SH3")
}

KEPT = {"escalation_policy", "incidents_category", "incidents_severityrule"}
"""What an example does not change."""


@dataclass
class Plant:
    """The world, and the addresses everybody starts an example with."""

    world: World
    addresses: dict[str, tuple[str, str]]

    def person(self, name: str) -> Person:
        return self.world[name]

    def is_new_day(self) -> None:
        """Forget all incidents and messages; everybody is at work and has a number again."""
        with connection.cursor() as cursor:
            cursor.execute(_forget())
        for name, (mobile, email) in self.addresses.items():
            self._reach(name, mobile=mobile, email=email)

    def lose(self, *, numbers: Iterable[str], mails: Iterable[str]) -> None:
        for name in numbers:
            self._reach(name, mobile="")
        for name in mails:
            self._reach(name, email="")

    def _reach(self, name: str, **addresses: str) -> None:
        person = self.world[name]
        if any(getattr(person, field) != value for field, value in addresses.items()):
            Person.objects.filter(pk=person.pk).update(**addresses)
            for field, value in addresses.items():
                setattr(person, field, value)

    def are_sick(self, names: Iterable[str], *, since: datetime) -> None:
        for name in names:
            Cover.objects.create(
                absent=self.world[name],
                starts_at=since - timedelta(days=1),
                ends_at=since + timedelta(days=365),
                kind=CoverKind.SICK,
            )

    def ways(self) -> dict[int, set[str]]:
        """The channels by which each person can be reached."""
        return {
            person.pk: {way for way, to in (("sms", person.mobile), ("email", person.email)) if to}
            for person in self.world.people.values()
        }


def build_plant() -> Plant:
    world = build_world()
    world.people[OPERATOR] = make.make_person("Pat Operator", username=OPERATOR, site=world.site)
    _ask_managers_to_answer(world)
    return Plant(world, {name: (one.mobile, one.email) for name, one in world.people.items()})


def _ask_managers_to_answer(world: World) -> None:
    """In the area the last step of each S1 ladder asks everybody for an answer; its minutes stay."""
    clocks = deepcopy(DEFAULT_CLOCKS["S1"])
    for clock in ("response", "containment", "closure"):
        clocks[clock][-1]["answer"] = True
    publish(by=None, severity="S1", clocks=clocks, why="Managers answer", area=world.area)


def _tables() -> list[str]:
    models = [
        model
        for label in ("incidents", "countermeasures", "escalation")
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
    ]
    return sorted({model._meta.db_table for model in models} - KEPT | {"plant_cover"})


@cache
def _forget() -> str:
    """Rows are few: deleting them is ten times as fast as TRUNCATE. The triggers that forbid it are off."""
    rows = "".join(f'DELETE FROM "{table}";' for table in _tables())
    return f"BEGIN; SET LOCAL session_replication_role = replica; {rows} COMMIT"
