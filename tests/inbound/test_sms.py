"""Texting back (domain §4 "Answering")."""

from __future__ import annotations

from datetime import timedelta

import pytest

from escalation import outbox
from escalation.gsm7 import SEGMENT, septets
from escalation.inbound import once
from escalation.inbound.sms import take_sms
from escalation.models import Did, Inbound, Notification
from incidents import lifecycle, readings
from incidents.models import Event, EventKind, Incident, Status
from plant.models import Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident(world, advance) -> Incident:
    """A stopped line, eleven minutes old: technicians, leads and managers were texted."""
    found = world.raise_it("stopped")
    advance(minutes=11)
    return found


def now_(incident: Incident) -> Incident:
    return Incident.objects.numbered(incident.number)


def kinds(incident: Incident) -> list[str]:
    return list(Event.objects.filter(incident=incident).order_by("id").values_list("kind", flat=True))


# --- answering ---


def test_the_number_from_who_may_take_it_takes_it(world, incident, text):
    heard = text("vela", f"{incident.number}")
    assert (heard.did, heard.person, heard.incident) == (Did.TOOK_IT, world["vela"], incident)
    assert (now_(incident).status, now_(incident).owner) == (Status.ACKNOWLEDGED, world["vela"])
    assert heard.reply.startswith(f"Thanks Vela, you have INC-{incident.number} since 10:11.")
    told = Notification.objects.filter(incident=incident, person=world["vela"])
    assert {(one.answer, one.answered_by_channel) for one in told} == {("took_it", "sms")}


def test_a_text_of_ours_that_is_sent_back_publishes_no_link_that_answers(world, incident, text):
    token = Notification.objects.get(incident=incident, person=world["tillery"]).token
    text("vela", f"{incident.number} spare printer is in https://ops.example.com/a/{token}")
    assert now_(incident).updates.get().actions == "spare printer is in https://ops.example.com/a/..."
    assert not Inbound.objects.filter(text__contains=token).exists()


def test_the_number_from_anybody_else_says_seen_and_stops_nothing(world, incident, text):
    heard = text("tillery", f"ok {incident.number}")
    assert (heard.did, now_(incident).status) == (Did.SEEN, Status.RAISED)
    assert heard.reply.startswith("Thanks Tillery, seen 10:11. Nobody has it yet.")
    assert kinds(incident)[-1] == EventKind.SEEN


def test_seen_from_who_may_take_it_takes_nothing_and_says_how_to(world, incident, text):
    heard = text("vela", f"seen {incident.number}")
    assert (heard.did, now_(incident).status) == (Did.SEEN, Status.RAISED)
    assert f"Nobody has it yet: text {incident.number} to take it." in heard.reply


def test_who_was_not_told_may_answer_too(world, incident, text):
    assert not Notification.objects.filter(person=world["ishida"]).exists()
    assert text("ishida", f"{incident.number}").did == Did.TOOK_IT
    assert now_(incident).owner == world["ishida"]


def test_who_was_not_told_and_may_not_take_it_has_seen_it_once(world, incident, text):
    for _unused in range(2):
        assert text("lindqvist", f"{incident.number}").did == Did.SEEN
    assert kinds(incident).count(EventKind.SEEN) == 1


def test_when_somebody_has_it_the_reply_names_them_with_their_number(world, incident, text):
    text("vela", f"{incident.number}")
    heard = text("kowal", f"{incident.number}")
    assert (heard.did, now_(incident).owner) == (Did.SEEN, world["vela"])
    assert f"Vela has it, {world['vela'].mobile}." in heard.reply


def test_answering_twice_by_two_messages_is_harmless(world, incident, text):
    assert [text("vela", f"{incident.number}").did for _unused in range(2)] == [Did.TOOK_IT] * 2
    assert kinds(incident).count(EventKind.ACKNOWLEDGED) == 1


def test_a_bare_ok_answers_the_one_thing_that_waits(world, incident, text):
    assert text("vela", "ok").did == Did.TOOK_IT
    assert now_(incident).owner == world["vela"]


