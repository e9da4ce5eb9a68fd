"""Who reads a message: a manager, the floor or IT. What differs for them is in `templates/messages/`."""

from __future__ import annotations

from typing import Final

from escalation.steps import CAN_TAKE, OWNER
from plant.models import Role

MANAGER: Final = "manager"
FLOOR: Final = "floor"
TECHNICAL: Final = "technical"

_FLOOR = frozenset({Role.TEAM_LEADER, Role.SUPERVISOR, Role.SUPPORT})
_TECHNICAL = CAN_TAKE | {Role.IT_MANAGER, OWNER}


def audience(role: str) -> str:
    """By the role in which somebody is told. Whoever is told in none reads what managers read.

    The floor also reads what to do now. Technical detail is in no message: it is one tap away on the page.
    """
    if role in _FLOOR:
        return FLOOR
    return TECHNICAL if role in _TECHNICAL else MANAGER
