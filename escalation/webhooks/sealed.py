"""Secrets of others, kept so that a copy of the database alone does not give them away."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


class Unreadable(Exception):
    """It was sealed with another SECRET_KEY and has to be entered again."""


def seal(text: str) -> str:
    return _box().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Raises Unreadable."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Unreadable("SECRET_KEY was changed: enter the address again.") from error


def _box() -> Fernet:
    return Fernet(urlsafe_b64encode(sha256(f"opsdesk.listeners:{settings.SECRET_KEY}".encode()).digest()))
