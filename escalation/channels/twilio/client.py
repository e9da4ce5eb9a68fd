"""The REST API itself: connections that stay open, time-outs, and answers turned into failures of ours."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import httpx

from escalation.channels.base import (
    ChannelDown,
    Failed,
    OptedOut,
    Paused,
    PermanentFailure,
    RefusedHere,
    TemporaryFailure,
)
from opsdesk.outbound import TwilioAddress

AT_ONCE = 8
"""Requests to one provider at the same time, from one process."""

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
"""Seconds: a text is asked for in the moment before it is sent, so that nothing may wait long here."""

PAGE = 200
PAGES = 5
"""Of a list: at most 1,000 messages are looked at, newest first."""

PAUSE = 5.0
LONGEST_PAUSE = 300.0
"""Seconds for which a provider that said 429 is left alone: as it says, at most five minutes."""

OPTED_OUT = 21610
NO_SUCH_NUMBER = frozenset({21211, 21214, 21217, 21614})
"""No number at all, or one that takes no texts: the same with every provider."""


@dataclass(frozen=True, slots=True)
class Status:
    """How far a message that we sent got."""

    reference: str
    status: str
    error_code: int = 0


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that somebody texted to our number. `reference` is the provider's id of it."""

    reference: str
    sender: str
    to: str
    text: str
    sent_at: datetime


class Client:
    """One account. Threads may share it; it holds `AT_ONCE` connections open."""

    def __init__(self, address: TwilioAddress):
        self.address = address
        self._messages = f"{address.base}/2010-04-01/Accounts/{address.account}/Messages"
        self._http = httpx.Client(
            auth=(address.account, address.token),
            timeout=TIMEOUT,
            limits=httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE),
            trust_env=address.base.startswith("https"),  # a proxy to the internet, never to the plant
        )

    def send(self, *, to: str, text: str, callback: str = "") -> str:
        """Hand one text over; the provider's reference. Raises Failed. `callback` gets its receipts."""
        form = {"To": to, "From": self.address.sender, "Body": text}
        if callback:
            form["StatusCallback"] = callback
        answer = self._ask("POST", f"{self._messages}.json", data=form)
        reference = str(answer.get("sid") or "")
        if not reference:
            raise ChannelDown("The gateway gave no reference for the message.")
        return reference

    def status(self, reference: str) -> Status:
        """One message of ours. Raises Failed."""
        return _status(self._ask("GET", f"{self._messages}/{reference}.json"))

    def statuses(self, since: datetime) -> Iterator[Status]:
        """Messages that we sent since then, newest first, at most a thousand. Raises Failed."""
        for one in self._list({"From": self.address.sender}, since):
            yield _status(one)

    def incoming(self, since: datetime) -> list[Incoming]:
        """Messages to our number since then, oldest first, at most a thousand. Raises Failed."""
        found = []
        for one in self._list({"To": self.address.sender}, since):
            at = _when(one) or since
            if one.get("direction") == "inbound":
                sender, to, text = (str(one.get(name) or "") for name in ("from", "to", "body"))
                found.append(Incoming(str(one.get("sid") or ""), sender, to, text, at))
        return found[::-1]

    def probe(self) -> None:
        """Ask for the account: cheap, and shows that the gateway answers us. Raises Failed."""
        self._ask("GET", f"{self._messages.removesuffix('/Messages')}.json")

    def _list(self, wanted: Mapping[str, str], since: datetime) -> Iterator[Mapping[str, Any]]:
        day = since.astimezone(UTC).date().isoformat()
        asked: dict[str, str] = {**wanted, "DateSent>": day, "PageSize": str(PAGE)}
        page = self._ask("GET", f"{self._messages}.json", params=asked)
        for _number in range(PAGES):
            for one in page.get("messages") or ():
                at = _when(one)
                if at is not None and at < since:
                    return
                yield one
            following = page.get("next_page_uri")
            if not following:
                return
            page = self._ask("GET", f"{self.address.base}{following}")

    def _ask(self, method: str, address: str, **what: Any) -> dict[str, Any]:
        host = httpx.URL(self.address.base).host
        try:
            answer = self._http.request(method, address, **what)
        except httpx.TimeoutException as error:
            raise ChannelDown(f"{host} does not answer.") from error
        except httpx.HTTPError as error:
            raise ChannelDown(f"{host} cannot be used: {type(error).__name__}.") from error
        said = _json(answer)
        if answer.is_success and said is not None:
            return said
        raise failure(host, answer.status_code, said or {}, answer.headers.get("Retry-After", ""))


@lru_cache(maxsize=16)
def client_of(url: str) -> Client:
    """The client of this process for an address: its connections are used again from turn to turn."""
    return Client(TwilioAddress.of(url))


def failure(host: str, http: int, said: Mapping[str, Any], retry_after: str = "") -> Failed:
    """What a refusal means. The provider's own sentence is not repeated: it may quote what we sent."""
    code = said.get("code")
    code = code if isinstance(code, int) else 0
    if http == 429:
        seconds = _seconds(retry_after)
        return Paused(f"{host} asked for a pause of {seconds:.0f} s.", seconds)
    if code == OPTED_OUT:
        return OptedOut(f"{code}: they asked for no more texts.")
    if code in NO_SUCH_NUMBER:
        return PermanentFailure(f"{code}: this number takes no texts.")
    if http >= 500 or http in (401, 403, 404, 407, 408):
        return ChannelDown(f"{host} refuses us ({http}{_with(code)}).")
    if http < 400:
        return ChannelDown(f"{host} answers in a way that cannot be read ({http}).")
    return RefusedHere(f"{host} refuses the message ({http}{_with(code)}).")


def by_code(code: int, status: str) -> Failed:
    """What a receipt of a message that did not arrive means."""
    if code == OPTED_OUT:
        return OptedOut(f"{code}: they asked for no more texts.")
    if code in NO_SUCH_NUMBER:
        return PermanentFailure(f"{code}: this number takes no texts.")
    return TemporaryFailure(f"{code}: {status}." if code else f"{status}.")


def _with(code: int) -> str:
    return f", {code}" if code else ""


def _seconds(retry_after: str) -> float:
    """Seconds or a date; a little more than asked, so that a crowd spreads out."""
    try:
        wanted = float(retry_after)
    except ValueError:
        try:
            wanted = (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            wanted = PAUSE
    if not 0 <= wanted < float("inf"):
        wanted = PAUSE
    return min(wanted * random.uniform(1.0, 1.1), LONGEST_PAUSE)  # noqa: S311 - not a secret


def _json(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        said = answer.json()
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _status(one: Mapping[str, Any]) -> Status:
    code = one.get("error_code")
    return Status(str(one.get("sid") or ""), str(one.get("status") or ""), int(code) if code else 0)


def _when(one: Mapping[str, Any]) -> datetime | None:
    try:
        at = parsedate_to_datetime(str(one.get("date_sent") or one.get("date_created") or ""))
    except (ValueError, TypeError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
