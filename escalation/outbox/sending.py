"""Handing messages over: claimed first, sent outside of any transaction, marked one by one.

Whoever dies in between leaves a claim that is taken back: a message may go twice, never zero times.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import connection, transaction
from django.utils import timezone

from escalation import messages
from escalation.channels import ChannelDown, Failed, OptedOut, Provider, Receipt, Sender, open_channel
from escalation.inbound import opting_out
from escalation.models import Delivery, DeliveryState, Notification, Rank
from escalation.outbox import fallback, receipts, standing_in, together
from escalation.outbox.batch import load
from escalation.outbox.claims import release, slot
from escalation.outbox.crew import Crew, Outcome
from escalation.outbox.gate import admit
from escalation.outbox.lineup import LineUp, down_until
from escalation.outbox.needed import FIELDS, is_still_needed
from escalation.outbox.needed import Now as IncidentNow
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

LONG_PAUSE = 10.0
"""Seconds: a provider that asks for a longer pause is as good as down for what is urgent."""

UNKNOWN_TROUBLE_PAUSE = timedelta(seconds=5)
"""Pause after trouble that is neither a message's nor the provider's, such as a query that was given up."""

_down_until = down_until


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
    with slot(channel) as is_free:
        if not is_free:
            return done
        receipts.look_for_silent(channel, now or timezone.now())
        with LineUp(channel, partial(_open, channel)) as line_up, Crew() as crew:
            turn = _Turn(channel, now, done, line_up, crew)
            while now is not None or time.monotonic() < end:
                admitted = admit(channel, limit=limit, now=now or timezone.now())
                if not admitted.seen:
                    break
                if admitted.ids:
                    turn.work(admitted.ids)
            line_up.probe_those_down(now or timezone.now())
        receipts.fetch(channel, now or timezone.now())
    return done


def _open(channel: str, provider: Provider) -> Sender:
    """The channel's first provider is the one that it opens by itself."""
    return open_channel(channel, provider) if provider.position else open_channel(channel)


