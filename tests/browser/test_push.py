"""Signing a browser up for alerts: everything but the push service of its maker is real."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from escalation.models import PushDevice
from tests.browser.conftest import NewPage
from tests.emulators.push import Browser

SignIn = Callable[[Page, str], None]

ENDPOINT = "https://fcm.googleapis.com/fcm/send/stub"

STUB = """
(() => {
  const raw = (text) => atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  const bytes = (text) => Uint8Array.from(raw(text), (one) => one.charCodeAt(0));
  const keys = { p256dh: "%(p256dh)s", auth: "%(auth)s" };
  const made = (key) => ({
    endpoint: "%(endpoint)s",
    options: { applicationServerKey: key.buffer },
    getKey: (name) => bytes(keys[name]).buffer,
    unsubscribe: async () => { sessionStorage.removeItem("signed"); return true; },
  });
  const known = () => sessionStorage.getItem("signed");
  PushManager.prototype.subscribe = async (asked) => {
    sessionStorage.setItem("signed", btoa(String.fromCharCode(...asked.applicationServerKey)));
    return made(asked.applicationServerKey);
  };
  PushManager.prototype.getSubscription = async () => (known() ? made(bytes(known())) : null);
})();
"""


def test_a_browser_signs_up_and_off_again(new_page: NewPage, sign_in: SignIn) -> None:
    page = new_page()
    page.context.grant_permissions(["notifications"])
    page.add_init_script(STUB % {"endpoint": ENDPOINT, **Browser(ENDPOINT).keys})
    sign_in(page, "vela")
    page.goto("/profile/devices/")
    page.locator("#id_name").fill("Tablet at D1")
    page.get_by_role("button", name="Show alerts on this device").click()
    expect(page.get_by_text("“Tablet at D1” shows your alerts from now on.")).to_be_visible()
    expect(page.get_by_text("this one")).to_be_visible()
    device = PushDevice.objects.get(person__username="vela")
    assert device.endpoint == ENDPOINT
    page.get_by_role("button", name="Remove Tablet at D1").click()
    expect(page.get_by_text("No device yet")).to_be_visible()
    assert not PushDevice.objects.exists()
    assert page.evaluate("sessionStorage.getItem('signed')") is None


def test_a_browser_that_may_not_show_alerts_says_so(new_page: NewPage, sign_in: SignIn) -> None:
    page = new_page()
    page.add_init_script("Notification.requestPermission = async () => 'denied';")
    sign_in(page, "vela")
    page.goto("/profile/devices/")
    page.get_by_role("button", name="Show alerts on this device").click()
    expect(page.get_by_text("The browser does not allow alerts from OpsDesk.")).to_be_visible()
