"""Whether a call to us comes from Twilio: HMAC-SHA1 with the account's token over address and fields."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest

from opsdesk.outbound import TwilioAddress, providers


def signature(token: str, address: str, fields: Mapping[str, str]) -> str:
    """As Twilio computes it: the address, then each field's name and value in the order of the names."""
    signed = address + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def is_signed(token: str, address: str, fields: Mapping[str, str], given: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(signature(token, address, fields).encode(), given.encode())


def account_signed(request: HttpRequest) -> TwilioAddress | None:
    """The account of ours that signed this form post, or None: for `/sms/twilio/status` and `/inbound`.

    The address is the one we gave Twilio (`BASE_URL`), whatever a proxy in between made of it.
    """
    given = request.headers.get("X-Twilio-Signature", "")
    address = f"{settings.BASE_URL}{request.get_full_path()}"
    fields = {name: str(values[-1]) for name, values in request.POST.lists()}
    for account in accounts():
        is_theirs = fields.get("AccountSid", account.account) == account.account
        if given and is_theirs and is_signed(account.token, address, fields, given):
            return account
    return None


def accounts() -> list[TwilioAddress]:
    """The Twilio-compatible accounts that `SMS_URL` names, in order."""
    return [TwilioAddress.of(one.url) for one in providers(settings.SMS_URL) if one.scheme == "twilio"]
