"""The sentence on top of the dashboard, put together from what is true now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from escalation.views.lines import Cell
from incidents.models import Flow, Incident
from plant.wording import names

WORDS = (
    "0",
    "1",
    gettext_lazy("Two"),
    gettext_lazy("Three"),
    gettext_lazy("Four"),
    gettext_lazy("Five"),
    gettext_lazy("Six"),
    gettext_lazy("Seven"),
    gettext_lazy("Eight"),
    gettext_lazy("Nine"),
    gettext_lazy("Ten"),
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A shape (empty: none) and what it stands for."""

    glyph: str
    text: str


def sentences(
    cells: Sequence[Cell], *, unsafe: Sequence[Incident], trucks: Sequence[Incident], late: int, needs: int
) -> list[Sentence]:
    """Safety first, then what stands still, what leaves late, which dates passed; or that nothing does."""
    found = [
        *_safety(unsafe),
        *_down([cell for cell in cells if cell.state == "down"]),
        *_trucks(trucks),
        *_late(late),
    ]
    if found:
        return found
    if needs:
        text = ngettext("One problem needs you.", "%(count)s problems need you.", needs)
        return [Sentence("risk", text % {"count": number(needs)})]
    return [Sentence("", _("Nothing needs you."))]


def number(count: int) -> str:
    """From two on as words, at the start of a sentence; "one" is in the sentence itself, as it may bend."""
    return str(WORDS[count]) if count < len(WORDS) else str(count)


def _safety(unsafe: Sequence[Incident]) -> list[Sentence]:
    if not unsafe:
        return []
    where = names(dict.fromkeys(str(incident.line or incident.place) for incident in unsafe[:3]))
    return [Sentence("s", _("Someone could get hurt at %(where)s.") % {"where": where})]


def _down(down: Sequence[Cell]) -> list[Sentence]:
    if not down:
        return []
    if len(down) > 2:
        text = _("%(count)s lines are down.") % {"count": number(len(down))}
    else:
        lines = names(cell.line for cell in down)
        text = ngettext("%(lines)s is down.", "%(lines)s are down.", len(down)) % {"lines": lines}
    return [Sentence("down", text)]


def _trucks(trucks: Sequence[Incident]) -> list[Sentence]:
    """What may leave late, then what may come in late."""
    found: list[Sentence] = []
    leaving = sum(1 for one in trucks if one.flow == Flow.SHIPPING)
    if leaving:
        text = ngettext("One shipment is at risk.", "%(count)s shipments are at risk.", leaving)
        found.append(Sentence("risk", text % {"count": number(leaving)}))
    if len(trucks) > leaving:
        coming = len(trucks) - leaving
        text = ngettext("One delivery is at risk.", "%(count)s deliveries are at risk.", coming)
        found.append(Sentence("risk", text % {"count": number(coming)}))
    return found


def _late(count: int) -> list[Sentence]:
    if not count:
        return []
    text = ngettext("One date has passed.", "%(count)s dates have passed.", count)
    return [Sentence("late", text % {"count": number(count)})]