def test_a_bare_seen_takes_nothing(world, incident, text):
    assert text("vela", "visto").did == Did.SEEN
    assert now_(incident).owner is None


def test_a_bare_ok_with_several_waiting_asks_which_one(world, incident, advance, text):
    second = world.raise_it("stopped", words="Torque tool stops", client_id=None)
    advance(minutes=11)
    heard = text("vela", "ok")
    assert heard.did == Did.WHICH
    assert heard.reply.startswith("Which one: ")
    assert f"{second.number} (Torque tool stops) or {incident.number} (" in heard.reply, "by what is wrong"
    assert (now_(incident).owner, now_(second).owner) == (None, None)


def test_a_bare_ok_when_nothing_waits_says_so(world, incident, text):
    text("vela", "ok")
    assert text("vela", "ok").reply.startswith("Nothing waits for your answer, Vela.")


# --- several at once ---


@pytest.fixture
def three(world, advance) -> list[Incident]:
    found = [world.raise_it("stopped", words=f"Printer {n} blank") for n in range(3)]
    advance(minutes=11)
    return found


def test_all_answers_everything_that_waits(world, three, text):
    heard = text("tillery", "ok all")
    assert heard.did == Did.SEVERAL
    assert heard.reply == "3 answered."
    assert all(EventKind.SEEN in kinds(one) for one in three)


def test_all_says_what_closed_in_between_and_by_whom(world, three, text):
    lifecycle.take_back(three[0].number, by=world["petty"], now=three[0].raised_at)
    assert text("tillery", "all").reply == "2 answered, 1 already closed by Petty."


def test_all_from_a_technician_says_what_is_theirs_now(world, three, text):
    heard = text("vela", "all")
    first, second, third = (one.number for one in three)
    assert heard.reply == f"3 answered. You have {first}, {second} and {third}."


def test_seen_all_takes_nothing(world, three, text):
    assert text("vela", "visto todo").reply == "3 answered."
    assert not Incident.objects.exclude(owner=None).exists()


def test_several_numbers_answer_each(world, three, text):
    heard = text("tillery", f"{three[0].number} y {three[2].number}")
    assert heard.reply == "2 answered."
    assert EventKind.SEEN not in kinds(three[1])


# --- words and help ---


def test_the_number_and_words_post_an_update(world, incident, text):
    text("vela", f"{incident.number}")
    heard = text("vela", f"{incident.number} Spare printer is in, test print next")
    update = now_(incident).updates.get()
    assert (heard.did, update.by, update.actions) == (
        Did.UPDATED,
        world["vela"],
        "Spare printer is in, test print next",
    )
    assert (update.conditions, update.needs) == (
        readings.what(incident),
        "No needs",
    )
    assert heard.reply == f"Thanks Vela, posted to INC-{incident.number}. Next word by 10:41."


def test_an_update_by_text_leaves_what_it_does_not_say_as_it_was_said_last(world, incident, text):
    text("vela", f"{incident.number}")
    lifecycle.post_update(
        incident.number,
        by=world["vela"],
        conditions="On paper",
        actions="Look",
        needs="A scanner",
        now=world.now,
    )
    text("vela", f"{incident.number} driver reinstalled")
    update = now_(incident).updates.latest()
    assert (update.conditions, update.actions, update.needs) == (
        "On paper",
        "driver reinstalled",
        "A scanner",
    )


def test_words_of_who_may_not_give_news_are_kept_and_that_is_said(world, incident, text):
    heard = text("jimenez", f"{incident.number} we write labels by hand")
    assert (heard.did, now_(incident).updates.count()) == (Did.WORDS, 0)
    event = Event.objects.filter(incident=incident).order_by("-id")[0]
    assert (event.kind, event.words) == (EventKind.WORDS_ADDED, "we write labels by hand")
    assert "They are not sent out: your role cannot say what is new." in heard.reply


