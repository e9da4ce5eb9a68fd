"""The screens of the main job on a phone, in Spanish, in the dark and without a mouse."""

from __future__ import annotations

import re
from collections.abc import Callable

import pypdfium2
import pytest
from playwright.sync_api import Page, expect

from countermeasures import lifecycle as fixes
from escalation.engine import tick
from escalation.models import Notification
from escalation.outbox import deliver_due
from incidents import lifecycle
from incidents.models import Category, Impact, Incident
from plant.models import Person, Station
from tests.browser.conftest import NewPage

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SMALLEST_TAP = 44
"""Pixels; language.md, section 5."""

DARK_CANVAS = "rgb(20, 24, 27)"
"""`canvas` of the dark theme; language.md, section 2."""

SignIn = Callable[[Page, str], None]


@pytest.fixture
def raised(plant: None) -> Incident:
    """Line D1 stands still, and whoever is on duty was told."""
    incident, _created = lifecycle.raise_incident(
        by=Person.objects.get(username="petty"),
        category=Category.objects.get(code="label_print"),
        impact=Impact.STOPPED,
        station=Station.objects.select_related("line__area__site").get(code="ASM-D1-060"),
        title="Box labels come out blank",
        words="The printer prints blank labels. We cannot pack.",
    )
    tick()
    deliver_due("sms")
    return incident


@pytest.fixture
def stop(raised: Incident) -> Incident:
    """Somebody has it, and everybody who should know was told."""
    lifecycle.acknowledge(raised.number, by=Person.objects.get(username="vela"))
    tick()
    deliver_due("sms")
    return raised


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the screen: a phone would have to scroll sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_every_screen_fits_a_phone(new_page: NewPage, sign_in: SignIn, stop: Incident) -> None:
    page = new_page(**PHONE)
    sign_in(page, "hutchins")
    told = ("/outbox/", "/setup/deliveries/", "/setup/words/", "/setup/inbound/", "/profile/reach/")
    for path in ("/raise/", "/work/", f"/incidents/{stop.number}/", "/incidents/", "/dashboard/", *told):
        page.goto(path)
        expect(page.locator("h1").first).to_be_attached()
        assert overflow(page) <= 0, path


def test_a_text_is_answered_in_the_outbox_and_the_incident_page_says_who_has_it(
    new_page: NewPage, sign_in: SignIn, raised: Incident
) -> None:
    """The whole loop without any account: told, texted back, taken."""
    page = new_page()
    sign_in(page, "hutchins")
    page.goto("/outbox/?person=vela&channel=sms")
    offer = re.compile(rf"(Reply {raised.number} = you take it\.|Text {raised.number} or tap:)")
    expect(page.locator(".bubble").first).to_contain_text(offer)
    page.locator(".replybox input[name=text]").fill(str(raised.number))
    page.locator(".replybox button").click()
    expect(page.locator(".bubble.given")).to_contain_text(str(raised.number))
    page.goto(f"/incidents/{raised.number}/")
    expect(page.locator("#incident-head")).to_contain_text("Marcus Vela")
    expect(page.locator("#incident-head")).to_contain_text("Picked up")


def test_the_answer_page_is_small_and_its_button_fits_a_glove(new_page: NewPage, stop: Incident) -> None:
    page = new_page(**PHONE)
    told = Notification.objects.filter(incident=stop, person__username="boone").first()
    assert told is not None
    page.goto(f"/a/{told.token}/")
    assert len(page.content()) < 15_000
    assert overflow(page) <= 0
    for button in page.locator(".btn").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= SMALLEST_TAP


