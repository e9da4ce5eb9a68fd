"""The band that says that messages about a place come together for a while."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from escalation.models import Storm
from escalation.views.panel import Band
from incidents.models import Incident
from plant.models import Site
from plant.wording import moment


def bands_at(site: Site, now: datetime) -> list[Band]:
    return _bands(Storm.objects.on().filter(site=site), now)


def bands_about(incident: Incident, now: datetime) -> list[Band]:
    """Practice has no storm, and what is closed tells nobody any more."""
    if incident.is_drill or not incident.is_open:
        return []
    return _bands(Storm.objects.on().filter(site=incident.site_id, area=incident.area_id), now)


def _bands(storms: Iterable[Storm], now: datetime) -> list[Band]:
    return [_band(storm, now) for storm in storms]


def _band(storm: Storm, now: datetime) -> Band:
    said = {"place": storm.place.name, "time": moment(storm.began_at, now)}
    return Band(
        _("Many problems in %(place)s since %(time)s: messages come together every 2 minutes.") % said,
        _("A line that goes down, and anything about safety, is still told at once."),
        tone="warn",
        icon="",
    )
