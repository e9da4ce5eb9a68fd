"""Speaking to what is at the other end: a signed POST to a program, Apprise to a room."""

from __future__ import annotations

import hmac
import json
import logging
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from ssl import SSLContext
from typing import Any
from urllib.parse import urlsplit

import apprise
import httpx
from django.core.serializers.json import DjangoJSONEncoder

from escalation.channels.push import retry_after

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
"""Seconds; a lease is longer by far."""

SANDBOX = "sandbox"
"""A room with this scheme stays on the page /outbox/."""

logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would write addresses, which are secrets


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it. `is_unheard`: it did not answer at all, so that the next try would hang as well."""

    ok: bool
    error: str = ""
    status: int | None = None
    wait: float | None = None
    is_unheard: bool = False
    is_gone: bool = False


def client() -> httpx.Client:
    """One that keeps its connections until it is closed."""
    return httpx.Client(timeout=TIMEOUT, verify=_authorities())


@cache
def _authorities() -> SSLContext:
    """Read once: for each client anew it took more time than the posts (17 ms)."""
    return httpx.create_ssl_context()


def call_program(client: httpx.Client, url: str, secret: str, event_id: str, body: Any, at: int) -> Answer:
    """POST the JSON, signed over time and body. Redirects are not followed: they would lead anywhere."""
    raw = json.dumps(body, cls=DjangoJSONEncoder).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "OpsDesk",
        "OpsDesk-Event-Id": event_id,
        "OpsDesk-Signature": signature(secret, raw, at),
    }
    try:
        answer = client.post(url, content=raw, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Answer(False, f"No answer: {type(error).__name__}.", is_unheard=True)
    if answer.is_success:
        return Answer(True, status=answer.status_code)
    wait = retry_after(answer.headers.get("Retry-After", ""))
    return Answer(
        False,
        f"It answered {answer.status_code}.",
        status=answer.status_code,
        wait=wait,
        is_unheard=answer.status_code in (429, 502, 503, 504),
        is_gone=answer.status_code == 410,
    )


def signature(secret: str, body: bytes, at: int) -> str:
    """`t=<seconds>,v1=<hex>`: HMAC-SHA256 of "<seconds>.<body>". The time lets a receiver refuse a replay."""
    made = hmac.new(secret.encode(), f"{at}.".encode() + body, sha256).hexdigest()
    return f"t={at},v1={made}"


def call_room(url: str, title: str, text: str) -> Answer:
    """One message through Apprise, which gives up by itself after seconds."""
    if urlsplit(url).scheme == SANDBOX:
        return Answer(True)
    room = apprise.Apprise()
    if not room.add(url):
        return Answer(False, "The address cannot be used.")
    try:
        taken = room.notify(title=title, body=text)
    except Exception as error:  # whatever a plugin raises: its text may hold the address
        return Answer(False, f"It broke: {type(error).__name__}.", is_unheard=True)
    return Answer(True) if taken else Answer(False, "The room did not take it.", is_unheard=True)


def is_room(url: str) -> bool:
    """Whether Apprise, or the sandbox, knows what to do with this address."""
    return urlsplit(url).scheme == SANDBOX or apprise.Apprise.instantiate(url) is not None
