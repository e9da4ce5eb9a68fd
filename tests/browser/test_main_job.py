"""The main job from end to end, as people do it: in a browser, with SMS links, until no clock is left."""

from __future__ import annotations

import re
from datetime import timedelta

from django.db.models import F
from django.utils import timezone
from playwright.sync_api import Page, expect

from countermeasures.models import Countermeasure, Kind, Stage
from escalation.models import Delivery, Timer
from incidents.models import Incident, Status
from tests.browser.conftest import NewPage
from tests.browser.walk import (
    PHONE,
    TABLET,
    SignIn,
    choose,
    mails_to,
    open_form,
    send,
    sms_to,
    the_engine_works,
)

HELD_SO_FAR = re.compile(r"It has held for 0 of 30 days · [01] of 30 shift starts\. It is proved on")
"""On the day it went in; a shift may have started since."""


def it_is_minute(incident: Incident, minute: int) -> None:
    """Shift everything about the incident back in time, so that it was raised so many minutes ago."""
    incident.refresh_from_db()
    shift = timedelta(minutes=minute, seconds=1) - (timezone.now() - incident.raised_at)
    for name in ("noticed_at", "raised_at", "clocks_from", "acknowledged_at", "next_update_due"):
        Incident.objects.filter(pk=incident.pk).exclude(**{name: None}).update(**{name: F(name) - shift})
    incident.timers.update(epoch=F("epoch") - shift, due_at=F("due_at") - shift)
    incident.notifications.update(due_at=F("due_at") - shift, created_at=F("created_at") - shift)
    incident.downtimes.update(started_at=F("started_at") - shift)


def test_the_main_job_from_three_taps_to_no_clock_left(new_page: NewPage, sign_in: SignIn) -> None:
    tablet, desk, owner, lead, supervisor = (new_page(**TABLET) for _device in range(5))
    names = ("petty", "hutchins", "vela", "brandt", "boone")
    for page, name in zip((tablet, desk, owner, lead, supervisor), names, strict=True):
        sign_in(page, name)

    incident = raise_in_three_taps(tablet)
    the_engine_works()
    take_it_by_sms(new_page(**PHONE), link_in_outbox(desk, incident), incident)
    managers_hear_after_half_an_hour(desk, incident)
    say_what_is_new_and_contain(owner, incident)
    write_causes(owner)
    plan_countermeasure(owner)
    put_in_place(owner)
    prove_by_somebody_else(owner, lead, incident)
    confirm_and_close(supervisor, incident)

    assert not Timer.objects.armed().exists()
    over_budget = Delivery.objects.queued().filter(channel="sms", not_before__gt=timezone.now())
    assert set(Delivery.objects.queued()) == set(over_budget), "only a third text within ten minutes waits"
    assert any("CLOSED" in text for text in mails_to("tillery", incident))


def raise_in_three_taps(page: Page) -> Incident:
    """The code at the station fills in the place: what, how bad, Send."""
    page.goto("/q/ASM-D1-060")
    expect(page.locator("input[name=where]:checked")).to_have_value("station:ASM-D1-060")
    page.locator("label.tile", has=page.locator("input[value=label_print]")).tap()
    page.locator("label.tile", has=page.locator("input[value=stopped]")).tap()
    page.locator("#send").tap()
    page.wait_for_url(re.compile(r"/raise/.*/sent/"))
    incident = Incident.objects.get()
    expect(page.get_by_text(incident.code).first).to_be_visible()
    assert (incident.status, incident.severity) == (Status.RAISED, "S1")
    return incident


def link_in_outbox(page: Page, incident: Incident) -> str:
    """The SMS to the technician on shift, as it shows in the outbox."""
    page.goto(f"/outbox/?person=vela&incident={incident.code}")
    bubble = page.locator(".bubble").first
    expect(bubble).to_contain_text(f"{incident.code} LINE DOWN")
    link = bubble.get_by_role("link").get_attribute("href")
    assert link is not None
    return link


def take_it_by_sms(phone: Page, link: str, incident: Incident) -> None:
    """Without a login: opening the link changes nothing, its button takes the incident."""
    phone.goto(link)
    incident.refresh_from_db()
    assert incident.status == Status.RAISED
    phone.get_by_role("button", name="I’ll take it").tap()
    expect(phone.get_by_role("status")).to_be_visible()
    incident.refresh_from_db()
    assert incident.status == Status.ACKNOWLEDGED
    assert incident.owner is not None
    assert incident.owner.username == "vela"
    the_engine_works()


