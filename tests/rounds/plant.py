"""A small plant in Detroit on three shifts, and what a test asks of the rounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from escalation import rounds
from escalation.models import Delivery, Notification, Reason
from incidents.models import Impact, Incident
from plant.models import Person, Role, ShiftPattern
from tests import factories as make
from tests.factories import DETROIT, Floor

TUESDAY = datetime(2026, 6, 2, tzinfo=DETROIT)


def wall(clock: str, *, day: datetime = TUESDAY) -> datetime:
    """That wall time of the day."""
    hour, minute = map(int, clock.split(":"))
    return day.replace(hour=hour, minute=minute)


@dataclass
class Plant:
    """``pattern`` has the crews SH1 06-14, SH2 14-22 and SH3 22-06, all seven days."""

    floor: Floor
    pattern: ShiftPattern
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def site(self) -> Any:
        return self.floor.site

    def __getitem__(self, name: str) -> Person:
        return self.people[name]

    def add(self, name: str, role: Role, shift: str = "", **fields: Any) -> Person:
        crew = make.crew_of(self.pattern, shift) if shift else None
        said = {"mobile_verified_at": TUESDAY, "email_verified_at": TUESDAY, "username": name, **fields}
        person = make.make_person(name.title(), roles=[role], site=self.site, crew=crew, **said)
        self.people[name] = person
        return person

    def raise_it(self, impact: Impact = Impact.STOPPED, *, at: datetime, **asked: Any) -> Incident:
        return make.raise_(self.floor, impact, by=self["petty"], now=at, **asked)


CAST = (
    ("vela", Role.IT_TECH, "SH1"),
    ("ishida", Role.IT_TECH, "SH2"),
    ("sorensen", Role.IT_TECH, "SH3"),
    ("petty", Role.TEAM_LEADER, "SH1"),
    ("fontaine", Role.TEAM_LEADER, "SH2"),
    ("cruz", Role.TEAM_LEADER, "SH3"),
    ("hutchins", Role.IT_MANAGER, ""),
)


def build_plant() -> Plant:
    """Nobody is missing on any shift; one IT manager, who is the site's last resort."""
    floor = make.make_floor()
    built = Plant(floor, make.make_three_shifts(site=floor.site))
    for name, role, shift in CAST:
        built.add(name, role, shift)
    floor.site.last_resort = built["hutchins"]
    floor.site.save(update_fields=["last_resort"])
    return built


def go(at: datetime, *, until: datetime | None = None) -> int:
    """A round, or one every half hour up to and with `until`; returns how many people were told."""
    told, now = 0, at
    while now <= (until or at):
        told += rounds.go(now.astimezone(timezone.get_default_timezone())).told
        now += timedelta(minutes=30)
    return told


def sent(reason: Reason) -> list[Notification]:
    return list(Notification.objects.filter(reason=reason).select_related("person").order_by("id"))


def told(reason: Reason) -> list[str]:
    return sorted(one.person.username for one in sent(reason))


def channels_of(person: Person) -> list[str]:
    return list(Delivery.objects.filter(notification__person=person).values_list("channel", flat=True))
