"""Reading the mailbox over a real IMAP conversation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from escalation.channels.email import build
from escalation.inbound import mailbox
from escalation.models import Delivery, Did, Inbound
from tests.emulators.imap import Box, running_imap
from tests.inbound.letters import reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def box(settings: Any, monkeypatch: Any) -> Iterator[Box]:
    monkeypatch.setattr(mailbox, "_rests_until", 0.0)
    with running_imap() as (found, url):
        settings.IMAP_URL = url
        settings.EMAIL_REPLY_TO = "replies@ops.example.com"
        yield found


@pytest.fixture
def sent(world, advance) -> Delivery:
    world.raise_it("stopped")
    advance(minutes=11)
    found = Delivery.objects.filter(channel="email").select_related("notification__person")
    return found.filter(notification__incident__isnull=False)[0]


def test_an_answer_in_the_mailbox_is_taken_and_marked_as_read(world, box, sent):
    box.deliver(bytes(reply(sent, "visto")))
    assert mailbox.poll(world.now) == 1
    assert Inbound.objects.get().did == Did.SEEN
    assert (box.unseen, mailbox.poll(world.now)) == ([], 0)


def test_a_mail_that_is_no_mail_keeps_no_other(world, box, sent):
    box.deliver(b"\xff\xfe\x00 not a mail")
    box.deliver(bytes(reply(sent, "visto")))
    assert mailbox.poll(world.now) == 2
    assert {one.did for one in Inbound.objects.all()} == {Did.SEEN, Did.NOT_UNDERSTOOD}


def test_a_connection_that_breaks_before_the_mark_acts_once(world, box, sent):
    box.deliver(bytes(reply(sent, "visto")))
    box.drops_at = "UID STORE"
    with pytest.raises(mailbox.MailboxDown):
        mailbox.read_all(mailbox.settings.IMAP_URL, world.now)
    box.drops_at = ""
    assert mailbox.read_all(mailbox.settings.IMAP_URL, world.now) == 1
    assert Inbound.objects.count() == 1


def test_a_wrong_password_is_said_without_the_password_and_the_server_is_left_alone(world, box, caplog):
    box.password = "changed"
    assert mailbox.poll(world.now) == 0
    assert "cannot be read" in caplog.text
    assert "s3cret" not in caplog.text
    asked = len(box.commands)
    assert mailbox.poll(world.now) == 0
    assert len(box.commands) == asked


def test_without_a_mailbox_nothing_is_asked(settings):
    settings.IMAP_URL = ""
    assert mailbox.poll() == 0


def test_mails_ask_for_answers_to_the_mailbox_marked_with_the_message(box, sent):
    text = build(sent).decode()
    assert "Reply-To: replies+" in text
    assert "List-Id: OpsDesk <alerts." in text
    assert "List-Unsubscribe: <" in text
    assert "Precedence: bulk" in text


def test_without_a_mailbox_no_answer_is_asked_for(settings, sent):
    settings.EMAIL_REPLY_TO = ""
    assert "\r\nReply-To" not in build(sent).decode()
