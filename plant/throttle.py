"""A small brake on guessing and flooding: so many tries from one place in a while."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache
from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Brake:
    """At most `tries` in `seconds`, counted per key in the cache of this process."""

    name: str
    tries: int
    seconds: int

    def allows(self, key: str) -> bool:
        """Count one try; False when it is one too many."""
        slot = f"brake:{self.name}:{key}"
        cache.add(slot, 0, self.seconds)
        try:
            return cache.incr(slot) <= self.tries
        except ValueError:  # the slot ran out between the two calls
            cache.set(slot, 1, self.seconds)
            return True

    def release(self, key: str) -> None:
        """Forget the tries, after one that was right."""
        cache.delete(f"brake:{self.name}:{key}")


def address_of(request: HttpRequest) -> str:
    """The network address a request came from."""
    return str(request.META.get("REMOTE_ADDR") or "unknown")