def managers_hear_after_half_an_hour(page: Page, incident: Incident) -> None:
    """Without product for 15 minutes IT's specialists and lead are told, for 30 both managers."""
    it_is_minute(incident, 15)
    the_engine_works()
    assert sms_to("brandt", incident)
    assert not sms_to("tillery", incident)
    it_is_minute(incident, 30)
    the_engine_works()
    for manager in ("tillery", "prewitt"):
        assert len(sms_to(manager, incident)) == 1
    page.goto(f"/outbox/?person=tillery&incident={incident.code}")
    expect(page.locator(".bubble").first).to_contain_text("LINE DOWN 30 min")
    expect(page.locator(".subject").first).to_contain_text("Line down 30 min")


def say_what_is_new_and_contain(page: Page, incident: Incident) -> None:
    page.goto(f"/incidents/{incident.number}/")
    form = open_form(page, "Say what’s new")
    form.get_by_label("The problem now").fill("Labels come out blank on the D1 printer.")
    form.get_by_label("What we’re doing").fill("We move printing to the spare printer.")
    form.get_by_label("What we need").fill("No needs")
    send(page, form)
    expect(page.locator("dl.say")).to_contain_text("We move printing to the spare printer.")
    form = open_form(page, "Product is moving again")
    form.get_by_label("What makes product move again?").fill("Spare printer at the line")
    send(page, form)
    expect(page.locator(".head .facts")).to_contain_text("Product moving")
    the_engine_works()
    assert any("PRODUCT MOVING" in text for text in mails_to("tillery", incident))


def write_causes(page: Page) -> None:
    form = open_form(page, "Write down why it happened")
    form.get_by_label("Why it happened").fill("The driver was updated without a test.")
    form.get_by_label("Why nothing caught it").fill("Nobody prints a test label after an update.")
    send(page, form)


def plan_countermeasure(page: Page) -> None:
    """What, by whom, until when, how strong; and how it will be proved, by somebody else."""
    form = open_form(page, "Add one")
    form.get_by_label("Stop it coming back").check()
    form.get_by_label("What we do").fill("Drivers change only through a tested package")
    choose(form, "Who does it", "Marcus Vela, IT Technician")
    form.get_by_label("By which day").fill((timezone.now() + timedelta(days=3)).date().isoformat())
    form.get_by_label("How much it relies on people").select_option("It is prevented")
    send(page, form)
    form = open_form(page, "Plan the check")
    form.get_by_label("What we measure").fill("Label stops after an update")
    form.get_by_label("What we want to see").fill("0 in 30 days")
    choose(form, "Who checks it", "Keisha Brandt, IT Shift Lead")
    send(page, form)


def put_in_place(page: Page) -> None:
    form = open_form(page, "It is in place")
    form.get_by_label("How one can see that it is in place").fill("A test label printed after the update.")
    send(page, form)
    send(page, open_form(page, "It is off"))
    page.locator("#b-resolve").click()
    expect(page.locator(".head .facts")).to_contain_text("Being proved")


def prove_by_somebody_else(owner: Page, lead: Page, incident: Incident) -> None:
    """Nobody checks their own work, and nobody before the window is over."""
    fix = Countermeasure.objects.get(kind=Kind.PERMANENT)
    assert fix.stage == Stage.CHECKING
    expect(owner.get_by_role("link", name="Does it hold?")).to_have_count(0)
    lead.goto(f"/incidents/{incident.number}/")
    form = open_form(lead, "Does it hold?")
    form.get_by_label("What you measured").fill("0 label stops in 31 days")
    form.get_by_label("Yes, it holds").check()
    form.locator("button.primary").click()
    expect(lead.locator("#do")).to_contain_text(HELD_SO_FAR)
    Countermeasure.objects.filter(pk=fix.pk).update(checking_from=F("checking_from") - timedelta(days=60))
    send(lead, lead.locator("#do form"))
    expect(lead.locator("#countermeasures")).to_contain_text("Proven")


def confirm_and_close(page: Page, incident: Incident) -> None:
    """Somebody from the floor confirms that production runs, and closes it; whoever was told hears it."""
    page.goto(f"/incidents/{incident.number}/")
    page.locator("#b-confirm").tap()
    expect(page.locator("#b-confirm")).to_have_count(0)
    page.locator("#b-close").tap()
    expect(page.locator(".head .facts")).to_contain_text("Closed")
    incident.refresh_from_db()
    assert incident.status == Status.CLOSED
    the_engine_works()
