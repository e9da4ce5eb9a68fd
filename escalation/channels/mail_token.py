"""The part of our mails' addresses and ids by which an answer is known: which message it answers, signed.

Lower-case hexadecimal, because mail servers change the case of addresses; 64 bits of a keyed hash, so that
nobody makes one up.
"""

from __future__ import annotations

import hmac
import re

from django.utils.crypto import salted_hmac

SALT = "opsdesk.mail"
_TOKEN = re.compile(r"(?:\+|<delivery-|^delivery-)([0-9a-f]{1,15})-([0-9a-f]{16})@")


def token(delivery_id: int) -> str:
    """ "2a-9f86d081884c7d65"."""
    return f"{delivery_id:x}-{_signature(delivery_id)}"


def _signature(delivery_id: int) -> str:
    return salted_hmac(SALT, str(delivery_id), algorithm="sha256").hexdigest()[:16]


def found_in(*headers: str) -> int | None:
    """The id of the delivery that the first genuine token is of, in addresses or message ids."""
    for header in headers:
        for match in _TOKEN.finditer(header.lower()):
            number = int(match.group(1), 16)
            if hmac.compare_digest(_signature(number), match.group(2)):
                return number
    return None