def test_fixed_by_text_is_news_and_closes_nothing(world, incident, text):
    text("vela", f"{incident.number}")
    assert text("vela", f"{incident.number} fixed").did == Did.UPDATED
    assert now_(incident).status == Status.ACKNOWLEDGED


def test_a_no_is_kept_and_takes_nothing(world, incident, text):
    heard = text("vela", f"{incident.number} no puedo")
    assert (heard.did, now_(incident).owner) == (Did.WORDS, None)
    assert "Nobody has it yet" in heard.reply


@pytest.mark.parametrize("words", ["help {}", "Ayuda {}", "{} help"])
def test_help_asks_the_specialist_on_duty(world, incident, text, words):
    text("vela", f"{incident.number}")
    heard = text("vela", words.format(incident.number))
    assert heard.did == Did.HELP_ASKED
    assert "Kowal" in heard.reply
    assert kinds(incident)[-1] == EventKind.HELP_ASKED


def test_help_from_who_may_not_ask_for_it_is_kept_and_that_is_said(world, incident, text):
    heard = text("jimenez", f"help {incident.number}")
    assert (heard.did, kinds(incident)[-1]) == (Did.WORDS, EventKind.WORDS_ADDED)
    assert "Your role cannot ask somebody to help" in heard.reply
    text("vela", str(incident.number))
    assert f"Vela has it, {world['vela'].mobile}" in text("jimenez", f"help {incident.number}").reply


# --- what is not clear, is over, or is not theirs ---


def test_a_closed_incident_says_who_closed_it(world, incident, text):
    lifecycle.take_back(incident.number, by=world["petty"], now=incident.raised_at)
    heard = text("vela", f"{incident.number}")
    assert heard.did == Did.CLOSED
    assert heard.reply.startswith(f"INC-{incident.number} is closed. Petty closed it 10:00.")


def test_an_unknown_number_is_said_to_be_unknown_with_what_waits(world, incident, text):
    heard = text("vela", "99999")
    assert heard.reply == f"There is no incident 99999. Waiting for you: {incident.number}."


@pytest.mark.parametrize("words", ["7", "214748364 ok", "999999999", "2147483648 2147483647"])
def test_no_number_is_too_large_or_too_small(world, incident, text, words):
    assert text("vela", words).did in (Did.NOT_UNDERSTOOD, Did.WHICH)


def test_words_without_a_number_ask_which_one(world, incident, text):
    heard = text("vela", "spare printer is in")
    assert (heard.did, now_(incident).updates.count()) == (Did.WHICH, 0)


def test_a_number_in_a_sentence_counts_only_when_it_is_an_incident(world, incident, text):
    text("vela", f"{incident.number}")
    assert text("vela", f"line 3 is blank again, {incident.number}").did == Did.UPDATED
    assert now_(incident).updates.get().actions == f"line 3 is blank again, {incident.number}"


def test_another_sites_incident_refuses_in_words(world, incident, text):
    from tests.factories import make_person, make_site

    visitor = make_person("Visitor", site=make_site())
    heard = text(visitor.mobile, f"{incident.number}")
    assert (heard.did, heard.reply) == (Did.REFUSED, "This is at a site that you do not work for.")


def test_help_alone_says_how_this_works(world, incident, text):
    heard = text("vela", "HELP")
    assert (heard.did, now_(incident).owner) == (Did.HELP_TEXT, None)
    assert "help 1042" in heard.reply


def test_every_reply_fits_one_segment_and_speaks_the_persons_language(world, three, text):
    Person.objects.filter(pk=world["vela"].pk).update(
        language="es", name="Maximiliano Hernández-Santiago de la Cruz y Peñaloza"
    )
    number = three[0].number
    words = [
        "ok",
        "todo",
        f"{number} ya está la impresora",
        f"ayuda {number}",
        "hola",
        "ayuda",
        "99",
        "baja",
        "alta",
    ]
    for said in words:
        reply = text("vela", said).reply
        assert reply
        assert septets(reply) <= SEGMENT
    assert "Gracias" in text("vela", f"{three[1].number}").reply


