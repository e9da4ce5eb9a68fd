"""What a message says beside the incident: a gap in coverage, why it goes up, how late it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import override

from escalation import wording
from escalation.engine.subjects import Subject
from escalation.models import Timer
from escalation.recipients import Recipient, Resolved
from escalation.situation import ON_TIME
from escalation.steps import PolicyClocks
from plant.duty import DutyAnswer
from plant.models import Site


@dataclass(slots=True)
class Firing:
    """One timer that fires, with the people it tells."""

    timer: Timer
    subject: Subject
    policy: PolicyClocks
    resolved: Resolved
    late: timedelta

    @property
    def is_late(self) -> bool:
        return self.late > ON_TIME and not self.timer.goes_up_from


class Notes:
    """The notes of one batch of firings, in each reader's language and the plant's time.

    In a batch the same gap is said to many: each sentence is made once.
    """

    def __init__(self, firings: Sequence[Firing]) -> None:
        late = {firing.subject.site_id for firing in firings if firing.is_late}
        self._sites = {site.pk: site for site in Site.objects.filter(pk__in=late)} if late else {}
        self._said: dict[tuple[object, str], str] = {}
        self._kept: list[DutyAnswer] = []  # an answer is known by its id, so it must live as long as this

    def of(self, firing: Firing, recipient: Recipient) -> str:
        """The note for one person; empty for almost everybody."""
        if not (recipient.gaps or firing.is_late or firing.timer.goes_up_from):
            return ""
        language = recipient.person.language
        parts = [self._why(firing.timer.goes_up_from, language)]
        parts += [self._gap(gap, language) for gap in recipient.gaps]
        if firing.is_late:
            parts.append(self._lateness(firing, language))
        return " ".join(filter(None, parts))

    def _why(self, code: str, language: str) -> str:
        return self._once(code, language, lambda: wording.why_it_goes_up(code)) if code else ""

    def _gap(self, gap: DutyAnswer, language: str) -> str:
        self._kept.append(gap)
        return self._once(id(gap), language, lambda: gap.note)

    def _once(self, what: object, language: str, say: Callable[[], str]) -> str:
        if (what, language) not in self._said:
            with override(language):
                self._said[what, language] = say()
        return self._said[what, language]

    def _lateness(self, firing: Firing, language: str) -> str:
        tz = self._sites[firing.subject.site_id].tz
        minutes = int(firing.late.total_seconds() // 60)
        return self._once(
            (firing.timer.due_at, minutes, str(tz)), language, lambda: self._late_in(tz, firing)
        )

    def _late_in(self, tz: object, firing: Firing) -> str:
        with timezone.override(tz):  # type: ignore[arg-type]
            return wording.lateness(firing.timer, firing.late)
