"""The mail server of the fault runs does what it is told, and writes down what it took."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos import parts
from chaos.parts import Mail
from escalation.channels.mail_token import token

NAME = f"<delivery-{token(42)}@plant>"
MAIL = (
    b"From: a@plant\r\nTo: b@plant\r\nMessage-ID: " + NAME.encode() + b"\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\nSee http://x/a/ABCDE2=\r\nFGHJ now.\r\n"
)


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[Mail]:
    with parts.mail(tmp_path) as found:
        yield found


def send(mail: Mail, within: float = 5.0) -> None:
    with smtplib.SMTP("127.0.0.1", mail.port, timeout=within) as line:
        line.sendmail("a@plant", ["b@plant"], MAIL)


def test_what_is_taken_is_written_down_with_its_delivery_and_its_token(mail: Mail) -> None:
    send(mail)
    (taken,) = mail.taken()
    assert (taken.delivery, taken.token, taken.to) == (42, "ABCDE2FGHJ", "b@plant")


def test_it_hangs_then_refuses_then_takes_again_and_has_only_what_it_said_it_took(mail: Mail) -> None:
    mail.tell("hang")
    with pytest.raises((smtplib.SMTPException, TimeoutError)):
        send(mail, within=0.5)
    mail.tell("refuse")
    with pytest.raises(ConnectionRefusedError):
        send(mail)
    assert mail.taken() == []
    mail.tell("take")
    send(mail)
    assert len(mail.taken()) == 1


def test_when_slow_it_has_the_mail_before_the_sender_knows(mail: Mail) -> None:
    mail.tell("slow 2")
    with pytest.raises((smtplib.SMTPException, TimeoutError)):
        send(mail, within=0.5)
    assert len(mail.taken()) == 1
