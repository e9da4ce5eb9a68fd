"""What an incident is called: its title, its headline and the one word for how it stands."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from incidents.models import Impact, Incident, Status

TITLE_LENGTH = 60
"""Characters of a title, so that it fits an SMS next to number, state, place and link (language §9)."""


def default_title(incident: Incident) -> str:
    """A title for who gave none: "Label printing: Door Panel Line D1", at most 60 characters."""
    kind, place = str(incident.category), incident.place
    for title in (f"{kind}: {place}", f"{kind}: {place.code}", f"{kind[: TITLE_LENGTH - 26]}: {place.code}"):
        if len(title) <= TITLE_LENGTH:
            return title
    return kind[:TITLE_LENGTH]


def has_default_title(incident: Incident) -> bool:
    """Whether the title says no more than category and place do."""
    titles = set()
    for language in ("en", "es"):
        with override(language):
            titles.add(default_title(incident))
    return incident.title in titles


def title(incident: Incident) -> str:
    """The title somebody wrote; where nobody did, category and place in the reader's language."""
    if incident.is_drill:
        return _("Practice: %(state)s") % {"state": incident.place}
    return default_title(incident) if has_default_title(incident) else incident.title


def what(incident: Incident) -> str:
    """What is wrong in a few words: the title somebody wrote, else their first sentence, or the category."""
    if incident.is_drill:
        return _("Nothing is wrong, just say that you got this")
    if incident.title and not has_default_title(incident):
        return incident.title
    return _first_sentence(incident.words) or str(incident.category)


def _first_sentence(text: str) -> str:
    """Up to the first stop that ends a sentence, without the stop."""
    line = " ".join(text.split())
    end = line.find(". ")
    return (line if end < 0 else line[:end]).rstrip(".")


def headline(incident: Incident) -> str:
    """The title of a page or card as a sentence: "Door Panel Line D1 is stopped"."""
    said = _headline(incident)
    return _("Practice: %(state)s") % {"state": said} if incident.is_drill else said


def _headline(incident: Incident) -> str:
    place = str(incident.line or incident.place)
    if not incident.line_id and incident.system_id and incident.system:
        return _("%(state)s: %(place)s") % {"state": state(incident), "place": incident.system.plain_name}
    sentence = _HEADLINE_OF_STATUS.get(incident.status) or _HEADLINE_OF_IMPACT[incident.level]
    return _(sentence) % {"place": place}


_HEADLINE_OF_STATUS: dict[str, str] = {
    Status.CONTAINED: gettext_noop("%(place)s: product is moving"),
    Status.RESOLVED: gettext_noop("%(place)s: the fix is being proved"),
    Status.CLOSED: gettext_noop("%(place)s: closed"),
}


_HEADLINE_OF_IMPACT: dict[str, str] = {
    Impact.SAFETY: gettext_noop("Someone could get hurt at %(place)s"),
    Impact.STOPPED: gettext_noop("%(place)s is stopped"),
    Impact.AT_RISK: gettext_noop("%(place)s is at risk"),
    Impact.WORKAROUND: gettext_noop("%(place)s runs on a workaround"),
    Impact.NONE: gettext_noop("%(place)s has a small problem"),
}


def state(incident: Incident) -> str:
    """The one screen word for how it stands: how bad it is until product moves, then its status."""
    if incident.is_moving:
        return str(Status(incident.status).label)
    return str(incident.level.label)
