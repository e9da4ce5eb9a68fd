"""Names for the usernames that a policy keeps: `{% load policy_look %}`."""

from __future__ import annotations

from collections.abc import Mapping

from django import template

register = template.Library()


@register.filter
def of(names: Mapping[str, str], username: str) -> str:
    """The name of somebody; the username where nobody has it."""
    return names.get(username, username)
