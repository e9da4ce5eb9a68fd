"""The page behind a question about a promise: no login; opening it changes nothing, its buttons do."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from countermeasures.models import Countermeasure, Promise
from countermeasures.promises.follow import follow_incidents
from countermeasures.promises.models import Outcome, PromiseKind
from escalation.engine import tick
from escalation.models import Notification, Reason
from incidents import lifecycle
from incidents.models import Incident, Status
from tests.factories import Floor, plan_fix, raise_, reach

SOON = timedelta(days=1)


@pytest.fixture
def fix(floor: Floor) -> Countermeasure:
    """Promised an hour ago for tomorrow."""
    now = timezone.now() - timedelta(hours=1)
    due_on = (now + SOON).astimezone(floor.site.tz).date()
    return plan_fix(floor, raise_(floor, now=now), due_on=due_on, now=now)


@pytest.fixture
def link(floor: Floor, fix: Countermeasure) -> str:
    tick(now=timezone.now())
    promise = Promise.objects.get(kind=PromiseKind.FIX)
    tick(now=promise.due_at + timedelta(hours=9))
    told = Notification.objects.get(reason=Reason.PROMISE, person=floor.tech)
    return f"/p/{told.token}/"


def press(link: str, **given: str) -> int:
    """The answer to a press of a button, as a browser without cookies sends it."""
    client = Client()
    nonce = re.search(r'name="nonce" value="([^"]+)"', client.get(link).content.decode())
    assert nonce is not None
    return client.post(link, {"nonce": nonce[1], **given}).status_code


def promise() -> Promise:
    return Promise.objects.get(kind=PromiseKind.FIX)


def test_opening_it_says_what_was_promised_and_changes_nothing(link: str, fix: Countermeasure) -> None:
    page = Client().get(link)
    assert page.status_code == 200 and fix.what in page.content.decode()
    assert len(page.content) < 15_000
    assert promise().is_open and not promise().in_the_way


def test_it_is_done_needs_evidence_and_puts_the_fix_in_place(link: str, fix: Countermeasure) -> None:
    assert press(link, answer="kept", words=" ") == 400
    assert press(link, answer="kept", words="Seen on the server") == 302
    fix.refresh_from_db()
    assert (fix.evidence, promise().outcome) == ("Seen on the server", Outcome.KEPT)


def test_a_new_date_is_agreed_with_what_is_in_the_way(link: str, floor: Floor) -> None:
    day = (timezone.now() + timedelta(days=9)).astimezone(floor.site.tz).date()
    assert press(link, answer="new_date", in_the_way="part", due_on=day.isoformat()) == 302
    assert (promise().due_on, promise().in_the_way, promise().moved) == (day, "part", 1)


@pytest.mark.parametrize("day", ["", "2020-01-01", "2026-99-99", "0001-01-01", "9999-12-31"])
def test_a_bad_date_is_refused_in_words(link: str, day: str) -> None:
    assert press(link, answer="new_date", in_the_way="part", due_on=day) == 400


@pytest.mark.parametrize("wrong", [{"in_the_way": "bogus", "words": "x"}, {"words": "a\0b"}])
def test_what_no_button_sends_is_refused(link: str, wrong: dict[str, str]) -> None:
    assert press(link, answer="new_date", due_on="2090-01-01", **wrong) == 400
    assert promise().moved == 0


def test_what_is_in_the_way_may_be_said_alone(link: str) -> None:
    assert press(link, answer="why", in_the_way="vendor", words="Second quote") == 302
    assert (promise().in_the_way, promise().in_the_way_words) == ("vendor", "Second quote")


def test_a_button_of_another_page_does_nothing(link: str) -> None:
    assert Client().post(link, {"answer": "kept", "words": "x", "nonce": "made up"}).status_code == 403
    assert promise().is_open


def test_an_unknown_link_says_nothing_about_what_exists(db: None) -> None:
    assert Client().get("/p/NOSUCHTOKEN/").status_code == 404


def test_a_review_is_decided_there_by_a_manager_and_is_not_simply_done(floor: Floor) -> None:
    now = timezone.now()
    number, today = reach(floor, Status.CONTAINED).number, now.astimezone(floor.site.tz).date()
    tomorrow = today + timedelta(days=1)
    lifecycle.accept_no_fix(number, by=floor.manager, reason="The line ends in May", review_on=tomorrow)
    follow_incidents([Incident.objects.get(number=number).pk], now)
    review = Promise.objects.get(kind=PromiseKind.REVIEW)
    path, later = f"/promises/{review.pk}/", today + timedelta(days=9)
    client = Client()
    client.force_login(floor.tech)
    assert "<button" not in client.get(path).content.decode()
    client.force_login(floor.manager)
    nonce = re.search(r'name="nonce" value="([^"]+)"', client.get(path).content.decode())
    assert nonce is not None
    done = client.post(path, {"nonce": nonce[1], "answer": "kept"})
    assert (done.status_code, "or open it again" in done.content.decode()) == (409, True)
    asked = {"answer": "new_date", "words": "The line ends in June", "due_on": later.isoformat()}
    assert client.post(path, {"nonce": nonce[1], **asked}).status_code == 302
    review.refresh_from_db()
    incident = Incident.objects.get(number=number)
    assert (review.due_on, incident.review_on) == (later, later)
    assert incident.no_fix_reason == "The line ends in June"
