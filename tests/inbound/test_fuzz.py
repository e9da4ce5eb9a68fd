"""Whatever comes in: never a crash, never an action without the right, never two actions for one message.

pytest tests/inbound/test_fuzz.py                100 examples, always the same ones
pytest tests/inbound/test_fuzz.py -m nightly     1,000 examples, others each night
"""

from __future__ import annotations

import os
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from escalation.channels.email import message_id
from escalation.gsm7 import SEGMENT, septets
from escalation.inbound.mail import take_mail
from escalation.inbound.sms import take_sms
from escalation.inbound.words import understand
from escalation.models import Did, Inbound
from incidents.models import Event, EventKind, Incident
from incidents.permissions import Action, can
from plant.models import Person, Role
from tests.factories import NOW, make_floor, make_person, raise_
from tests.inbound.letters import mailed

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("OPSDESK_EXAMPLES", "1000"))
ALWAYS = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
NIGHTLY = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

WORDS = (
    "ok",
    "sí",
    "visto",
    "all",
    "todo",
    "help",
    "ayuda",
    "no",
    "STOP",
    "START",
    "fixed",
    "1042",
    "👍",
    "Liked “",
)
pieces = st.one_of(
    st.sampled_from(WORDS),
    st.text(max_size=12),
    st.integers(-3, 2**40).map(str),
    st.just("{number}"),
    st.just("INC-{number}"),
    st.sampled_from(["\x00", "\ud800", "\u202e", "\n", "\t", ",", "-", "’", "“", "ﬁ", "\U0001f3fd"]),
)
texts = st.one_of(
    st.lists(pieces, max_size=7).map(" ".join),
    st.lists(pieces, max_size=5).map("".join),
    st.text(max_size=300),
)
RIGHT_FOR = {
    EventKind.ACKNOWLEDGED: Action.ACKNOWLEDGE,
    EventKind.UPDATED: Action.UPDATE,
    EventKind.HELP_ASKED: Action.ASK_HELP,
    EventKind.WORDS_ADDED: Action.ADD_WORDS,
    EventKind.PHOTO_ADDED: Action.ADD_WORDS,
    EventKind.SEEN: Action.ADD_WORDS,
    EventKind.NOT_REACHED: Action.ADD_WORDS,
}


class Plant:
    """Two sites, an incident at each, and people with and without rights, one number among two of them."""

    def __init__(self) -> None:
        self.floor, self.other = make_floor(), make_floor()
        self.incidents = [raise_(self.floor), raise_(self.other)]
        roles = (Role.IT_TECH, Role.SUPERVISOR, Role.PRODUCTION_MANAGER, Role.SUPPORT)
        self.people = [self.floor.who(role) for role in roles]
        self.people += [self.floor.operator, make_person("Left", site=self.floor.site, is_active=False)]
        twin = make_person("Twin", roles=[Role.IT_TECH], site=self.floor.site, mobile=self.people[1].mobile)
        self.people.append(twin)
        self.people.append(self.other.who(Role.IT_TECH))
        self.letters = [mailed(person, self.incidents[0], NOW) for person in self.people]

    def events(self) -> int:
        return Event.objects.count()

    def check(self, before: int, senders: list[Person], did: str) -> None:
        """What is new was done by one of those who may have sent it, and they had the right."""
        for event in Event.objects.order_by("id")[before:]:
            incident = Incident.objects.get(pk=event.incident_id)
            if event.by is None:
                continue
            assert event.by in senders, (event.kind, event.by, did)
            if event.kind == EventKind.SEEN and event.by.notifications.filter(incident=incident).exists():
                continue  # whoever was told may say that they have seen it
            assert can(event.by, RIGHT_FOR[EventKind(event.kind)], incident), (event.kind, event.by)


@pytest.fixture
def plant(db: None) -> Plant:
    return Plant()


Example = Callable[[Plant, Any], None]


def alone(example: Example, plant: Plant, data: Any) -> None:
    """Each example finds the plant as it was made."""
    with transaction.atomic():
        example(plant, data)
        transaction.set_rollback(True)


