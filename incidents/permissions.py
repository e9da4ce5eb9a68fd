"""Who may do what to an incident: the table of domain §6, asked inside the lifecycle and by the screens."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident
from opsdesk.errors import NotAllowed
from plant.models import Person, Role, Site


class Action(models.TextChoices):
    """What somebody wants to do; the label finishes the sentence "Your role cannot …"."""

    RAISE = "raise", _("raise this")
    ADD_WORDS = "add_words", _("add words or photos")
    ACKNOWLEDGE = "acknowledge", _("take this")
    UPDATE = "update", _("say what is new")
    ASK_HELP = "ask_help", _("ask somebody to help")
    CONTAIN = "contain", _("say that product is moving")
    RESOLVE = "resolve", _("say that the fix is in place")
    ASSIGN = "assign", _("ask somebody to take this")
    CLOSE = "close", _("close this")
    CONFIRM = "confirm", _("confirm that production runs")
    REOPEN = "reopen", _("open this again")
    FLOOR_CALL = "floor_call", _("change how bad it is")
    EXTEND = "extend", _("extend a bandage")
    WAIVE = "waive", _("accept a weaker countermeasure")
    ACCEPT_NO_FIX = "accept_no_fix", _("accept that there is no permanent fix")
    SHELVE = "shelve", _("pause the alerts")
    PLAN = "plan", _("plan countermeasures")
    CHECK = "check", _("check whether a fix holds")
    POLICIES = "policies", _("change who is told when")


_IT = frozenset({Role.IT_TECH, Role.IT_SPECIALIST, Role.IT_LEAD, Role.IT_MANAGER})
_ASSIGN = frozenset({Role.IT_LEAD, Role.IT_MANAGER})
_DECIDE = frozenset({Role.PRODUCTION_MANAGER, Role.MATERIALS_MANAGER, Role.PLANT_MANAGER})
_FLOOR = _DECIDE | {Role.TEAM_LEADER, Role.SUPERVISOR}
_CHECK = _IT | {Role.SUPERVISOR, Role.PRODUCTION_MANAGER, Role.MATERIALS_MANAGER}

ALLOWED: dict[Action, frozenset[Role] | None] = {
    Action.RAISE: None,
    Action.ADD_WORDS: None,
    Action.ACKNOWLEDGE: _IT,
    Action.UPDATE: _IT,
    Action.ASK_HELP: _IT | _DECIDE,
    Action.CONTAIN: _IT,
    Action.RESOLVE: _IT,
    Action.ASSIGN: _ASSIGN,
    Action.CLOSE: _IT | _FLOOR,
    Action.CONFIRM: _FLOOR,
    Action.REOPEN: _FLOOR,
    Action.FLOOR_CALL: _DECIDE,
    Action.EXTEND: _DECIDE,
    Action.WAIVE: _DECIDE,
    Action.ACCEPT_NO_FIX: _DECIDE,
    Action.SHELVE: _DECIDE,
    Action.PLAN: _IT | _FLOOR,
    Action.CHECK: _CHECK,
    Action.POLICIES: frozenset({Role.IT_MANAGER}),
}
"""Roles that may act; None means everybody who sees the site."""

OPERATORS_TOO = frozenset({Action.CONFIRM, Action.REOPEN})
"""What an operator may do besides raising and adding words. An operator is a person who holds no role."""


IN_PRACTICE = frozenset({Action.RAISE, Action.ADD_WORDS, Action.ACKNOWLEDGE})
"""What people may do to a practice incident. It goes on and ends by itself; nobody can break it."""


def can(person: Person, action: Action, incident: Incident) -> bool:
    """Whether the person's role reaches this incident's site and area."""
    if not person.is_active or not person.sees_site(incident.site_id):
        return False
    if incident.is_drill and action not in IN_PRACTICE:
        return False
    roles = ALLOWED[action]
    if roles is None or (action in OPERATORS_TOO and not person.assignments):
        return True
    return person.holds(*roles, site=incident.site, area=incident.area)


def may_somewhere(person: Person, action: Action, site: Site) -> bool:
    """Whether the person's role allows it at the site or in one of its areas."""
    roles = ALLOWED[action]
    if not person.is_active or not person.sees_site(site.pk):
        return False
    return roles is None or any(
        held.role in roles and held.site_id in (None, site.pk) for held in person.assignments
    )


def refuse_unless(person: Person, action: Action, incident: Incident) -> None:
    """Raise NotAllowed: `wrong_site` or `wrong_role`."""
    if can(person, action, incident):
        return
    if not person.sees_site(incident.site_id):
        raise NotAllowed("wrong_site", _("This is at a site that you do not work for."))
    refuse_practice(incident, action)
    raise NotAllowed("wrong_role", _("Your role cannot %(action)s.") % {"action": action.label})


def refuse_practice(incident: Incident, action: Action | None = None) -> None:
    """Raise NotAllowed (`practice`) for what would change how a practice runs."""
    if incident.is_drill and action not in IN_PRACTICE:
        raise NotAllowed(
            "practice", _("This is practice. It goes on and ends by itself; nothing has to be done about it.")
        )
