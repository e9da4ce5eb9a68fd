"""What chat rooms were told, for the outbox: as it stands in the room, among the other messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.safestring import SafeString

from escalation.models import ListenerKind, Post, PostState
from escalation.views.outbox_found import Asked
from escalation.views.outbox_words import linked
from incidents.models.incident import parse_number
from plant.models import Channel, Person


@dataclass(frozen=True, slots=True)
class RoomPost:
    """One message in a room: a line in bold, and what it says."""

    post: Post
    at: datetime
    title: str
    words: SafeString

    is_room = True


def room_posts(asked: Asked, reader: Person) -> QuerySet[Post]:
    """What the rooms of the reader's sites were told, newest first; nothing where a person is asked for."""
    found = Post.objects.filter(
        listener__kind=ListenerKind.CHAT, state__in=(PostState.SENT, PostState.FAILED)
    ).exclude(text="")
    if asked.person or asked.channel not in ("", Channel.CHAT):
        return found.none()
    if not reader.is_corporate:
        found = found.filter(listener__site__in=reader.site_ids)
    if asked.incident:
        found = found.filter(event__incident__number=parse_number(asked.incident))
    if asked.channel == Channel.CHAT and asked.before.isdecimal():
        found = found.filter(pk__lt=int(asked.before))
    return found.select_related("listener", "event__incident").order_by("-pk")


def room_post(post: Post) -> RoomPost:
    title, _end, rest = post.text.partition("\n")
    return RoomPost(post, post.sent_at or post.queued_at, title, linked(rest))