# --- whose number it is ---


def test_a_number_nobody_has_is_told_so_once_a_day_and_nothing_is_done(world, incident, text):
    heard = [text("+491701234567", f"{incident.number}") for _unused in range(3)]
    assert {one.did for one in heard} == {Did.UNKNOWN_SENDER}
    assert [bool(one.reply) for one in heard] == [True, False, False]
    world.now += timedelta(days=1, minutes=1)
    assert text("+491701234567", "1").reply
    assert now_(incident).version == incident.version


def test_two_robots_do_not_talk_for_ever(world, incident, text):
    most, _within = once.REPLIES["sms"]
    replies = [text("vela", "What?").reply for _unused in range(most + 5)]
    assert sum(map(bool, replies)) == most


def test_of_two_with_one_number_it_is_who_was_told(world, incident, text):
    Person.objects.filter(username="oyelaran").update(mobile=world["vela"].mobile)
    heard = text("vela", f"{incident.number}")
    assert (heard.did, heard.person) == (Did.TOOK_IT, world["vela"])


def test_of_two_who_were_both_told_it_is_asked(world, incident, text):
    Person.objects.filter(username="tillery").update(mobile=world["vela"].mobile)
    heard = text("vela", f"{incident.number}")
    assert (heard.did, now_(incident).owner) == (Did.WHO, None)
    assert heard.reply.startswith("This number is that of Tillery and Vela. Say who you are, like: ")


def test_of_two_whoever_signs_is_meant(world, incident, text):
    Person.objects.filter(username="tillery").update(mobile=world["vela"].mobile)
    heard = text("vela", f"{incident.number} Tillery")
    assert (heard.did, heard.person) == (Did.SEEN, world["tillery"])


def test_somebody_who_left_is_nobody(world, incident, text):
    Person.objects.filter(username="vela").update(is_active=False)
    assert text("vela", f"{incident.number}").did == Did.UNKNOWN_SENDER


@pytest.mark.parametrize("form", ["+1 313-555-0100", "0013135550100", "whatsapp:+13135550100", "13135550100"])
def test_a_sender_is_known_however_a_gateway_writes_the_number(world, incident, form):
    heard = take_sms(sender=form, text="ok", reference=form, provider="test", now=world.now)
    assert heard.person == world["vela"]


# --- once ---


def test_a_message_acts_once_however_often_it_comes(world, incident, text):
    first = text("vela", f"{incident.number} spare printer is in", reference="SM-again")
    before = now_(incident).version
    again = text("vela", f"{incident.number} spare printer is in", reference="SM-again")
    assert (again.is_new, again.did, again.reply) == (False, first.did, first.reply)
    assert now_(incident).version == before
    assert Inbound.objects.filter(reference="SM-again").count() == 1


def test_the_same_reference_of_another_provider_is_another_message(world, incident, text):
    text("tillery", f"{incident.number}", reference="1")
    assert text("vela", f"{incident.number}", reference="1", provider="other").did == Did.TOOK_IT


def test_what_breaks_is_kept_and_does_nothing(world, incident, text, monkeypatch):
    def broken(*args, **asked):
        lifecycle.add_words(incident.number, by=world["vela"], words="half done", now=world.now)
        raise RuntimeError

    monkeypatch.setattr("escalation.inbound.acts.answer", broken)
    before = kinds(incident)
    heard = text("vela", f"{incident.number}")
    assert (heard.did, heard.reply) == (Did.BROKEN, "")
    assert kinds(incident) == before


def test_a_text_is_read_before_the_next_step_fires(world, incident, advance, text):
    text("vela", f"{incident.number}")
    outbox.drain(now=world.now)
    advance(minutes=3)
    picked_up = Notification.objects.filter(incident=incident, reason="told_picked_up")
    assert picked_up.filter(person=world["tillery"]).exists()