def test_a_browser_prints_the_report_on_one_page(new_page: NewPage, sign_in: SignIn, stop: Incident) -> None:
    told = "The print head was worn, and nobody reads the counter of its metres. " * 6
    vela = Person.objects.get(username="vela")
    fixes.write_cause(stop.number, by=vela, root_cause=told, escape_cause=told, five_whys=[told[:300]] * 5)
    for n in range(4):
        fixes.add(
            stop.number, by=vela, kind="permanent", what=f"{n} {told[:200]}", owner=vela, metric=told[:90]
        )
    page = new_page()
    sign_in(page, "hutchins")
    page.goto(f"/incidents/{stop.number}/a3/")
    assert len(pypdfium2.PdfDocument(page.pdf(prefer_css_page_size=True))) == 1


def test_spanish_from_signing_in_to_raising(new_page: NewPage, sign_in: SignIn) -> None:
    page = new_page(locale="es-MX")
    page.goto("/login/")
    expect(page.locator("html")).to_have_attribute("lang", "es")
    sign_in(page, "cruz")
    page.goto("/q/ASM-I1-060")
    expect(page.locator("legend").first).to_contain_text("¿Dónde?")
    expect(page.locator("#send")).to_contain_text("Enviar")
    expect(page.locator("form.raise")).to_contain_text("Impresora o etiquetas")


def test_an_english_browser_does_not_change_the_language_of_a_spanish_speaker(
    new_page: NewPage, sign_in: SignIn
) -> None:
    page = new_page(locale="en-US")
    sign_in(page, "cruz")
    page.goto("/raise/")
    expect(page.locator("html")).to_have_attribute("lang", "es")


def test_a_device_that_prefers_dark_gets_dark_screens(
    new_page: NewPage, sign_in: SignIn, stop: Incident
) -> None:
    page = new_page(color_scheme="dark")
    sign_in(page, "hutchins")
    for path in ("/dashboard/", f"/incidents/{stop.number}/", "/raise/"):
        page.goto(path)
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == DARK_CANVAS, path


def focused(page: Page) -> str:
    """The name of the field that has the focus, or the id of what else has it."""
    return str(page.evaluate("document.activeElement.name || document.activeElement.id"))


def tab_to(page: Page, name: str) -> None:
    for _unused in range(80):
        page.keyboard.press("Tab")
        if focused(page) == name:
            return
    pytest.fail(f"The Tab key does not reach “{name}”.")


def test_raising_needs_no_mouse(new_page: NewPage, sign_in: SignIn) -> None:
    page = new_page()
    sign_in(page, "petty")
    page.goto("/q/ASM-D1-050")
    for link, then in (("Another place", "#place-words"), ("Back", "input[name=where]:checked")):
        page.get_by_role("link", name=link).press("Enter")
        expect(page.locator(then)).to_be_focused()
    for name in ("category", "impact"):
        tab_to(page, name)
        page.keyboard.press("Space")
    tab_to(page, "send")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sent/")
    incident = Incident.objects.get()
    assert incident.station is not None
    assert (incident.station.code, incident.raised_by) == (
        "ASM-D1-050",
        Person.objects.get(username="petty"),
    )


def test_raising_works_before_any_script_loads(new_page: NewPage, sign_in: SignIn) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/q/ASM-D1-060")
    page.locator("label.tile", has=page.locator("input[value=hmi_pc]")).click()
    page.locator("label.tile", has=page.locator("input[value=at_risk]")).click()
    page.locator("#send").click()
    page.wait_for_url("**/sent/")
    assert Incident.objects.get().impact == Impact.AT_RISK


def test_what_somebody_writes_survives_the_page_refreshing_itself(
    new_page: NewPage, sign_in: SignIn, stop: Incident
) -> None:
    page = new_page()
    sign_in(page, "vela")
    page.goto(f"/incidents/{stop.number}/")
    page.get_by_role("link", name="Say what’s new", exact=True).first.click()
    words = page.locator("#do form").get_by_label("The problem now")
    words.fill("Half of a senten")
    lifecycle.add_words(stop.number, by=Person.objects.get(username="petty"), words="Still blank")
    expect(page.locator("#happened")).to_contain_text("Still blank", timeout=15_000)
    expect(words).to_have_value("Half of a senten")
    expect(words).to_be_focused()
