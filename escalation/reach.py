"""Who can be reached, with what only the sending side knows: ways that are up, messages that came back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Max, Q
from django.utils.translation import gettext as _

from escalation import watch
from escalation.models import Delivery, DeliveryState, Policy
from escalation.policies import clocks_of
from escalation.watch import Kind, diagnose
from plant.models import Channel, Site
from plant.reachability import Judged, Level, judged_at

LOOKS_BACK = timedelta(days=14)
"""A message that came back longer ago says little about the number as it is now."""

URLS = {Channel.SMS.value: "SMS_URL", Channel.EMAIL.value: "EMAIL_URL", Channel.PUSH.value: "PUSH_URL"}


@dataclass(frozen=True, slots=True)
class Way:
    """A channel: ``is_set_up`` when a provider is named for it, ``down_since`` when nobody hands over."""

    channel: Channel
    is_set_up: bool
    is_practice: bool
    down_since: datetime | None

    @property
    def is_up(self) -> bool:
        """Whether messages get to people by it. In practice nothing leaves at all, and that is as wanted."""
        return self.down_since is None and (self.is_set_up or self.is_practice)

    @property
    def note(self) -> str:
        """How it stands, in a sentence."""
        if self.down_since is not None:
            return _("Nobody hands these messages over.")
        if self.is_practice:
            return _("Practice: messages stay in the outbox.")
        return _("Messages go out.") if self.is_set_up else _("No provider is set up, so nothing goes out.")


@dataclass(frozen=True, slots=True)
class Reach:
    """Everybody whom a duty or a policy could call about a site, and the ways to them."""

    site: Site
    at: datetime
    ways: tuple[Way, ...]
    judged: tuple[Judged, ...]

    @property
    def errors(self) -> list[Judged]:
        return [one for one in self.judged if one.level == Level.ERROR]

    @property
    def warnings(self) -> list[Judged]:
        return [one for one in self.judged if one.level == Level.WARNING]

    @property
    def wrong(self) -> list[Judged]:
        return [*self.errors, *self.warnings]

    @property
    def fine(self) -> list[Judged]:
        return [one for one in self.judged if one.level is None]

    @property
    def ways_down(self) -> list[Way]:
        return [way for way in self.ways if not way.is_up]


def reach_of(site: Site, now: datetime, *, only_home: bool = False) -> Reach:
    """Ten queries, whatever the number of people."""
    judged = judged_at(
        site, now, named=_named_in_policies(site), came_back=_came_back(now), only_home=only_home
    )
    return Reach(site, now, tuple(_ways(now)), tuple(judged))


def _ways(now: datetime) -> Iterable[Way]:
    """A worker that was never seen is not down: nothing was ever handed over here."""
    down = {one.what: one.since for one in diagnose(watch.look(), now) if one.kind == Kind.SENDER}
    is_real = {
        channel: not getattr(settings, URLS[channel]).startswith("sandbox") for channel in settings.CHANNELS
    }
    for channel in settings.CHANNELS:
        is_practice = not any(is_real.values())
        yield Way(Channel(channel), is_real[channel], is_practice, down.get(channel))


def _named_in_policies(site: Site) -> set[str]:
    """Usernames in the policies in force that may apply at the site."""
    found = Policy.objects.current().select_related("area")
    here = (one for one in found if site.pk in (one.site_id or (one.area.site_id if one.area else site.pk),))
    return {name for policy in here for name in clocks_of(policy).named_people}


def _came_back(now: datetime) -> dict[int, frozenset[str]]:
    """By person the channels whose last message to their present address failed. Two queries."""
    since = now - LOOKS_BACK
    failed = (
        Delivery.objects.filter(state=DeliveryState.FAILED, queued_at__gt=since, failed_at__lte=now)
        .filter(Q(address=F("notification__person__mobile")) | Q(address=F("notification__person__email")))
        .values_list("notification__person", "channel", "address")
        .annotate(last=Max("failed_at"))
        .order_by()
    )
    rows = {(person, channel, address): last for person, channel, address, last in failed}
    if not rows:
        return {}
    sent = (
        Delivery.objects.filter(sent_at__gt=since, address__in={address for _p, _c, address in rows})
        .values_list("channel", "address")
        .annotate(last=Max("sent_at"))
        .order_by()
    )
    arrived = {(channel, address): last for channel, address, last in sent}
    found: dict[int, frozenset[str]] = {}
    for (person, channel, address), last in rows.items():
        if arrived.get((channel, address), since) < last:
            found[person] = found.get(person, frozenset()) | {channel}
    return found
