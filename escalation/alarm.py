"""When the IT manager is told that alerts do not go out, and in which words. Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import override

from escalation.gsm7 import fit
from escalation.messages import base_url
from escalation.messages.notices.notice import Notice as SiteNotice
from escalation.messages.notices.notice import notice_of
from escalation.watch import Kind, Trouble, reasons
from plant.wording import moment

SURE_AFTER = timedelta(seconds=20)
"""A trouble that is over sooner is not worth a call: a restart looks like that."""

CALM_AFTER = timedelta(minutes=2)
"""Trouble that comes back within this is the same one: what waits shows only after a minute."""

AGAIN_AFTER = timedelta(minutes=30)
"""How often it is said again while it lasts."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to say: what is wrong since when; no `troubles` mean that it is over."""

    troubles: tuple[Trouble, ...]
    since: datetime


@dataclass(slots=True)
class Alarm:
    """Remembers what was said about the trouble of now."""

    seen_at: dict[Kind, datetime] = field(default_factory=dict)
    said: set[Kind] = field(default_factory=set)
    said_at: datetime | None = None
    calm_since: datetime | None = None

    def hear(self, troubles: Sequence[Trouble], now: datetime) -> Notice | None:
        """What has to be said now: once for each kind, again every half hour, and once that it is over."""
        if not troubles:
            return self._calm(now)
        self.calm_since = None
        kinds = {trouble.kind for trouble in troubles}
        self.seen_at = {kind: self.seen_at.get(kind, now) for kind in kinds}
        sure = {kind for kind, at in self.seen_at.items() if now - at >= SURE_AFTER}
        is_time_again = self.said_at is not None and now - self.said_at >= AGAIN_AFTER
        if not sure - self.said and not (sure and is_time_again):
            return None
        self.said |= sure
        self.said_at = now
        return Notice(tuple(troubles), min(trouble.since for trouble in troubles))

    def _calm(self, now: datetime) -> Notice | None:
        self.calm_since = self.calm_since or now
        self.seen_at = {}
        if not self.said or now - self.calm_since < CALM_AFTER:
            return None
        self.said, self.said_at = set(), None
        return Notice((), self.calm_since)


@dataclass(frozen=True, slots=True)
class Words:
    """What an email says, and the one segment of a text."""

    subject: str
    text: str
    sms: str


def words(notice: Notice, *, language: str, tz: ZoneInfo, now: datetime) -> Words:
    """The notice in the language and the time zone of its reader."""
    with override(language), timezone.override(tz):
        said = site_notice(notice, now)
        link = [f"{base_url()}{said.path}"] if notice.troubles else []
        return Words(said.subject, " ".join([*said.lines, *link]), fit([*said.sms, *link]))


def site_notice(notice: Notice, now: datetime) -> SiteNotice:
    """By `templates/messages/site/alarm.txt`; language and time zone are already active."""
    why = reasons(notice.troubles) if notice.troubles else ""
    facts = {
        "time": moment(notice.since, now),
        "why": f"{why[:1].upper()}{why[1:]}." if why else "",
        "is_blind": any(trouble.kind == Kind.DATABASE for trouble in notice.troubles),
    }
    return notice_of("alarm", facts, path="/readyz")