class _Turn:
    """The batches of one turn, over connections that stay open from batch to batch."""

    def __init__(self, channel: str, now: datetime | None, done: Sent, line_up: LineUp, crew: Crew):
        self._channel = channel
        self._given = now
        self._done = done
        self._line_up = line_up
        self._crew = crew
        self._book: DutyBook | None = None
        self._contexts: Mapping[int, messages.Context] = {}

    @property
    def now(self) -> datetime:
        return self._given or timezone.now()

    def work(self, ids: Sequence[int]) -> None:
        try:
            self._work(load(ids))
        except Exception:
            # Not a message's fault. What is in the air must not go again, the rest not wait for its lease.
            self._note_what_is_in_the_air()
            release(ids, not_before=self.now + UNKNOWN_TROUBLE_PAUSE)
            raise

    def _work(self, deliveries: Sequence[Delivery]) -> None:
        self._contexts = self._ladders(deliveries) if self._channel == Channel.EMAIL else {}
        waiting = iter(deliveries)
        for delivery in waiting:
            if self._lease_is_short(delivery):
                release([delivery.pk, *(one.pk for one in waiting)], not_before=self.now)
                break
            self._send(delivery)
        self._note_all(self._crew.rest())

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

    def _lease_is_short(self, delivery: Delivery) -> bool:
        return delivery.lease_until is not None and delivery.lease_until - self.now < LONGEST_SEND

    def _send(self, delivery: Delivery) -> None:
        """By the provider whose turn it is. The incident is asked when there is room for the message."""
        try:
            provider = self._line_up.choose(self._tried(delivery), delivery.attempt, self.now)
        except ChannelDown as down:
            self._failed(delivery, down, None)
            return
        try:
            sender = self._line_up.sender(provider)
        except ChannelDown as down:
            self._note(Outcome(delivery, provider, down))
            return
        self._note_all(self._crew.make_room(sender, provider))
        if self._is_written(delivery):
            self._note_all(self._crew.give(sender, delivery, provider))

    def _tried(self, delivery: Delivery) -> set[str]:
        """Nothing is looked up for the first attempt, which nearly all are."""
        return standing_in.tried(delivery) if delivery.instead_of_id else set()

    def _is_written(self, delivery: Delivery) -> bool:
        """Ask the incident once more and put the words in; False: nobody has to hear it any more."""
        needed = self._still_needed(delivery)
        if not needed:
            self._dropped(delivery)
            return False
        if together.is_together(delivery):
            write_together(delivery, needed, now=self.now)
        else:
            context = self._contexts.get(delivery.notification.incident_id or 0)
            write(delivery, now=self.now, context=context)
        return True

    def _still_needed(self, delivery: Delivery) -> list[Delivery]:
        """What of it somebody still has to hear: itself, or some of what it carries; else nothing."""
        if standing_in.came_after_all(delivery) or not _is_needed(delivery.notification, self.now):
            return []
        return together.still_needed(delivery, self.now) if together.is_together(delivery) else [delivery]

    def _note_all(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            self._note(outcome)

    def _note_what_is_in_the_air(self) -> None:
        """After trouble: each as it went, whatever becomes of the others."""
        for outcome in self._crew.rest():
            try:
                self._note(outcome)
            except Exception:
                if not connection.is_usable():
                    raise
                logger.exception("How delivery %s went could not be noted.", outcome.delivery.pk)

    def _note(self, outcome: Outcome) -> None:
        delivery, provider, result = outcome.delivery, outcome.provider, outcome.result
        if isinstance(result, Receipt):
            self._sent(delivery, result, provider)  # first: it has gone out, whatever breaks after that
            self._line_up.worked(provider, self.now)
        else:
            self._line_up.failed(provider, result, self.now)
            self._failed(delivery, result, provider)

    # --- marking ---

    def _sent(self, delivery: Delivery, receipt: Receipt, provider: Provider) -> None:
        now = self.now
        delivery.state = DeliveryState.DELIVERED if receipt.delivered else DeliveryState.SENT
        delivery.sent_at, delivery.delivered_at = now, now if receipt.delivered else None
        delivery.provider, delivery.provider_ref, delivery.error = receipt.provider, receipt.reference, ""
        if not receipt.delivered:
            delivery.receipt_due_at = receipts.due_at(delivery, provider, now)
        mark(delivery)
        self._done.sent += 1

    def _dropped(self, delivery: Delivery) -> None:
        delivery.state = DeliveryState.DROPPED
        mark(delivery)
        self._done.dropped += 1

    def _failed(self, delivery: Delivery, failure: Failed, provider: Provider | None) -> None:
        """By the next provider; else again later, or visibly over, and what is urgent another way now."""
        now = self.now
        if isinstance(failure, ChannelDown) and not self._still_needed(delivery):
            self._dropped(delivery)
            return
        delivery.note_trouble(str(failure))
        if provider is not None:
            delivery.provider = provider.name
            if self._goes_by_the_next(delivery, failure, provider):
                return
        is_over = failure.is_permanent or delivery.attempt >= ATTEMPTS[Rank(delivery.rank)]
        if is_over:
            delivery.state, delivery.failed_at = DeliveryState.FAILED, now
            self._done.failed += 1
        else:
            delivery.state, delivery.not_before = DeliveryState.QUEUED, now + pause(delivery, failure)
        goes_on = is_over or delivery.attempt >= OTHER_CHANNEL_AFTER or _is_away(failure)
        is_about_one = delivery.notification.is_urgent and delivery.notification.incident_id
        if goes_on and (is_about_one or together.is_together(delivery)):
            self._mark_with_another_way(delivery, now)
        else:
            mark(delivery)
        if isinstance(failure, OptedOut):
            self._no_more_texts(delivery, now)

    def _no_more_texts(self, delivery: Delivery, now: datetime) -> None:
        """Honour it. If that breaks, the provider says it again at the next text to them."""
        try:
            opting_out.stop(delivery.address, now=now)
        except Exception:
            if not connection.is_usable():
                raise
            logger.exception("Delivery %s: that they want no more texts could not be noted.", delivery.pk)

    def _goes_by_the_next(self, delivery: Delivery, failure: Failed, provider: Provider) -> bool:
        """Both or neither: this attempt has failed, and one by the next provider is queued."""
        tried = {*self._tried(delivery), provider.name}
        if not failure.elsewhere or not self._line_up.another(tried, self.now):
            return False
        delivery.state, delivery.failed_at = DeliveryState.FAILED, self.now
        with transaction.atomic():
            if mark(delivery):
                standing_in.queue(delivery, self.now)
        self._done.failed += 1
        return True

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


def _is_needed(notification: Notification, now: datetime) -> bool:
    """Asked in the moment before it goes out, of the incident as it is then."""
    incident_id = notification.incident_id
    return is_still_needed(notification, None if incident_id is None else incident_now(incident_id), now)


def _is_away(failure: Failed) -> bool:
    """Whether the channel is of no use for now. A short pause that the provider asked for is no reason."""
    return isinstance(failure, ChannelDown) and (failure.retry_after or LONG_PAUSE) >= LONG_PAUSE


def pause(delivery: Delivery, failure: Failed | None = None) -> timedelta:
    """How long to wait before the next attempt; a little different each time, so that a crowd spreads out.

    At least as long as the provider asked, but never longer than the longest pause.
    """
    rank = Rank(delivery.rank)
    doubled = FIRST_PAUSE[rank] * 2 ** min(delivery.attempt - 1, 12)
    ours = min(doubled, LONGEST_PAUSE[rank]) * random.uniform(0.8, 1.2)  # noqa: S311 - not a secret
    theirs = timedelta(seconds=(failure.retry_after or 0) if failure else 0)
    return max(ours, min(theirs, LONGEST_PAUSE[rank]))


def mark(delivery: Delivery) -> bool:
    """Write how it went and give the claim up; nothing is written over a claim that somebody else has now."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE escalation_delivery
            SET state = %s, sent_at = %s, delivered_at = %s, failed_at = %s, not_before = %s, provider = %s,
                provider_ref = %s, error = %s, subject = %s, text = %s, html = %s, receipt_due_at = %s,
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
                delivery.receipt_due_at,
                delivery.pk,
                delivery.lease_by,
            ],
        )
        return cursor.rowcount > 0


# --- words ---


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
    if only is not None:
        delivery.subject, delivery.text, delivery.html = only.subject, only.text, only.html


def bare_facts(delivery: Delivery) -> messages.Rendered:
    incident = delivery.notification.incident
    if incident is None:
        line = str(delivery.notification.get_reason_display())
        return messages.Rendered(subject=line, text=f"{line}: {messages.base_url()}/", html="")
    line = f"{incident.code} {incident.severity}: {incident.title}"
    link = f"{messages.base_url()}/a/{delivery.notification.token}"
    return messages.Rendered(subject=line, text=f"{line[:110]} {link}", html="")
