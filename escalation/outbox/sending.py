"""Handing messages over: claimed first, sent outside of any transaction, marked one by one.

Whoever dies in between leaves a claim that is taken back: a message may go twice, never zero times.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from escalation import messages
from escalation.channels import ChannelDown, Failed, PermanentFailure, Receipt, Sender, open_channel
from escalation.heard import has_heard
from escalation.models import Delivery, DeliveryState, Notification, Rank, Reason
from escalation.outbox import fallback, together
from escalation.outbox.claims import release, slot
from escalation.outbox.gate import admit
from escalation.outbox.needed import FIELDS, is_needed, is_old
from escalation.outbox.needed import Now as IncidentNow
from incidents import readings
from incidents.models import Incident
from plant.duty import DutyBook
from plant.models import Channel

logger = logging.getLogger(__name__)

BATCH = 100
"""Messages claimed at once."""

LONGEST_SEND = timedelta(seconds=45)
"""A sender starts no message with less than this left of its lease."""

LONGEST_TURN = 15.0
"""Seconds after which a sender makes room for the next."""

FIRST_PAUSE = {
    Rank.SAFETY: timedelta(seconds=2),
    Rank.URGENT: timedelta(seconds=2),
    Rank.QUIET: timedelta(seconds=10),
}
LONGEST_PAUSE = {
    Rank.SAFETY: timedelta(seconds=60),
    Rank.URGENT: timedelta(seconds=60),
    Rank.QUIET: timedelta(minutes=15),
}
"""Pause before the next attempt: doubled each time, up to the longest."""

ATTEMPTS = {Rank.SAFETY: 40, Rank.URGENT: 20, Rank.QUIET: 12}
"""Attempts after which a message has visibly failed: about 35, 15 and 100 minutes."""

OTHER_CHANNEL_AFTER = 2
"""Failed attempts after which something urgent also goes by the next channel, while this one is retried."""

BREAK = 5.0
"""Seconds for which a channel that was down is not asked again; what waits for it is handled at once."""

UNKNOWN_TROUBLE_PAUSE = timedelta(seconds=5)
"""Pause after trouble that is neither a message's nor the provider's, such as a query that was given up."""

_down_until: dict[str, tuple[float, str]] = {}


@dataclass(slots=True)
class Sent:
    """What a turn did."""

    sent: int = 0
    failed: int = 0
    dropped: int = 0


def deliver_due(channel: str, now: datetime | None = None, *, limit: int = BATCH) -> Sent:
    """Send what is due on a channel until nothing is left or the turn is over. A bad message is contained."""
    done = Sent()
    end = time.monotonic() + LONGEST_TURN
    with slot(channel) as is_free, ExitStack() as open_things:
        turn = _Turn(channel, now, done, open_things)
        while is_free and (now is not None or time.monotonic() < end):
            admitted = admit(channel, limit=limit, now=now or timezone.now())
            if not admitted.seen:
                break
            if admitted.ids:
                turn.work(admitted.ids)
    return done


def drain(now: datetime | None = None) -> Sent:
    """Send all that is due on every channel, here and now: for the demo, and where there are no workers."""
    total = Sent()
    while True:
        turns = [deliver_due(channel, now) for channel in settings.CHANNELS]
        if not any(turn.sent or turn.failed or turn.dropped for turn in turns):
            return total
        for turn in turns:
            total.sent += turn.sent
            total.failed += turn.failed
            total.dropped += turn.dropped


class _Turn:
    """The batches of one turn, over one connection to the provider."""

    def __init__(self, channel: str, now: datetime | None, done: Sent, open_things: ExitStack):
        self._channel = channel
        self._given = now
        self._done = done
        self._open_things = open_things
        self._sender: Sender | None = None
        self._book: DutyBook | None = None
        self._contexts: Mapping[int, messages.Context] = {}

    @property
    def now(self) -> datetime:
        return self._given or timezone.now()

    def work(self, ids: Sequence[int]) -> None:
        try:
            self._work(load(ids))
        except Exception:
            # Not a message's fault. What is still claimed must not wait for the end of its lease.
            release(ids, not_before=self.now + UNKNOWN_TROUBLE_PAUSE)
            raise

    def _work(self, deliveries: Sequence[Delivery]) -> None:
        self._contexts = self._ladders(deliveries) if self._channel == Channel.EMAIL else {}
        waiting = iter(deliveries)
        try:
            self._send_all(waiting)
        except ChannelDown as down:
            self._hang_up()
            _down_until[self._channel] = (time.monotonic() + BREAK, str(down))
            for delivery in waiting:
                self._failed(delivery, down)

    def _ladders(self, deliveries: Sequence[Delivery]) -> dict[int, messages.Context]:
        """Who was told and who is next, for the emails of a batch; if that breaks, each looks for its own."""
        now = self.now
        try:
            self._book = self._book or DutyBook.load(now)
            incidents = [one.notification.incident for one in deliveries if one.notification.incident]
            return messages.contexts_of(incidents, now, book=self._book)
        except Exception:
            if not connection.is_usable():
                raise
            logger.exception("Who was told and who is next could not be read for a batch of emails.")
            return {}

    def _connected(self) -> Sender:
        if self._sender is None:
            self._sender = self._open_things.enter_context(open_channel(self._channel))
        return self._sender

    def _hang_up(self) -> None:
        self._sender = None
        self._open_things.close()

    def _send_all(self, waiting: Iterator[Delivery]) -> None:
        until, why = _down_until.get(self._channel, (0.0, ""))
        if time.monotonic() < until:
            raise ChannelDown(why)
        sender = self._connected()
        for delivery in waiting:
            if self._lease_is_short(delivery):
                release([delivery.pk, *(one.pk for one in waiting)], not_before=self.now)
                return
            self._send(delivery, sender)

    def _lease_is_short(self, delivery: Delivery) -> bool:
        return delivery.lease_until is not None and delivery.lease_until - self.now < LONGEST_SEND

    def _send(self, delivery: Delivery, sender: Sender) -> None:
        incident_id = delivery.notification.incident_id
        if not _is_needed(delivery.notification, incident_id, self.now):
            self._dropped(delivery)
            return
        if together.is_together(delivery):
            carried = together.still_needed(delivery, self.now)
            if not carried:
                self._dropped(delivery)
                return
            write_together(delivery, carried, now=self.now)
        else:
            write(delivery, now=self.now, context=self._contexts.get(incident_id or 0))
        try:
            receipt = sender.send(delivery)
        except ChannelDown as down:
            self._failed(delivery, down)
            raise
        except Failed as failure:
            self._failed(delivery, failure)
        except Exception as error:
            logger.exception("Delivery %s broke its channel.", delivery.pk)
            self._failed(delivery, PermanentFailure(type(error).__name__))
        else:
            self._sent(delivery, receipt)

    # --- marking ---

    def _sent(self, delivery: Delivery, receipt: Receipt) -> None:
        now = self.now
        delivery.state = DeliveryState.DELIVERED if receipt.delivered else DeliveryState.SENT
        delivery.sent_at, delivery.delivered_at = now, now if receipt.delivered else None
        delivery.provider, delivery.provider_ref, delivery.error = receipt.provider, receipt.reference, ""
        mark(delivery)
        self._done.sent += 1

    def _dropped(self, delivery: Delivery) -> None:
        delivery.state = DeliveryState.DROPPED
        mark(delivery)
        self._done.dropped += 1

    def _failed(self, delivery: Delivery, failure: Failed) -> None:
        """Try again later, or give up visibly; something urgent finds another way now."""
        now = self.now
        delivery.error = str(failure)[:300]
        is_over = failure.is_permanent or delivery.attempt >= ATTEMPTS[Rank(delivery.rank)]
        if is_over:
            delivery.state, delivery.failed_at = DeliveryState.FAILED, now
            self._done.failed += 1
        else:
            delivery.state, delivery.not_before = DeliveryState.QUEUED, now + pause(delivery, failure)
        goes_on = is_over or delivery.attempt >= OTHER_CHANNEL_AFTER or isinstance(failure, ChannelDown)
        is_about_one = delivery.notification.is_urgent and delivery.notification.incident_id
        if goes_on and (is_about_one or together.is_together(delivery)):
            self._mark_with_another_way(delivery, now)
        else:
            mark(delivery)

    def _mark_with_another_way(self, delivery: Delivery, now: datetime) -> None:
        """Both or neither: whoever dies in between leaves a claim, never a person who is skipped quietly."""
        try:
            if together.is_together(delivery):
                together.fail(delivery, now)
                mark(delivery)
                return
            with transaction.atomic():
                fallback.find_another_way(delivery, now)  # first: it locks the incident
                mark(delivery)
        except Exception:
            if not connection.is_usable():
                raise
            logger.exception("No other way was found for delivery %s; it is tried again.", delivery.pk)
            delivery.state, delivery.failed_at = DeliveryState.QUEUED, None
            delivery.not_before = now + pause(delivery)
            mark(delivery)


def _is_needed(notification: Notification, incident_id: int | None, now: datetime) -> bool:
    """Asked in the moment before it goes out: who has answered is not asked, news is for who has heard."""
    if incident_id is None:
        return not is_old(notification, now)
    if not is_needed(notification, incident_now(incident_id)):
        return False
    if notification.data.get("if_heard"):
        return has_heard(incident_id, notification.person_id)
    is_asking = notification.reason == Reason.ASKED_AGAIN
    return not is_asking or Notification.objects.filter(pk=notification.pk, answered_at=None).exists()


def pause(delivery: Delivery, failure: Failed | None = None) -> timedelta:
    """How long to wait before the next attempt; a little different each time, so that a crowd spreads out.

    At least as long as the provider asked, but never longer than the longest pause.
    """
    rank = Rank(delivery.rank)
    doubled = FIRST_PAUSE[rank] * 2 ** min(delivery.attempt - 1, 12)
    ours = min(doubled, LONGEST_PAUSE[rank]) * random.uniform(0.8, 1.2)  # noqa: S311 - not a secret
    theirs = timedelta(seconds=(failure.retry_after or 0) if failure else 0)
    return max(ours, min(theirs, LONGEST_PAUSE[rank]))


def mark(delivery: Delivery) -> None:
    """Write how it went and give the claim up; nothing is written over a claim that somebody else has now."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE escalation_delivery
            SET state = %s, sent_at = %s, delivered_at = %s, failed_at = %s, not_before = %s, provider = %s,
                provider_ref = %s, error = %s, subject = %s, text = %s, html = %s,
                lease_until = NULL, lease_by = ''
            WHERE id = %s AND state = 'sending' AND lease_by = %s
            """,
            [
                str(delivery.state),
                delivery.sent_at,
                delivery.delivered_at,
                delivery.failed_at,
                delivery.not_before,
                delivery.provider,
                delivery.provider_ref,
                delivery.error,
                delivery.subject,
                delivery.text,
                delivery.html,
                delivery.pk,
                delivery.lease_by,
            ],
        )


# --- reading a batch ---


def load(ids: Sequence[int]) -> list[Delivery]:
    """The claimed messages, most urgent first, with all that their words need: a fixed number of queries."""
    deliveries = list(
        Delivery.objects.filter(pk__in=ids)
        .select_related("notification__person", "notification__timer", "notification__site")
        .order_by("rank", "not_before", "id")
    )
    _give_incidents([one.notification for one in deliveries if one.notification.incident_id])
    return deliveries


def _give_incidents(notifications: Sequence[Notification]) -> None:
    """One object per incident, so that what is attached to it is there for all its messages."""
    wanted = {notification.about_id for notification in notifications}
    found = Incident.objects.filter(pk__in=wanted).with_place().select_related("shelved_by")
    known = {incident.pk: incident for incident in found}
    _attach(list(known.values()))
    for notification in notifications:
        notification.incident = known[notification.about_id]


def _attach(incidents: list[Incident]) -> None:
    """Give the incidents their last words; for one that breaks, messages say the bare facts."""
    try:
        readings.attach(incidents)
    except Exception:
        if not connection.is_usable():
            raise
        if len(incidents) == 1:
            logger.exception("The words of %s cannot be read.", incidents[0])
            return
        for incident in incidents:
            _attach([incident])


def incident_now(incident_id: int) -> IncidentNow:
    """The incident as it is now: asked for each message in the moment before it goes out."""
    with connection.cursor() as cursor:
        cursor.execute(_INCIDENT_NOW, [incident_id])
        return IncidentNow(*cursor.fetchone())


_INCIDENT_NOW = f"SELECT {', '.join(FIELDS)} FROM incidents_incident WHERE id = %s"  # noqa: S608 - our own names


def write(delivery: Delivery, *, now: datetime, context: messages.Context | None) -> None:
    """Put the words into the message. If they cannot be made, the bare facts go out instead."""
    try:
        said = messages.render(delivery, now=now, context=context)
    except Exception:
        logger.exception("Delivery %s could not be worded; it goes out with the bare facts.", delivery.pk)
        said = bare_facts(delivery)
    delivery.subject, delivery.text, delivery.html = said.subject[:200], said.text, said.html


def write_together(delivery: Delivery, carried: Sequence[Delivery], *, now: datetime) -> None:
    """The words of a message that stands for several; for the only one that is left, its own."""
    only = together.only_one(delivery, carried)
    write(only or delivery, now=now, context=None)
    if only is None:
        return
    delivery.subject, delivery.text, delivery.html = only.subject, only.text, only.html


def bare_facts(delivery: Delivery) -> messages.Rendered:
    incident = delivery.notification.incident
    if incident is None:
        line = str(delivery.notification.get_reason_display())
        return messages.Rendered(subject=line, text=f"{line}: {messages.base_url()}/", html="")
    line = f"{incident.code} {incident.severity}: {incident.title}"
    link = f"{messages.base_url()}/a/{delivery.notification.token}"
    return messages.Rendered(subject=line, text=f"{line[:110]} {link}", html="")
