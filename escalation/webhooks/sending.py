"""Handing posts over: claimed first, sent outside of any transaction, marked one by one, for a day.

At least once: whoever dies in between leaves a lease that ends. Who receives twice knows by the event's id.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx
from django.db import transaction
from django.utils import timezone

from escalation.models import Listener, ListenerKind, Post, PostState
from escalation.outbox.claims import slot
from escalation.webhooks import calling, giving_up, queue, words
from escalation.webhooks.calling import Answer
from escalation.webhooks.hears import is_overtaken
from escalation.webhooks.sealed import Unreadable, unseal
from incidents import readings
from incidents.models import Incident

logger = logging.getLogger(__name__)

BATCH = 20
LONGEST_TURN = 15.0
"""Seconds after which a sender makes room for the next."""

SPARE = timedelta(seconds=20)
"""No post is begun with less than this left of its lease: one call takes ten at most."""

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)
"""Pause before the next attempt: doubled each time, a little different each time."""

TRIES_FOR = timedelta(days=1)
"""The contract: retried for a day."""


def post_due(kind: str, now: datetime | None = None) -> int:
    """One turn: new events become posts, and what is due of this kind goes out. Returns how many went."""
    at, end, sent = now or timezone.now(), time.monotonic() + LONGEST_TURN, 0
    while queue.spread(at) == queue.BATCH:
        pass
    queue.take_back_expired(at)
    with slot(kind) as is_free:
        while is_free and (now is not None or time.monotonic() < end):
            ids = queue.claim(kind, limit=BATCH, now=now or timezone.now())
            if not ids:
                break
            sent += _send_all(ids, now)
    return sent


def try_out(listener: Listener, now: datetime | None = None) -> Post:
    """A test, here and now, so that whoever set it up sees what came of it. It changes nothing else."""
    at = now or timezone.now()
    post = Post.objects.create(
        listener=listener,
        state=PostState.SENDING,
        attempt=1,
        queued_at=at,
        not_before=at,
        lease_until=at + queue.LEASE,
    )
    with calling.client() as client:
        answer = _call(post, client, at)
    _write(post, answer, PostState.SENT if answer.ok else PostState.FAILED, now or timezone.now())
    return post


def _send_all(ids: Sequence[int], given: datetime | None) -> int:
    """The posts of one listener over one connection; after no answer at all the rest waits."""
    posts, sent = _load(ids), 0
    with calling.client() as client:
        while posts:
            now = given or timezone.now()
            post = posts.pop(0)
            if post.lease_until is None or post.lease_until - now < SPARE:
                queue.release([post.pk, *(one.pk for one in posts)])
                break
            answer = _send(post, client, now)
            sent += int(answer.ok)
            if answer.is_unheard or answer.is_gone:
                queue.release([one.pk for one in posts])
                break
    return sent


def _load(ids: Sequence[int]) -> list[Post]:
    """With the incidents as they are now, and their last words: a fixed number of queries."""
    posts = list(Post.objects.filter(pk__in=ids).select_related("listener", "event__by").order_by("pk"))
    events = [one.event for one in posts if one.event]
    incidents = Incident.objects.filter(pk__in={one.incident_id for one in events}).with_place()
    found = {one.pk: one for one in incidents}
    readings.attach(list(found.values()))
    for event in events:
        event.incident = found[event.incident_id]
    return posts


def _send(post: Post, client: httpx.Client, now: datetime) -> Answer:
    is_room = post.listener.kind == ListenerKind.CHAT
    if is_room and post.event and is_overtaken(post.event, post.event.incident):
        _write(post, Answer(True), PostState.DROPPED, now)
        return Answer(True)
    answer = _call(post, client, now)
    _mark(post, answer, now)
    return answer


def _call(post: Post, client: httpx.Client, now: datetime) -> Answer:
    """What came of it; a bad row is contained."""
    listener = post.listener
    try:
        address = unseal(listener.address)
        if listener.kind == ListenerKind.CHAT:
            title, text = _room_words(post, now)
            post.text = f"{title}\n{text}"
            return calling.call_room(address, title, text)
        body: dict[str, Any] = {"kind": "test"} if post.event is None else words.for_a_program(post.event)
        event_id = f"test-{post.pk}" if post.event is None else str(post.event_id)
        return calling.call_program(
            client, address, unseal(listener.secret), event_id, body, int(now.timestamp())
        )
    except Unreadable as error:
        return Answer(False, str(error))
    except Exception as error:
        logger.exception("Post %s cannot be made.", post.pk)
        return Answer(False, f"It cannot be made: {type(error).__name__}.")


def _room_words(post: Post, now: datetime) -> tuple[str, str]:
    language = post.listener.language
    if post.event is None:
        return words.for_a_test(post.listener.name, language)
    return words.for_a_room(post.event, language, now)


# --- marking ---


def _mark(post: Post, answer: Answer, now: datetime) -> None:
    """The post and what is known of its listener, together; and whether to give up on it."""
    with transaction.atomic():
        listener = Listener.objects.select_for_update().get(pk=post.listener_id)
        if answer.ok:
            _write(post, answer, PostState.SENT, now)
            _is_well(listener, now)
            return
        is_over = now - post.queued_at >= TRIES_FOR
        if not is_over:
            post.not_before = now + pause(post.attempt, answer.wait)
        _write(post, answer, PostState.FAILED if is_over else PostState.QUEUED, now)
        listener.failing_since = listener.failing_since or now
        listener.failures, listener.last_error = listener.failures + 1, answer.error[:300]
        if answer.is_unheard:
            listener.paused_until = now + pause(listener.failures, answer.wait)
        listener.save(update_fields=["failing_since", "failures", "last_error", "paused_until"])
        if answer.is_gone or now - listener.failing_since >= TRIES_FOR:
            giving_up.give_up(listener, now)


def _is_well(listener: Listener, now: datetime) -> None:
    listener.last_ok_at, listener.failing_since, listener.paused_until = now, None, None
    listener.failures, listener.last_error = 0, ""
    listener.save(update_fields=["last_ok_at", "failing_since", "paused_until", "failures", "last_error"])


def _write(post: Post, answer: Answer, state: PostState, now: datetime) -> None:
    post.state, post.status, post.error, post.lease_until = state, answer.status, answer.error[:300], None
    post.sent_at = now if state == PostState.SENT else None
    fields = ["state", "status", "error", "lease_until", "sent_at", "not_before", "text"]
    post.save(update_fields=fields)


def pause(attempt: int, wait: float | None) -> timedelta:
    """Doubled each time, with jitter; as long as was asked for, but no longer than the longest."""
    doubled = min(FIRST_PAUSE * 2 ** min(attempt - 1, 12), LONGEST_PAUSE)
    ours = doubled * random.uniform(0.8, 1.2)  # noqa: S311 - not a secret
    return max(ours, min(timedelta(seconds=wait or 0), LONGEST_PAUSE))
