"""The plant of the scenarios, and a push service over loopback.

Imports of the product are inside: this file is read before Django is set up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.emulators.push import Browser, PushService, running_push_service
from tests.scenarios.conftest import advance, told, world

__all__ = ["advance", "told", "world"]


@pytest.fixture
def service(db: None, settings: Any) -> Iterator[PushService]:
    from escalation.channels import push

    settings.PUSH_URL = "vapid://"
    settings.PUSH_HOSTS = ["127.0.0.1"]
    with running_push_service() as found:
        found.application_key = push.public_key()
        yield found


@pytest.fixture
def sign_up(service: PushService) -> Any:
    """A new browser that shows this person's messages."""
    from escalation import devices

    def sign_up(person: Any, name: str = "Phone") -> tuple[Browser, Any]:
        browser = service.browser()
        keys: dict[str, Any] = browser.keys
        device = devices.subscribe(by=person, endpoint=browser.endpoint, name=name, **keys)
        return browser, device

    return sign_up
