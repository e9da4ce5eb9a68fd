"""Who plays and where: the plant by its keys, and who may check, confirm or decide."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from incidents.models import Category, Flow, Incident
from incidents.permissions import Action, can
from plant.models import Person, Station, System

FLOOR_BY_AREA = {
    "MBK-ASM": ("jimenez", "boone", "cruz"),
    "MBK-PNT": ("jimenez", "boone"),
    "MBK-SHP": ("pruitt", "moreau"),
    "MBK-RCV": ("pruitt", "moreau"),
    "MBK-MLD": ("baptiste", "ferrante"),
    "DSC-SEQ": ("adair",),
    "DSC-WHS": ("adair",),
}
"""Whoever knows whether it really runs, nearest first; `ANYWHERE` where nobody of them may."""

ANYWHERE = ("jimenez", "pruitt", "tillery", "prewitt", "hutchins", "okafor")


class Cast:
    """The people and places of the demo plant, read once."""

    @cached_property
    def people(self) -> dict[str, Person]:
        return {p.username: p for p in Person.objects.active().with_roles()}

    @cached_property
    def stations(self) -> dict[str, Station]:
        return {s.code: s for s in Station.objects.select_related("line__area__site")}

    @cached_property
    def systems(self) -> dict[str, System]:
        return {s.code: s for s in System.objects.select_related("site")}

    @cached_property
    def categories(self) -> dict[str, Category]:
        return {c.code: c for c in Category.objects.all()}

    def who_may(self, action: Action, incident: Incident, *, but: Iterable[Person | None] = ()) -> Person:
        """Somebody who may do it here and is not one of `but`: whoever is nearest to the place first."""
        others = set(but)
        near = FLOOR_BY_AREA.get(incident.area.code if incident.area else "", ())
        for name in (*near, *ANYWHERE):
            person = self.people[name]
            if person not in others and can(person, action, incident):
                return person
        raise LookupError(f"nobody may {action} {incident.code}")

    def manager_of(self, incident: Incident) -> Person:
        """The manager who decides: of materials where product moves by truck, of production elsewhere."""
        return self.people["prewitt" if Flow(incident.flow).is_materials else "tillery"]
