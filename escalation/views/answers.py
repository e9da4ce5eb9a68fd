"""Who was asked to say "I've seen it", who did, and who has not yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from escalation.asks import NOT_ANSWERED
from escalation.models import Clock, Notification, Reason
from incidents.models import Incident
from plant.models import Person, Role
from plant.wording import moment, names

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


def standing(ask: Notification | None, now: datetime) -> str:
    """How it stands with somebody's newest ask: "asked again 14:10 · next 14:15", "asked 4 times".

    A time that has passed is never said as one to come.
    """
    if ask is None:
        return ""
    if is_given_up(ask):
        return _("asked %(times)s times") % {"times": ask.times_asked}
    parts = []
    if ask.times_asked > 1:
        parts.append(_("asked again %(time)s") % {"time": moment(ask.created_at, now)})
    if ask.ask_again_at is not None and ask.ask_again_at > now:
        parts.append(_("next %(time)s") % {"time": moment(ask.ask_again_at, now)})
    return " · ".join(parts)


def is_given_up(ask: Notification | None) -> bool:
    """Whether they were asked as often as anybody is, and nobody asks again."""
    return ask is not None and NOT_ANSWERED in ask.data


@dataclass(slots=True)
class Answers:
    """The people of one incident who were asked for an answer, in the order in which they were first told.

    `newest` holds the newest ask of those whom a step asks for an answer and who have not given it.
    """

    now: datetime = field(default_factory=timezone.now)
    given: list[Person] = field(default_factory=list)
    missing: list[Person] = field(default_factory=list)
    newest: dict[int, Notification] = field(default_factory=dict)

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
        """Who has not answered and when they are asked again; the reader is not told about themselves."""
        others = [person for person in self.missing if reader is None or person.pk != reader.pk]
        over = self._said(person for person in others if is_given_up(self.newest.get(person.pk)))
        waiting = self._said(person for person in others if not is_given_up(self.newest.get(person.pk)))
        said = [_("Not answered: %(who)s.") % {"who": over}] if over else []
        return " ".join([*said, *([_("No answer yet: %(who)s.") % {"who": waiting}] if waiting else [])])

    def _said(self, people: Iterable[Person]) -> str:
        """Those of whom the same is known together: "Prewitt, asked again 14:10 · next 14:15; Boone"."""
        alike: dict[str, list[Person]] = {}
        for person in people:
            alike.setdefault(standing(self.newest.get(person.pk), self.now), []).append(person)
        groups = sorted(alike.items(), key=lambda group: not group[0])
        return "; ".join(", ".join(filter(None, [names(group), how])) for how, group in groups)


def _names(people: Iterable[Person], reader: Person | None) -> str:
    return names(_("you") if reader is not None and one.pk == reader.pk else one for one in people)


def answers(incidents: Iterable[Incident], now: datetime | None = None) -> Mapping[int, Answers]:
    """The answers of many incidents in two queries. Who answered once has answered, and so has the owner.

    Once product moves nobody is waited for.
    """
    stopped = {incident.pk: incident for incident in incidents if not incident.is_moving}
    found: dict[int, Answers] = defaultdict(partial(Answers, now or timezone.now()))
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
    for ask in _newest_asks(stopped):
        found[ask.about_id].newest[ask.person_id] = ask
    return found


def _newest_asks(incidents: Iterable[int]) -> Iterable[Notification]:
    """Of everybody who is asked for an answer and has not given it, the newest message that asks."""
    asked = Notification.objects.filter(wants_answer=True, answered_at=None, incident_id__in=list(incidents))
    newest = asked.order_by("incident_id", "person_id", "-created_at", "-pk")
    return newest.distinct("incident_id", "person_id")
