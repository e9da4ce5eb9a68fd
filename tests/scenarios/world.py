"""A plant with people on three shifts, and a clock that a test moves: `advance(minutes=…)`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db.models import Min

from escalation import outbox
from escalation.engine import tick
from escalation.models import Delivery, Notification, Reason, Timer
from incidents import lifecycle
from incidents.models import Category, Impact, Incident
from plant.models import Area, Crew, Line, Person, Role, RoleAssignment, Roster, Site, Station
from tests import factories as make

MORNING = datetime(2025, 11, 4, 15, 0, tzinfo=UTC)
"""A Tuesday, 10:00 by the clock in Detroit: first shift."""

TURN = timedelta(seconds=15)
"""How far the moved clock goes between two turns of the engine."""


@dataclass
class World:
    """The plant, its people by name, and the clock."""

    now: datetime
    site: Site
    area: Area
    line: Line
    station: Station
    category: Category
    people: dict[str, Person] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Person:
        return self.people[name]

    def raise_it(self, impact: str = "stopped", **fields: Any) -> Incident:
        place: dict[str, Any] = {"station": self.station} | fields
        incident, _created = lifecycle.raise_incident(
            by=self["petty"], category=self.category, impact=Impact(impact), now=self.now, **place
        )
        return incident

    def say(self, incident: Incident, who: str = "vela") -> Incident:
        """A word from its owner, so that it stays theirs."""
        return lifecycle.post_update(
            incident.number,
            by=self[who],
            conditions="Labels do not print",
            actions="Moving to the spare printer",
            needs="No needs",
            now=self.now,
        )

    def at(self, clock: str) -> datetime:
        """Today at this wall time, such as "21:58"."""
        hour, minute = map(int, clock.split(":"))
        return self.now.astimezone(self.site.tz).replace(hour=hour, minute=minute, second=0, microsecond=0)


def build_world() -> World:
    """One area on three shifts, with a person for every role that the default policies name."""
    site = make.make_site("MBK")
    area = make.make_area("MBK-ASM", site=site)
    line = make.make_line("ASM-D1", area=area)
    station = make.make_station("ASM-D1-060", line=line)
    category = make.make_category()
    found = World(MORNING, site, area, line, station, category)
    pattern = make.make_three_shifts(site=site, areas=[area])
    found.people = _cast(site, {crew.code: crew for crew in pattern.crews.all()})
    site.last_resort = found["hutchins"]
    site.save(update_fields=["last_resort"])
    return found


def _cast(site: Site, crews: dict[str, Crew]) -> dict[str, Person]:
    """All at once: nearly every test needs them, and one by one they took most of its time."""
    people = {
        name: Person(
            name=name.title(),
            username=name,
            site=site,
            email=f"{name}@example.com",
            mobile=f"+1313555{100 + n:04d}",
            password=make_password(None),
        )
        for n, (name, _role, _shift) in enumerate(CAST)
    }
    Person.objects.bulk_create(people.values())
    RoleAssignment.objects.bulk_create(
        RoleAssignment(person=people[name], role=role, site=site) for name, role, _shift in CAST
    )
    Roster.objects.bulk_create(
        Roster(person=people[name], crew=crews[shift], first_day=date(2025, 1, 6))
        for name, _role, shift in CAST
        if shift
    )
    return people


CAST = (
    ("vela", Role.IT_TECH, "SH1"),
    ("ishida", Role.IT_TECH, "SH2"),
    ("sorensen", Role.IT_TECH, "SH3"),
    ("brandt", Role.IT_LEAD, "SH1"),
    ("kowal", Role.IT_SPECIALIST, "SH1"),
    ("jimenez", Role.SUPERVISOR, "SH1"),
    ("boone", Role.SUPERVISOR, "SH2"),
    ("kowalczyk", Role.SUPERVISOR, "SH3"),
    ("petty", Role.TEAM_LEADER, "SH1"),
    ("hutchins", Role.IT_MANAGER, ""),
    ("tillery", Role.PRODUCTION_MANAGER, ""),
    ("prewitt", Role.MATERIALS_MANAGER, ""),
    ("okafor", Role.PLANT_MANAGER, ""),
    ("fairbanks", Role.IT_DIRECTOR, ""),
    ("lindqvist", Role.DEPT_MANAGER, ""),
    ("oyelaran", Role.SUPPORT, ""),
)


def advance(world: World, end: datetime, *, turn: timedelta = TURN) -> None:
    """Move the clock on to `end`, turn by turn; the engine ticks and the outbox empties at each."""
    while True:
        while True:  # what could not be sent may have brought a step forward
            done, sent = tick(now=world.now), outbox.drain(now=world.now)
            if not (done.read or done.fired or sent.failed):
                break
        if world.now >= end:
            return
        world.now = min(end, _next_moment(world.now, end, turn))


def _next_moment(now: datetime, end: datetime, turn: timedelta) -> datetime:
    """The next moment at which something may happen: skipping quiet hours keeps the tests quick."""
    due = Timer.objects.armed().order_by("due_at").values_list("due_at", flat=True).first()
    queued = Delivery.objects.queued().order_by("not_before").values_list("not_before", flat=True).first()
    asked = Notification.objects.aggregate(next=Min("ask_again_at"))["next"]
    moments = [moment for moment in (due, queued, asked) if moment is not None]
    return max(now + turn, min([end, *moments]))


def told(incident: Incident, *, clock: str = "", reason: str = Reason.STEP) -> list[tuple[int, str]]:
    """(minutes after it was raised, username) of everybody who was told, in order."""
    rows = Notification.objects.filter(incident=incident, reason=reason)
    if clock:
        rows = rows.filter(clock=clock)
    return [
        (int((one.created_at - incident.raised_at).total_seconds() // 60), one.person.username)
        for one in rows.select_related("person").order_by("created_at", "id")
    ]
