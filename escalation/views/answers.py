"""Who was asked to say "I've seen it", who did, and who has not yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils.translation import gettext as _

from escalation.models import Clock, Notification, Reason
from incidents.models import Incident
from plant.models import Person, Role
from plant.wording import names

ANSWERERS = frozenset(
    {
        Role.SUPERVISOR,
        Role.IT_MANAGER,
        Role.PRODUCTION_MANAGER,
        Role.MATERIALS_MANAGER,
        Role.DEPT_MANAGER,
        Role.PLANT_MANAGER,
        Role.IT_DIRECTOR,
    }
)
"""Each of them answers for themselves, whatever the policy asks (domain §4); IT answers by taking it."""

_ASKS = Q(wants_answer=True) | Q(
    role__in=ANSWERERS,
    reason__in=(Reason.STEP, Reason.FALLBACK),
    clock__in=(Clock.RESPONSE, Clock.CONTAINMENT),
)


def expects_answer(notification: Notification) -> bool:
    """Whether their silence is worth saying: the policy asks them, or their role answers for itself."""
    is_step = notification.reason in (Reason.STEP, Reason.FALLBACK)
    is_pressing = notification.clock in (Clock.RESPONSE, Clock.CONTAINMENT)
    return notification.wants_answer or (is_step and is_pressing and notification.role in ANSWERERS)


@dataclass(slots=True)
class Answers:
    """The people of one incident who were asked for an answer, in the order in which they were first told."""

    given: list[Person] = field(default_factory=list)
    missing: list[Person] = field(default_factory=list)

    def waits_for(self, person: Person) -> bool:
        return person in self.missing

    def sentence(self, reader: Person | None = None) -> str:
        """ "Joanne Whitlock has answered, Tomás Varela has not." Empty when nobody was asked."""
        given, missing = _names(self.given, reader), _names(self.missing, reader)
        if given and missing:
            return _("Answered: %(given)s. Not yet: %(missing)s.") % {"given": given, "missing": missing}
        if missing:
            return self.not_yet(reader)
        return _("Answered: %(given)s.") % {"given": given} if given else ""

    def not_yet(self, reader: Person | None = None) -> str:
        """Who has not answered; the reader is not told about themselves."""
        others = [person for person in self.missing if reader is None or person.pk != reader.pk]
        return _("No answer yet: %(missing)s.") % {"missing": names(others)} if others else ""


def _names(people: Iterable[Person], reader: Person | None) -> str:
    return names(_("you") if reader is not None and one.pk == reader.pk else one for one in people)


def answers(incidents: Iterable[Incident]) -> Mapping[int, Answers]:
    """The answers of many incidents in one query. Who answered once has answered, and so has the owner.

    Once product moves nobody is waited for.
    """
    stopped = {incident.pk: incident for incident in incidents if not incident.is_moving}
    found: dict[int, Answers] = defaultdict(Answers)
    asked = (
        Notification.objects.filter(_ASKS, incident_id__in=stopped)
        .select_related("person")
        .order_by("incident_id", "person_id", "answered_at", "created_at", "pk")
        .distinct("incident_id", "person_id")  # whoever is reminded for weeks is one row
    )
    for one in sorted(asked, key=lambda one: (one.created_at, one.pk)):
        has_answered = one.answered_at is not None or one.person_id == stopped[one.about_id].owner_id
        answers_of = found[one.about_id]
        (answers_of.given if has_answered else answers_of.missing).append(one.person)
    return found
