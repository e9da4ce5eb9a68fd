"""How times, spans and lists of people are said on a screen (design language §4 and §8)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, ngettext

HOUR = 3600
DAY = 24 * HOUR


def span(length: timedelta) -> str:
    """A length of time: "47 min", "3 h 40", "9 h", "2 days". Negative lengths count as nothing."""
    seconds = max(0, int(length.total_seconds()))
    if seconds >= DAY:
        days = seconds // DAY
        return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}
    hours, minutes = divmod(seconds // 60, 60)
    if not hours:
        return gettext("%(minutes)d min") % {"minutes": minutes}
    if not minutes:
        return gettext("%(hours)d h") % {"hours": hours}
    return gettext("%(hours)d h %(minutes)02d") % {"hours": hours, "minutes": minutes}


def countdown(left: timedelta) -> str:
    """Time left on a clock: "12:18" under an hour, else as `span`; `js/clock.js` says the same."""
    seconds = max(0, int(left.total_seconds()))
    if seconds >= HOUR:
        return span(left)
    return f"{seconds // 60}:{seconds % 60:02d}"


def day_words(on: date, *, weekday: bool = True, year: bool = False) -> str:
    """ "Fri 7 Nov", "7 Nov", "Fri 7 Nov 2025". The pattern is translated: "vie 7 nov"."""
    return _day_words(date(on.year, on.month, on.day), weekday, year, get_language())


@lru_cache(maxsize=4096)
def _day_words(on: date, weekday: bool, year: bool, language: str | None) -> str:
    """A ledger says the same days over and over, and each takes as long as a query."""
    if weekday:
        return date_format(on, gettext("D j M Y") if year else gettext("D j M"))
    return date_format(on, gettext("j M Y") if year else gettext("j M"))


def moment(at: datetime, now: datetime | None = None) -> str:
    """A moment in the plant's time zone: "06:52" today, else with its day, "Fri 7 Nov 06:52"."""
    local = timezone.localtime(at)
    today = timezone.localtime(now or timezone.now()).date()
    clock = local.strftime("%H:%M")
    if local.date() == today:
        return clock
    return f"{day_words(local, year=local.year != today.year)} {clock}"


def names(people: Iterable[object], *, most: int | None = None) -> str:
    """ "Sam Okafor", "Sam Okafor and Dale Kimura", "Sam Okafor, Dale Kimura and Wes Callahan".

    With `most` (2 or more) names at most are said: "Sam Okafor, Dale Kimura and 4 more".
    """
    said = [str(person) for person in people]
    if most is not None and len(said) > most:
        said = [*said[: most - 1], gettext("%(count)d more") % {"count": len(said) - most + 1}]
    if len(said) < 2:
        return "".join(said)
    return gettext("%(all_but_last)s and %(last)s") % {
        "all_but_last": ", ".join(said[:-1]),
        "last": said[-1],
    }
