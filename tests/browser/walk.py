"""What the walks through the screens share: devices, a turn of the engine, the outbox, forms in a page."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from escalation.engine import tick
from escalation.models import Delivery
from escalation.outbox import deliver_due
from incidents.models import Incident

TABLET = {"viewport": {"width": 1280, "height": 800}, "has_touch": True}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}

SignIn = Callable[[Page, str], None]


def the_engine_works() -> None:
    """One turn of the engine, and everything it queued is handed over."""
    tick()
    for channel in ("sms", "email"):
        deliver_due(channel)


def sms_to(username: str, incident: Incident) -> list[str]:
    found = Delivery.objects.filter(
        channel="sms", notification__person__username=username, notification__incident=incident
    )
    return [delivery.text for delivery in found.order_by("pk")]


def mails_to(username: str, incident: Incident) -> list[str]:
    """A third SMS within ten minutes waits for others; the email does not."""
    found = Delivery.objects.filter(
        channel="email", notification__person__username=username, notification__incident=incident
    )
    return [delivery.text for delivery in found.order_by("pk")]


def open_form(page: Page, name: str) -> Locator:
    """Tap a button that asks for words; its form opens in the page."""
    page.get_by_role("link", name=name, exact=True).first.click()
    form = page.locator("#do form[method=post]")
    expect(form).to_be_visible()
    return form


def choose(form: Locator, label: str, name: str) -> None:
    """Pick somebody from a list; behind the names stands what each has promised already."""
    people = form.get_by_label(label)
    people.select_option(value=people.locator("option", has_text=name).get_attribute("value"))


def send(page: Page, form: Locator) -> None:
    """Tap the form's button and see it go away: a refusal would keep it open."""
    form.locator("button.primary").click()
    expect(page.locator("#do form")).to_have_count(0)
