"""Text messages by a gateway in the plant, through Apprise, over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import pytest

from escalation.channels import Failed, PermanentFailure, open_channel
from escalation.channels.by_apprise import addressed
from escalation.models import Delivery


class Gateway(ThreadingHTTPServer):
    """Takes JSON and keeps it; answers with `status`."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.taken: list[tuple[str, dict[str, Any]]] = []


class Handler(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        return None


@pytest.fixture
def gateway(settings: Any) -> Iterator[Gateway]:
    server = Gateway()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    settings.SMS_URL = f"apprise+json://user:secret@127.0.0.1:{server.server_port}/sms/{{to}}"
    yield server
    server.shutdown()
    server.server_close()


def text(number: str = "+13135550142") -> Delivery:
    return Delivery(pk=7, channel="sms", address=number, text="INC-1042 LINE DOWN")


def test_a_text_arrives_at_a_gateway_in_the_plant(gateway):
    with open_channel("sms") as sender:
        receipt = sender.send(text())
    ((path, said),) = gateway.taken
    assert unquote(path) == "/sms/+13135550142"
    assert said["message"] == "INC-1042 LINE DOWN"
    assert receipt.provider == "json"


def test_a_gateway_that_refuses_is_to_blame_and_its_password_is_not_shown(gateway, caplog):
    gateway.status = 500
    with open_channel("sms") as sender, pytest.raises(Failed) as refused:
        sender.send(text())
    assert refused.value.is_providers
    assert not refused.value.is_permanent
    assert "secret" not in str(refused.value) + caplog.text


def test_without_a_number_nothing_is_sent(gateway):
    with open_channel("sms") as sender, pytest.raises(PermanentFailure):
        sender.send(text(""))
    assert not gateway.taken


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("json://gateway/sms?to={to}", "json://gateway/sms?to=%2B1"),
        ("d7sms://token@gateway/", "d7sms://token@gateway/%2B1"),
        ("d7sms://token@gateway?batch=no", "d7sms://token@gateway/%2B1?batch=no"),
    ],
)
def test_the_number_goes_where_the_address_says_or_to_its_end(url, whole):
    assert addressed(url, "+1") == whole
