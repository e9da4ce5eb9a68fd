"""The plant under load: the demo's, with ladders short enough that every step falls into the run."""

from __future__ import annotations

import io
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.management import call_command
from django.db import connection
from rest_framework.authtoken.models import Token

from chaos.floor import Places
from escalation.defaults import DEFAULT_CLOCKS
from escalation.policies import publish
from incidents.models import Category
from plant.models import Crew, Person, ShiftPattern, Site, Station

SITE = "MBK"
RAISER, IT, MANAGER = "cruz", "hutchins", "tillery"
"""Who raises, who takes and closes, and who looks at the screens."""

LADDER: Mapping[str, tuple[int, ...]] = {"S1": (0, 1, 2), "S2": (0, 1, 3), "S3": (0,)}
"""Minutes after the raise at which the response clock tells somebody. S4 tells nobody within the run."""

WHO: Mapping[str, tuple[tuple[list[str], list[str]], ...]] = {
    "S1": (
        (["it_tech", "supervisor"], ["sms", "email"]),
        (["it_lead", "it_specialist"], ["sms"]),
        (["it_manager", "production_manager", "materials_manager"], ["sms", "email"]),
    ),
    "S2": (
        (["it_tech"], ["sms", "email"]),
        (["it_lead"], ["email"]),
        (["it_manager", "supervisor"], ["sms", "email"]),
    ),
    "S3": ((["it_tech"], ["email"]),),
}


def build() -> None:
    call_command("migrate", verbosity=0)
    call_command("seed_demo", stdout=io.StringIO())
    _work_every_day()
    for severity, minutes in LADDER.items():
        publish(by=None, severity=severity, clocks=_clocks(severity, minutes), why="Steps within the run")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _work_every_day() -> None:
    """A shift that nobody works on some day is worked by those who work it on other days.

    Else a run on a Sunday has three times the messages: with nobody on shift everybody is told.
    """
    for pattern in ShiftPattern.objects.filter(site__code=SITE).prefetch_related("crews", "shifts"):
        crews = list(pattern.crews.all())
        for day, works in enumerate(zip(*(crew.rotation for crew in crews), strict=True)):
            missing = {shift.code for shift in pattern.shifts.all()} - set(works)
            for crew in crews:
                if not crew.rotation[day]:
                    crew.rotation[day] = min(missing & set(crew.rotation), default="")
        Crew.objects.bulk_update(crews, ["rotation"])


def _clocks(severity: str, minutes: tuple[int, ...]) -> dict[str, Any]:
    rest = [step for step in DEFAULT_CLOCKS[severity]["response"] if step["after"] > minutes[-1]]
    steps = [
        {"after": after, "roles": roles, "people": [], "channels": ways, "repeat": None, "answer": False}
        for after, (roles, ways) in zip(minutes, WHO[severity], strict=True)
    ]
    return {**DEFAULT_CLOCKS[severity], "response": steps if len(steps) > 1 else [*steps, *rest]}


def tokens() -> dict[str, str]:
    """API tokens of who raises and who takes."""
    who = {"raiser": RAISER, "it": IT}
    return {
        name: Token.objects.get_or_create(user=Person.objects.get(username=username))[0].key
        for name, username in who.items()
    }


def cookie() -> str:
    """A signed-in manager's session."""
    person = Person.objects.get(username=MANAGER)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def places() -> Places:
    """Stations of the site: those of the area with the fewest get so little that no storm begins there."""
    by_area: dict[int, list[str]] = {}
    site = Site.objects.get(code=SITE)
    for code, area in Station.objects.filter(line__area__site=site).values_list("code", "line__area_id"):
        by_area.setdefault(area, []).append(code)
    areas = sorted(by_area.values(), key=len)
    return Places(
        busy=sorted(code for codes in areas[1:] for code in codes),
        quiet=sorted(areas[0]),
        categories=sorted(Category.objects.values_list("code", flat=True)),
        closing={"cause": "A plug was loose.", "agreed_by": RAISER},
    )
