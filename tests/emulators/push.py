"""A push service with its browsers: checks our signature (RFC 8292) and reads what is for them (RFC 8291)."""

from __future__ import annotations

import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import http_ece  # type: ignore[import-untyped]
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.emulators.receiver import Answer, Receiver, Request, running_receiver


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Browser:
    """One signed-up browser: its keys, what it was shown, and what the service says of it."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    shown: list[dict[str, Any]] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    says: Answer | None = None

    @property
    def keys(self) -> dict[str, str]:
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return {"p256dh": b64(point), "auth": b64(self.auth)}

    def read(self, body: bytes) -> dict[str, Any]:
        plain = http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        found: dict[str, Any] = json.loads(plain)
        return found


@dataclass
class PushService:
    """Takes what is signed by the key its browsers were signed up with; 403 for anything else."""

    receiver: Receiver
    application_key: str = ""
    browsers: dict[str, Browser] = field(default_factory=dict)

    def browser(self) -> Browser:
        path = f"/wpush/{secrets.token_hex(8)}"
        found = self.browsers[path] = Browser(self.receiver.url + path)
        return found

    def take(self, request: Request) -> Answer:
        browser = self.browsers.get(request.path)
        if browser is None:
            return 410, {}
        if browser.says is not None:
            return browser.says
        if not self._is_signed(request.headers):
            return 403, {}
        if int(request.headers["TTL"]) < 0 or len(request.headers["Topic"]) > 32 or len(request.body) > 4096:
            return 400, {}
        browser.heads.append(dict(request.headers))
        browser.shown.append(browser.read(request.body))
        return 201, {"Location": f"{self.receiver.url}/message/{len(browser.shown)}"}

    def _is_signed(self, headers: Mapping[str, str]) -> bool:
        scheme, _space, rest = headers["Authorization"].partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        signed, _dot, signature = parts["t"].rpartition(".")
        raw = unb64(signature)
        point = unb64(parts["k"])
        try:
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point).verify(
                encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")),
                signed.encode(),
                ec.ECDSA(hashes.SHA256()),
            )
        except InvalidSignature:
            return False
        claims = json.loads(unb64(signed.split(".")[1]))
        in_a_day = time.time() + 24 * 3600
        return (
            scheme == "vapid"
            and claims["aud"] == self.receiver.url
            and claims["sub"].startswith("mailto:")
            and time.time() < claims["exp"] <= in_a_day
            and b64(point) == self.application_key
        )


@contextmanager
def running_push_service() -> Iterator[PushService]:
    with running_receiver() as receiver:
        service = PushService(receiver)
        receiver.answer = service.take
        yield service
