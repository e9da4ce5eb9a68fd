"""One verb, every way in: page, program, link, text and mail leave one event and are refused alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from escalation.answering import open_link
from escalation.gsm7 import to_gsm7
from escalation.inbound.mail import take_mail
from escalation.inbound.sms import take_sms
from escalation.models import Delivery, Notification, Reason
from escalation.views.answer import nonce
from incidents.lifecycle.closing import lacks
from incidents.models import Event, Impact, Incident, Status
from plant.models import Person, Role
from tests.api.calls import act
from tests.factories import Floor, fresh, make_person, make_site, place_fix, prove, raise_, reach
from tests.inbound.letters import mailed, reply


@dataclass
class Answer:
    """What came back, in the same terms for every way in."""

    status: int
    says: str

    @property
    def is_refused(self) -> bool:
        return self.status >= 400


def read(page: str) -> str:
    """What is there to read, however it is laid out."""
    return " ".join(unescape(re.sub("<[^>]+>", " ", page)).split())


def by_page(person: Person, incident: Incident, verb: str, body: dict[str, Any]) -> Answer:
    client = Client()
    client.force_login(person)
    answer = client.post(reverse(f"incident-{verb}", args=[incident.number]), body)
    return Answer(answer.status_code, read(answer.content.decode()))


def by_program(person: Person, incident: Incident, verb: str, body: dict[str, Any]) -> Answer:
    called = {"update": "updates"}.get(verb, verb)
    answer = act(person, incident, called, **body)
    return Answer(answer.status_code, answer.json().get("message", ""))


def by_link(person: Person, incident: Incident, verb: str, body: dict[str, Any]) -> Answer:
    """The one button of the page behind the link in a message."""
    now = timezone.now()
    sent = Notification.objects.create(
        incident=incident,
        person=person,
        reason=Reason.STEP,
        key=f"test-{person.pk}",
        due_at=now,
        created_at=now,
    )
    link = open_link(sent.token)
    answer = Client().post(reverse("answer", args=[sent.token]), {"nonce": nonce(link)})
    return Answer(answer.status_code, read(answer.content.decode()))


Way = Callable[[Person, Incident, str, dict[str, Any]], Answer]
WAYS: dict[str, Way] = {"page": by_page, "program": by_program}


@dataclass
class Case:
    verb: str
    status: Status
    role: Role
    body: dict[str, Any]
    impact: Impact = Impact.STOPPED
    needs_fix: bool = False

    def __str__(self) -> str:
        return f"{self.verb} {self.status}"


WORD = {"conditions": "No labels", "actions": "Swapping the printer", "needs": "No needs"}
LATER = (timezone.now() + timedelta(days=30)).date().isoformat()

CASES = [
    Case("acknowledge", Status.RAISED, Role.IT_TECH, {}),
    Case("acknowledge", Status.REOPENED, Role.IT_LEAD, {}),
    Case("arrive", Status.ACKNOWLEDGED, Role.IT_TECH, {}),
    Case("words", Status.ACKNOWLEDGED, Role.TEAM_LEADER, {"words": "It smokes", "technical": "0x0000011b"}),
    Case("update", Status.ACKNOWLEDGED, Role.IT_TECH, {**WORD, "technical": "LBL-01"}),
    Case("contain", Status.ACKNOWLEDGED, Role.IT_TECH, {"what": "Spare printer"}),
    Case("resolve", Status.CONTAINED, Role.IT_TECH, {}, needs_fix=True),
    Case("confirm", Status.CONTAINED, Role.SUPERVISOR, {}),
    Case("reopen", Status.CONTAINED, Role.SUPERVISOR, {"reason": "Blank again"}),
    Case("severity", Status.RAISED, Role.PRODUCTION_MANAGER, {"severity": "S3", "reason": "Buffer is full"}),
    Case(
        "accept-no-fix",
        Status.CONTAINED,
        Role.MATERIALS_MANAGER,
        {"reason": "The line ends in May", "review_on": LATER},
    ),
    Case("stop-line", Status.ACKNOWLEDGED, Role.TEAM_LEADER, {}, impact=Impact.AT_RISK),
    Case("line-runs", Status.ACKNOWLEDGED, Role.TEAM_LEADER, {}),
]


def prepared(floor: Floor, case: Case) -> Incident:
    incident = reach(floor, case.status, case.impact)
    if case.needs_fix:
        place_fix(floor, incident)
    return fresh(incident)


ROWS = ("update", "photo", "countermeasure")
"""What an event says of the row it made: another one each time."""


def last_event(incident: Incident) -> dict[str, Any]:
    """The newest line of the timeline without what differs by nature: which row, which minute."""
    event = Event.objects.filter(incident=incident).order_by("-id")[0]
    data = {key: value for key, value in event.data.items() if key not in ROWS}
    return {"kind": event.kind, "by": event.by, "words": event.words, "data": data, "version": event.version}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_way_in_leaves_the_same_event(floor: Floor, case: Case) -> None:
    person, left = floor.who(case.role), {}
    for name, way in WAYS.items():
        incident = prepared(floor, case)
        body = {**case.body, "seen_version": incident.version}
        answer = way(person, incident, case.verb, body)
        assert not answer.is_refused, (name, answer)
        left[name] = {
            **last_event(incident),
            "status": fresh(incident).status,
            "now": fresh(incident).version,
        }
    assert left["page"] == left["program"]
    assert left["page"]["by"] == person


def refused(way: Way, person: Person, incident: Incident, case: Case, **changes: Any) -> Answer:
    before = Event.objects.filter(incident=incident).count(), fresh(incident).version
    answer = way(person, incident, case.verb, {**case.body, **changes})
    assert (Event.objects.filter(incident=incident).count(), fresh(incident).version) == before
    return answer


def assert_alike(page: Answer, program: Answer, status: int) -> None:
    assert (page.status, program.status) == (status, status)
    assert program.says and program.says in page.says


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_stale_screen_is_refused_alike(floor: Floor, case: Case) -> None:
    incident, person = prepared(floor, case), floor.who(case.role)
    stale = {"seen_version": incident.version + 1}
    page, program = (refused(way, person, incident, case, **stale) for way in WAYS.values())
    assert_alike(page, program, 409)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.verb not in ("words", "stop-line", "line-runs")], ids=str
)
def test_a_wrong_role_is_refused_alike(floor: Floor, case: Case) -> None:
    incident, person = prepared(floor, case), floor.who(Role.SUPPORT)
    page, program = (refused(way, person, incident, case) for way in WAYS.values())
    assert_alike(page, program, 403)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_another_site_is_refused_alike(floor: Floor, case: Case) -> None:
    incident, person = prepared(floor, case), make_person("Visitor", roles=list(Role), site=make_site())
    page, program = (refused(way, person, incident, case) for way in WAYS.values())
    assert_alike(page, program, 403)


CLOSED = [case for case in CASES if case.verb not in ("words", "line-runs", "reopen")]


@pytest.mark.parametrize("case", CLOSED, ids=str)
def test_a_closed_incident_refuses_alike(floor: Floor, case: Case) -> None:
    incident, person = reach(floor, Status.CLOSED, case.impact), floor.who(case.role)
    Incident.objects.filter(pk=incident.pk).update(
        floor_confirmed_by=None, floor_confirmed_at=None, arrived_at=None
    )
    page, program = (refused(way, person, incident, case) for way in WAYS.values())
    assert_alike(page, program, 409)


def test_what_is_missing_for_closing_is_said_alike(floor: Floor) -> None:
    incident, case = reach(floor, Status.CONTAINED), Case("close", Status.CONTAINED, Role.SUPERVISOR, {})
    page, program = (refused(way, floor.supervisor, incident, case) for way in WAYS.values())
    assert_alike(page, program, 409)


def test_the_link_in_a_message_takes_it_like_the_page_and_the_program(floor: Floor) -> None:
    left = []
    for way in (by_page, by_program, by_link):
        incident = raise_(floor)
        answer = way(floor.tech, incident, "acknowledge", {})
        assert answer.status in (200, 302)
        left.append({**last_event(incident), "owner": fresh(incident).owner})
        Notification.objects.all().delete()
    assert left[0] == left[1] == left[2]
    assert left[0]["owner"] == floor.tech


@pytest.mark.usefixtures("lasting_links")
def test_the_link_refuses_what_is_closed(floor: Floor) -> None:
    incident = reach(floor, Status.CLOSED)
    answer = by_link(floor.tech, incident, "acknowledge", {})
    assert answer.status == 409
    assert fresh(incident).version == incident.version


# --- by text and by mail ---


def by_text(person: Person, incident: Incident, words: str) -> str:
    """What is texted back."""
    text = f"{incident.number} {words}"
    return take_sms(sender=person.mobile, text=text, reference=f"same-{incident.pk}", provider="test").reply


def by_mail(person: Person, incident: Incident, words: str) -> str:
    answer = reply(mailed(person, incident, timezone.now()), words)
    said = take_mail(raw=bytes(answer), provider="test").reply
    Delivery.objects.all().delete()
    Notification.objects.all().delete()
    return said


def test_a_text_and_a_mail_take_it_like_the_page_the_program_and_the_link(floor: Floor) -> None:
    ways: list[Callable[[Incident], Any]] = [
        lambda one: by_page(floor.tech, one, "acknowledge", {}),
        lambda one: by_program(floor.tech, one, "acknowledge", {}),
        lambda one: by_link(floor.tech, one, "acknowledge", {}),
        lambda one: by_text(floor.tech, one, "ok"),
        lambda one: by_mail(floor.tech, one, "ok"),
    ]
    left = []
    for way in ways:
        incident = raise_(floor)
        way(incident)
        left.append({**last_event(incident), "owner": fresh(incident).owner})
        Notification.objects.all().delete()
    assert all(one == left[0] for one in left)
    assert left[0]["owner"] == floor.tech


def test_a_text_and_a_mail_post_news_like_the_page_and_the_program(floor: Floor) -> None:
    words = "Swapping the printer"
    body = {"conditions": "No labels come out", "actions": words, "needs": "No needs"}
    ways: list[Callable[[Incident], Any]] = [
        lambda one: by_page(floor.tech, one, "update", body),
        lambda one: by_program(floor.tech, one, "update", body),
        lambda one: by_text(floor.tech, one, words),
        lambda one: by_mail(floor.tech, one, words),
    ]
    left = []
    for way in ways:
        incident = reach(floor, Status.ACKNOWLEDGED)
        way(incident)
        left.append(last_event(incident))
    assert left[0]["words"] == words
    assert all(one == left[0] for one in left)


@pytest.mark.parametrize("way", [by_text, by_mail])
def test_another_site_is_refused_by_text_and_mail_in_the_same_words(floor: Floor, way: Any) -> None:
    incident, stranger = raise_(floor), make_person("Visitor", roles=[Role.IT_TECH], site=make_site())
    program = by_program(stranger, incident, "update", WORD)
    assert way(stranger, incident, "spare printer is in") == program.says
    assert fresh(incident).version == incident.version


@pytest.mark.parametrize("way", [by_text, by_mail])
def test_what_is_closed_is_refused_by_text_and_mail_in_the_same_words(floor: Floor, way: Any) -> None:
    incident = reach(floor, Status.CLOSED)
    program = by_program(floor.tech, incident, "update", WORD)
    assert way(floor.tech, incident, "spare printer is in").startswith(program.says)
    assert fresh(incident).version == incident.version


def test_closing_by_text_and_mail_leaves_the_same_event_as_the_page_and_the_program(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways: list[Callable[[Incident], Any]] = [
        lambda one: by_page(floor.supervisor, one, "close", {}),
        lambda one: by_program(floor.supervisor, one, "close", {}),
        lambda one: by_text(floor.supervisor, one, "close"),
        lambda one: by_mail(floor.supervisor, one, "close"),
        lambda one: by_mail(floor.supervisor, one, "cerrar, por favor"),
    ]
    left = []
    for way in ways:
        incident = reach(floor, Status.RESOLVED)
        at = prove(floor, incident)
        monkeypatch.setattr("django.utils.timezone.now", lambda at=at: at)
        way(incident)
        left.append({**last_event(incident), "confirmed": fresh(incident).floor_confirmed_by})
    assert left[0]["kind"] == "closed"
    assert all(one == left[0] for one in left)


@pytest.mark.parametrize("way", [by_text, by_mail])
def test_what_is_missing_is_listed_by_text_and_mail_like_by_the_program(floor: Floor, way: Any) -> None:
    """In fewer words: one for each sentence of the page, in the same order."""
    incident = reach(floor, Status.CONTAINED)
    program = act(floor.tech, incident, "close").json()
    said, missing = way(floor.tech, incident, "close"), lacks(fresh(incident), by=floor.tech)
    assert [lack.sentence for lack in missing] == program["fields"]["missing"]
    places = [said.index(to_gsm7(lack.short)) for lack in missing]
    assert places == sorted(places)
    assert fresh(incident).version == incident.version
