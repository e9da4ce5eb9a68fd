"""What every page knows: the person, the device and the frame to draw."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import cached_property

from plant.devices import station_of
from plant.models import Person, Role, Site, Station

DESK_ROLES = frozenset(
    {
        Role.IT_LEAD,
        Role.IT_MANAGER,
        Role.SUPERVISOR,
        Role.PRODUCTION_MANAGER,
        Role.MATERIALS_MANAGER,
        Role.DEPT_MANAGER,
        Role.PLANT_MANAGER,
        Role.IT_DIRECTOR,
        Role.SUPPORT,
    }
)
"""Roles that work at a desk and start at the dashboard; everybody else holds a tablet or a phone."""

IT_ROLES = frozenset({Role.IT_TECH, Role.IT_SPECIALIST, Role.IT_LEAD, Role.IT_MANAGER})
THEMES = ("light", "dark")


class Shell:
    """Who looks, from where: read once per request, and only what is asked for."""

    def __init__(self, request: HttpRequest):
        self._request = request

    @classmethod
    def of(cls, request: HttpRequest) -> Shell:
        """The one of this request."""
        found: Shell | None = vars(request).get("shell")
        if found is None:
            found = vars(request)["shell"] = cls(request)
        return found

    @cached_property
    def person(self) -> Person | None:
        user = getattr(self._request, "user", None)
        return user if isinstance(user, Person) else None

    @cached_property
    def tablet(self) -> Station | None:
        return station_of(self._request)

    @cached_property
    def site(self) -> Site | None:
        if self.person and self.person.site_id:
            return self.person.site
        return self.tablet.line.area.site if self.tablet else None

    def is_about(self, site: Site) -> None:
        """What is shown belongs to this site: for a link in a message, opened where nobody is signed in."""
        vars(self)["site"] = site

    @cached_property
    def roles(self) -> frozenset[str]:
        return self.person.roles if self.person else frozenset()

    @property
    def is_desk(self) -> bool:
        return bool(self.roles & DESK_ROLES)

    @property
    def is_it(self) -> bool:
        return bool(self.roles & IT_ROLES)

    @property
    def can_set_up(self) -> bool:
        """Policies, rosters, people and systems are the IT manager's."""
        return self.person is not None and (self.person.is_superuser or Role.IT_MANAGER in self.roles)

    @property
    def has_outbox(self) -> bool:
        """Messages stay in the sandbox, so their place is shown."""
        return bool(settings.DEMO or settings.DEBUG)

    @property
    def frame(self) -> str:
        """The template that a page of both worlds extends."""
        return "frames/desk.html" if self.is_desk else "frames/floor.html"

    @property
    def frame_now(self) -> str:
        """For a page that anybody may meet, such as a refusal: without a login it is the gate."""
        return self.frame if self.person or self.tablet else "frames/gate.html"


def theme_of(request: HttpRequest) -> str:
    """ "light", "dark" or "" for what the device prefers."""
    theme = request.COOKIES.get("theme", "")
    return theme if theme in THEMES else ""


def shell(request: HttpRequest) -> dict[str, Any]:
    return {"shell": Shell.of(request), "theme": theme_of(request)}
