"""Addresses of providers: several in order, and refused in one sentence that gives no secret away."""

from __future__ import annotations

import pytest

from opsdesk import outbound
from opsdesk.environment import Misconfigured

KINDS = ("sandbox", "twilio", "apprise")
TWILIO = "twilio://AC1:secret@api.example?from=%2B15550100000"


def test_several_are_kept_in_their_order_between_white_space_or_commas():
    found = outbound.providers(f"{TWILIO},\n  apprise+json://gateway.plant/sms \t smtp://mail.example:25")
    assert [(one.position, one.scheme, one.name) for one in found] == [
        (0, "twilio", "twilio api.example"),
        (1, "apprise", "json"),
        (2, "smtp", "smtp mail.example"),
    ]


def test_an_address_may_have_commas_of_its_own():
    (only,) = outbound.providers("apprise+json://gateway.plant/a,b,c")
    assert only.url.endswith("/a,b,c")


def test_two_accounts_at_one_host_have_different_names():
    found = outbound.providers(f"{TWILIO} {TWILIO.replace('AC1', 'AC2')}")
    assert [one.name for one in found] == ["twilio api.example", "twilio api.example#2"]


def test_no_name_has_a_secret_in_it():
    text = f"{TWILIO} smtp://user:secret@mail.example:587?tls=1 apprise+json://user:secret@gateway/"
    assert not any("secret" in one.name for one in outbound.providers(text))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("pigeon://secret@roof", "SMS_URL must start with one of sandbox://, twilio://, apprise+."),
        ("secret", "SMS_URL must start with one of sandbox://, twilio://, apprise+."),
        (
            "twilio://api.example",
            "SMS_URL must look like twilio://SID:TOKEN@api-host?from=%2B15550100000.",
        ),
        (
            "twilio://AC1:secret@api.example",
            "SMS_URL says no number to send from: add ?from=%2B15550100000.",
        ),
        ("twilio+ftp://AC1:secret@h?from=1", "SMS_URL must start with twilio:// or twilio+http://."),
        ("twilio://AC1:secret@h:many?from=1", "SMS_URL has a host or port that cannot be read."),
        ("apprise+pigeon://secret", "SMS_URL is no address that Apprise can use."),
        (f"{TWILIO} apprise+pigeon://secret", "Address 2 in SMS_URL is no address that Apprise can use."),
        (f"{TWILIO} sandbox://", "SMS_URL names sandbox:// beside a provider; it is one or the other."),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_in_one_sentence(monkeypatch, text, sentence):
    monkeypatch.setenv("SMS_URL", text)
    with pytest.raises(Misconfigured) as refused:
        outbound.from_environment("SMS_URL", KINDS)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    "text", ["", "sandbox://", TWILIO, f"{TWILIO} apprise+json://user:pw@gateway/{{to}}"]
)
def test_what_can_be_used_stays_as_it_is(monkeypatch, text):
    monkeypatch.setenv("SMS_URL", text)
    assert outbound.from_environment("SMS_URL", KINDS) == (text or "sandbox://")


def test_a_plus_that_was_left_bare_is_still_a_number():
    assert outbound.TwilioAddress.of("twilio://AC1:x@h?from=+15550100000").sender == "+15550100000"
