"""How often it was the same: "third time in 30 days"."""

from __future__ import annotations

from django.utils.translation import gettext as _

from incidents.models import Incident


def again(incident: Incident) -> str:
    """The mark of an incident: how often it was the same, in how many days; empty for the first time."""
    times = incident.times_again
    return how_often(*times) if times else ""


def how_often(times: int, days: int) -> str:
    """ "third time in 30 days". From the seventh on it is counted in figures."""
    said = {
        2: _("second time in %(days)s days"),
        3: _("third time in %(days)s days"),
        4: _("fourth time in %(days)s days"),
        5: _("fifth time in %(days)s days"),
        6: _("sixth time in %(days)s days"),
    }
    return said.get(times, _("%(times)s times in %(days)s days")) % {"times": times, "days": days}
