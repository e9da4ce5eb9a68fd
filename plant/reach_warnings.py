"""Said at once when a person, a role, a roster or an address was saved: they may not be reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from plant.models import Person
from plant.reachability import Judged, Level, judged_now

MOST = 3
"""People named at once, as after taking in a file; the page *Who can be reached* has all of them."""


def warn_about(request: HttpRequest, people: Iterable[Person | None], now: datetime | None = None) -> None:
    """A plain warning on the next page for each of these people who has something wrong."""
    asked = {person.pk: person for person in people if person is not None}
    for sentence in sentences(judged_now(list(asked.values()), now or timezone.now()) if asked else []):
        messages.warning(request, sentence)


def sentences(judged: list[Judged]) -> Iterator[str]:
    for one in judged[:MOST]:
        yield _sentence(one)
    if len(judged) > MOST:
        more = len(judged) - MOST
        text = ngettext(
            "%(count)d more may not be reached. See who can be reached.",
            "%(count)d more may not be reached. See who can be reached.",
            more,
        )
        yield text % {"count": more}


def _sentence(one: Judged) -> str:
    text = (
        _("%(name)s cannot be reached as planned: %(what)s. %(do)s")
        if one.level == Level.ERROR
        else _("%(name)s may not be reached: %(what)s. %(do)s")
    )
    return text % {"name": one.person, "what": one.what, "do": one.faults[0].to_do}
