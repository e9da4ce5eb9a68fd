"""Who can be asked to help with an incident: by name on a screen, by code from a program."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from incidents.lifecycle.helping import HELPERS, on_duty, others
from incidents.models import Incident
from opsdesk.errors import Invalid
from plant.duty import DutyBook
from plant.models import Person, Role, Vendor, VendorContact
from plant.wording import names

VENDORS_SHOWN = 3
NAMES_SHOWN = 3
UNKNOWN = gettext_lazy("Ask somebody by username, a role (it_specialist, it_lead) or a vendor by its code.")


@dataclass(frozen=True, slots=True)
class Number:
    """Somebody to call: the vendor's desk, or who is called when the desk does not answer."""

    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One button: `who` is what it asks for, `name` who that is, `more` as what, `numbers` to call."""

    who: str
    name: str
    more: str
    numbers: tuple[Number, ...] = ()

    @property
    def is_vendor(self) -> bool:
        return self.who.startswith("vendor:")


def choices(incident: Incident, *, by: Person, now: datetime, book: DutyBook | None = None) -> list[Choice]:
    """The specialist and the lead on duty where it is, then the vendors of what fails there."""
    book = book or DutyBook.load(now, until=now + timedelta(hours=1))
    found = (_of_role(role, incident, by, book, now) for role in HELPERS)
    return [*(one for one in found if one is not None), *(_of_vendor(one) for one in vendors(incident))]


def _of_role(role: Role, incident: Incident, by: Person, book: DutyBook, now: datetime) -> Choice | None:
    answer = on_duty(book, incident, role, now)
    people = others(answer, incident, by)
    if not people:
        return None
    here = all(book.is_on_shift(person, now) for person in people)
    more = _("%(role)s, on shift now") if here else _("%(role)s, off shift")
    return Choice(f"role:{role.value}", names(people, most=NAMES_SHOWN), more % {"role": role.label})


def _of_vendor(vendor: Vendor) -> Choice:
    hours = {"hours": vendor.support_hours}
    more = _("Vendor, support %(hours)s") % hours if vendor.support_hours else _("Vendor")
    return Choice(f"vendor:{vendor.code}", vendor.name, more, numbers(vendor))


def vendors(incident: Incident) -> list[Vendor]:
    """Of its system; where that is not known, of the systems that its station uses."""
    found = Vendor.objects.prefetch_related("contacts").distinct()
    if incident.system_id:
        return list(found.filter(systems=incident.system_id))
    if not incident.station_id:
        return []
    return list(found.filter(systems__stations=incident.station_id)[:VENDORS_SHOWN])


def numbers(vendor: Vendor) -> tuple[Number, ...]:
    """The desk, then the person who is called when it does not answer."""
    contacts: Iterable[VendorContact] = vendor.contacts.all()
    last = [Number(one.name, one.phone) for one in contacts if one.is_escalation and one.phone]
    desk = [Number(vendor.name, vendor.phone)] if vendor.phone else []
    return (*desk, *last)


def named(text: str) -> Person | Role | Vendor:
    """Who a program or a button means: a role, else a username, else a vendor's code.

    A button says which with "role:", "person:" or "vendor:". Raises Invalid (`unknown_helper`).
    """
    kind, mark, code = text.strip().rpartition(":")
    wanted = (kind,) if mark else ("role", "person", "vendor")
    for one in wanted:
        found = _FIND[one](code) if one in _FIND else None
        if found is not None:
            return found
    raise Invalid("unknown_helper", UNKNOWN, fields={"who": [UNKNOWN]})


def _role(code: str) -> Role | None:
    return Role(code) if code in HELPERS else None


def _person(username: str) -> Person | None:
    return Person.objects.active().filter(username=username).first()


def _vendor(code: str) -> Vendor | None:
    return Vendor.objects.filter(code=code).first()


_FIND = {"role": _role, "person": _person, "vendor": _vendor}