def say(plant: Plant, data: Any) -> None:
    sender = data.draw(st.sampled_from([*(one.mobile for one in plant.people), "+15559990000", "", "x\x00"]))
    incident = data.draw(st.sampled_from(plant.incidents))
    text = data.draw(texts).replace("{number}", str(incident.number))
    reference = data.draw(st.text(max_size=250))
    asked: Any = {"sender": sender, "text": text, "reference": reference, "provider": "fuzz", "now": NOW}
    known = {(one.provider, one.reference) for one in Inbound.objects.all()}
    before = plant.events()
    heard = take_sms(**asked)
    assert heard.did != Did.BROKEN
    assert septets(heard.reply) <= SEGMENT
    if known and not heard.is_new:
        assert plant.events() == before
    plant.check(before, [one for one in plant.people if one.is_active and one.mobile == sender], heard.did)
    row = Inbound.objects.get(pk=heard.pk)
    after = plant.events()
    again = take_sms(**{**asked, "reference": row.reference})
    assert (again.is_new, plant.events()) == (False, after)


headers = st.sampled_from(
    [
        "From",
        "To",
        "Subject",
        "In-Reply-To",
        "References",
        "Message-ID",
        "Auto-Submitted",
        "Content-Type",
        "X",
        "Return-Path",
    ]
)
charsets = st.sampled_from(["utf-8", "latin-1", "no-such-charset", "utf-7", "", "base64", "\ud800"])


@st.composite
def broken_mails(draw: Any, message: bytes = b"") -> bytes:
    """A mail with bytes, headers and nesting that no program would write."""
    lines = draw(st.lists(st.tuples(headers, st.binary(max_size=60)), max_size=5))
    extra = b"".join(name.encode() + b": " + value.replace(b"\n", b" ") + b"\r\n" for name, value in lines)
    depth = draw(st.integers(0, 60))
    nested = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth)
    )
    charset = draw(charsets).encode("utf-8", "replace")
    text = b"Content-Type: text/plain; charset=" + charset + b"\r\n\r\n" + draw(st.binary(max_size=200))
    return extra + message + nested + text


def write(plant: Plant, data: Any) -> None:
    letter = data.draw(st.sampled_from(plant.letters))
    sender = data.draw(st.sampled_from([*(one.email for one in plant.people), "thief@example.net", ""]))
    if data.draw(st.booleans()):
        message = EmailMessage()
        message["From"], message["In-Reply-To"] = sender, message_id(letter)
        message["Message-ID"] = f"<{data.draw(st.integers(0, 30))}@x>"
        text = data.draw(texts).encode("utf-8", "replace").decode()
        message.set_content(text.replace("{number}", str(plant.incidents[0].number)))
        raw = bytes(message)
    else:
        head = f"From: {sender}\r\nIn-Reply-To: {message_id(letter)}\r\n".encode()
        raw = data.draw(st.one_of(broken_mails(head), broken_mails(), st.binary(max_size=600)))
    before, kept = plant.events(), Inbound.objects.count()
    heard = take_mail(raw=raw, provider="fuzz", now=NOW)
    assert heard.did != Did.BROKEN
    plant.check(before, [letter.notification.person] if letter.address == sender else plant.people, heard.did)
    after = plant.events()
    again = take_mail(raw=raw, provider="another", now=NOW)
    assert (again.is_new, plant.events(), Inbound.objects.count()) == (False, after, kept + heard.is_new)
    is_theirs = (
        heard.person is None or heard.did == Did.BOUNCED or sender == heard.person.email or not heard.is_new
    )
    assert is_theirs or sender not in raw.decode("latin-1")


@ALWAYS
@given(text=texts)
def test_any_text_is_understood_as_something(text: str) -> None:
    assert understand(text).kind


@ALWAYS
@given(data=st.data())
def test_any_text_message(plant: Plant, data: Any) -> None:
    alone(say, plant, data)


@ALWAYS
@given(data=st.data())
def test_any_mail(plant: Plant, data: Any) -> None:
    alone(write, plant, data)


@pytest.mark.nightly
@NIGHTLY
@given(data=st.data())
def test_any_text_message_at_night(plant: Plant, data: Any) -> None:
    alone(say, plant, data)


@pytest.mark.nightly
@NIGHTLY
@given(data=st.data())
def test_any_mail_at_night(plant: Plant, data: Any) -> None:
    alone(write, plant, data)
