"""Whether a shift runs at all: what stands still where its crew works, in words."""

from __future__ import annotations

from collections import defaultdict

from django.utils.translation import gettext as _

from plant.roster.turns import Turn
from plant.snapshot import Scope
from plant.working_time import Stop, WorkingTime


def closed_note(hours: WorkingTime, turn: Turn) -> str:
    """ "Plant closed: Thanksgiving Day", or which areas of the crew stand still; empty when the shift runs.

    What counts is the moment the shift starts: a stop that comes later does not send anybody home here.
    """
    scopes = hours.known.scopes_of(turn.crew)
    stopped: defaultdict[Stop, list[Scope]] = defaultdict(list)
    for scope in scopes:
        if stop := hours.stop_of_shift(scope, turn.day, turn.starts_at):
            stopped[stop].append(scope)
    return ". ".join(_said(hours, stop, where, scopes) for stop, where in stopped.items())


def _said(hours: WorkingTime, stop: Stop, where: list[Scope], scopes: list[Scope]) -> str:
    if stop.is_whole_site and where == scopes:
        return _("Plant closed: %(why)s") % {"why": stop.why}
    names = ", ".join(hours.known.name_of(scope) for scope in where)
    return _("%(where)s closed: %(why)s") % {"where": names, "why": stop.why}
