"""Addresses of providers: several in order in one setting, refused in one sentence when one cannot be used.

Pure: settings ask here whether an address is any good before Django's apps are there, channels read it here.
No sentence repeats an address: most hold a password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

import apprise

from opsdesk import environment
from opsdesk.environment import Misconfigured

_BETWEEN = re.compile(r"\s+|,\s*(?=[A-Za-z][A-Za-z0-9+.-]*://)")
"""White space, or a comma before another address: an address may have commas of its own."""

NAME_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Provider:
    """One address of a setting. `name` is what people and logs read: no secret, unique in its setting."""

    name: str
    url: str = field(repr=False)
    position: int = 0

    @property
    def scheme(self) -> str:
        """The part that picks the sender: `smtp`, `twilio`, `apprise`, `sandbox`."""
        return urlsplit(self.url).scheme.split("+")[0]


def providers(text: str) -> list[Provider]:
    """The addresses of a setting, in their order."""
    found: list[Provider] = []
    for position, url in enumerate(part for part in _BETWEEN.split(text.strip()) if part):
        known = {one.name for one in found}
        name, n = _name(url), 1
        while name in known:
            n += 1
            name = f"{_name(url)[: NAME_LENGTH - 3]}#{n}"
        found.append(Provider(name, url, position))
    return found


def _name(url: str) -> str:
    """ "twilio api.example": the kind and the host, as the rest may be secret."""
    scheme, _colon, rest = url.partition("://")
    if scheme.startswith("apprise+"):
        # What stands where a host would be is a token with many of Apprise's gateways.
        return scheme.removeprefix("apprise+")[:NAME_LENGTH]
    host = rest.partition("/")[0].partition("?")[0].rpartition("@")[2].partition(":")[0]
    return " ".join(filter(None, [scheme.split("+")[0], host]))[:NAME_LENGTH]


def from_environment(name: str, kinds: tuple[str, ...]) -> str:
    """The setting `name` as it is, when every address in it can be used. Raises Misconfigured."""
    text = environment.text(name, "sandbox://")
    found = providers(text)
    for number, provider in enumerate(found, start=1):
        where = name if len(found) == 1 else f"Address {number} in {name}"
        if why := _why_wrong(provider, kinds):
            raise Misconfigured(f"{where} {why}.")
    if len(found) > 1 and any(one.scheme == "sandbox" for one in found):
        raise Misconfigured(f"{name} names sandbox:// beside a provider; it is one or the other.")
    return text


def _why_wrong(provider: Provider, kinds: tuple[str, ...]) -> str:
    if "://" not in provider.url or provider.scheme not in kinds:
        return f"must start with one of {', '.join(_start(kind) for kind in kinds)}"
    if provider.scheme == "apprise":
        inner = provider.url.removeprefix("apprise+").replace("{to}", "15550100000")
        is_known = apprise.Apprise.instantiate(inner, suppress_exceptions=True) is not None
        return "" if is_known else "is no address that Apprise can use"
    try:
        url = urlsplit(provider.url)
        _port = url.port
    except ValueError:
        return "has a host or port that cannot be read"
    if provider.scheme == "twilio":
        return _why_wrong_twilio(provider.url)
    return "names no host" if provider.scheme != "sandbox" and not url.hostname else ""


def _start(kind: str) -> str:
    return "apprise+" if kind == "apprise" else f"{kind}://"


def _why_wrong_twilio(address: str) -> str:
    url = urlsplit(address)
    if url.scheme not in ("twilio", "twilio+http", "twilio+https"):
        return "must start with twilio:// or twilio+http://"
    if not (url.hostname and url.username and url.password):
        return "must look like twilio://SID:TOKEN@api-host?from=%2B15550100000"
    asked = parse_qs(url.query)
    if not asked.get("from", [""])[0]:
        return "says no number to send from: add ?from=%2B15550100000"
    return ""


@dataclass(frozen=True, slots=True)
class TwilioAddress:
    """What a Twilio-compatible address says. `base` is the host's address without the account."""

    base: str
    account: str
    token: str = field(repr=False)
    sender: str

    @classmethod
    def of(cls, address: str) -> TwilioAddress:
        url = urlsplit(address)
        scheme = "http" if url.scheme == "twilio+http" else "https"
        port = f":{url.port}" if url.port else ""
        return cls(
            base=f"{scheme}://{url.hostname}{port}",
            account=unquote(url.username or ""),
            token=unquote(url.password or ""),
            # a plus sign that somebody left bare arrives as a space
            sender=parse_qs(url.query).get("from", [""])[0].replace(" ", "+"),
        )
