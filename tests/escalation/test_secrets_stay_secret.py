"""However a provider fails, its password is in no log, and nowhere that a person or a program reads."""

from __future__ import annotations

import logging
import socketserver
import threading
from base64 import b64encode
from collections.abc import Iterator

import pytest

from escalation import health, outbox
from escalation.engine import tick
from escalation.models import Delivery, ProviderHealth
from escalation.outbox.lineup import down_until
from incidents.models import Event
from tests.escalation.sink import free_port

pytestmark = pytest.mark.django_db

SECRET = "hush-5f1c"


class Parrot(socketserver.StreamRequestHandler):
    """A mail server that refuses all and repeats what it was told; to others it speaks nonsense."""

    def handle(self) -> None:
        self.wfile.write(b"220 hello\r\n")
        for line in self.rfile:
            is_greeting = line.upper().startswith(b"EHLO")
            self.wfile.write(b"250-here\r\n250 AUTH PLAIN\r\n" if is_greeting else b"535 no: " + line)


@pytest.fixture
def parrot() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Parrot) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        ("sms", "twilio+http://AC1:{secret}@127.0.0.1:{port}?from=%2B15550100000"),
        ("sms", "twilio://AC1:{secret}@127.0.0.1:{port}?from=%2B15550100000"),
        ("sms", "apprise+json://user:{secret}@127.0.0.1:{port}/sms"),
        ("email", "smtp://user:{secret}@127.0.0.1:{port}"),
        ("email", "smtps://user:{secret}@127.0.0.1:{port}"),
    ],
)
def test_no_password_of_a_provider_that_fails_is_logged_or_shown(
    world, settings, parrot, caplog, channel, address
):
    caplog.set_level(logging.DEBUG)
    for person in world.people.values():
        person.urgent_channels = [channel]
        person.save(update_fields=["urgent_channels"])
    world.raise_it("stopped")
    tick(now=world.now)
    for port in (free_port(), parrot):
        down_until.clear()
        known = address.format(secret=SECRET, port=port)
        setattr(settings, f"{channel.upper()}_URL", known)
        outbox.deliver_due(channel, world.now)
        world.now += health.PROBED_EVERY
    failed = Delivery.objects.filter(channel=channel).exclude(error="")
    assert failed.exists()
    rows = [*failed.values(), *ProviderHealth.objects.values(), *Event.objects.values()]
    said = f"{rows} {health.cards(world.now)} {caplog.text}"
    assert SECRET not in said
    assert b64encode(f"\0user\0{SECRET}".encode()).decode() not in said
