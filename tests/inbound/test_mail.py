"""Answering by mail: a reply is an answer or an update, by whoever the message was for."""

from __future__ import annotations

import pytest

from escalation import outbox
from escalation.channels.email import build
from escalation.channels.mail_token import found_in, token
from escalation.inbound import once
from escalation.inbound.mail import take_mail
from escalation.models import Delivery, Did, Inbound, Notification, Reason
from incidents.models import Event, EventKind, Incident, Photo, Status
from tests.inbound.letters import GMAIL, PNG, QUOTES, bounce, reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident(world, advance) -> Incident:
    found = world.raise_it("stopped")
    advance(minutes=11)
    return found


@pytest.fixture
def letter(incident, world):
    """The mail that a technician got."""

    def of(name: str) -> Delivery:
        sent = Delivery.objects.filter(notification__person=world[name], notification__incident=incident)
        found = sent.filter(channel="email").first()
        if found is None:
            one = sent.select_related("notification__incident")[0]
            one.pk, one.channel, one.address = None, "email", world[name].email
            one.save(force_insert=True)
            found = one
        return found

    return of


@pytest.fixture
def mail(world, letter):
    def send(name: str, words: str, **headers: str):
        return take_mail(raw=bytes(reply(letter(name), words, **headers)), provider="test", now=world.now)

    return send


def now_(incident: Incident) -> Incident:
    return Incident.objects.numbered(incident.number)


@pytest.mark.parametrize("quote", QUOTES.values(), ids=QUOTES)
def test_ok_alone_answers_whatever_the_program_quotes(world, incident, mail, quote):
    assert mail("vela", f"ok{quote}").did == Did.TOOK_IT
    assert now_(incident).owner == world["vela"]


@pytest.mark.parametrize("words", ["Visto", "visto.\n\nVela", "leído, gracias"])
def test_seen_by_mail_takes_nothing(world, incident, mail, words):
    assert mail("vela", words + GMAIL).did == Did.SEEN
    assert now_(incident).status == Status.RAISED


@pytest.mark.parametrize("quote", QUOTES.values(), ids=QUOTES)
def test_words_post_an_update_without_what_is_quoted(world, incident, mail, quote):
    heard = mail("vela", f"Spare printer is in.\nTest print next.{quote}")
    assert heard.did == Did.UPDATED
    assert now_(incident).updates.get().actions == "Spare printer is in.\nTest print next."


def test_a_link_that_answers_is_not_published_where_the_quote_is_not_known(world, incident, mail):
    token = Notification.objects.get(incident=incident, person=world["tillery"]).token
    mail("vela", f"Spare printer is in.\nVon: OpsDesk\nWho has it: https://ops.example.com/a/{token}")
    assert "/a/..." in now_(incident).updates.get().actions
    assert not Inbound.objects.filter(text__contains=token).exists()
    assert not Event.objects.filter(words__contains=token).exists()


SMALL_PRINT = {
    "a notice": "Seen\n\nCONFIDENTIALITY NOTICE: This email and any attachments are confidential.",
    "a notice in Spanish": "Visto.\n\nEste mensaje y sus anexos pueden contener información confidencial.",
    "a banner": "CAUTION: This email originated from outside of the organization.\n\nSeen",
    "a banner in Spanish": "ATENCIÓN: este correo viene de fuera de la organización.\n\nEnterado",
    "a reaction": "👀\n\nMarcus Vela reacted via Gmail",
}


@pytest.mark.parametrize("words", SMALL_PRINT.values(), ids=SMALL_PRINT)
def test_what_a_mail_server_or_a_program_adds_is_not_news(world, incident, mail, words):
    assert mail("vela", words + GMAIL).did == Did.SEEN
    assert not now_(incident).updates.exists()


@pytest.mark.parametrize(
    "words",
    ["External email printer is down.", "The confidential paper is out.", "This message board is dark."],
)
def test_news_that_begins_like_it_is_news(world, incident, mail, words):
    assert mail("vela", words).did == Did.UPDATED
    assert now_(incident).updates.get().actions == words


def test_a_signature_is_not_news(world, incident, mail):
    mail("vela", "Spare printer is in.\n\nVela\nIT, Millbrook Plant\n+1 313 555 0100")
    assert now_(incident).updates.get().actions == "Spare printer is in."


def test_words_of_who_may_not_give_news_are_kept(world, incident, mail):
    heard = mail("tillery", "We use the spare dock")
    assert (heard.did, now_(incident).updates.count()) == (Did.WORDS, 0)
    newest = Event.objects.filter(incident=incident).order_by("-id")[0]
    assert (newest.kind, newest.words, newest.by) == (
        EventKind.WORDS_ADDED,
        "We use the spare dock",
        world["tillery"],
    )


def test_html_alone_is_read(world, incident, letter):
    message = reply(letter("vela"), "")
    message.set_content(
        "<html><head><style>p{color:red}</style></head><body><p>Spare <b>printer</b> is in</p>"
        "<blockquote><p>Line down</p></blockquote></body></html>",
        subtype="html",
    )
    assert take_mail(raw=bytes(message), provider="test", now=world.now).did == Did.UPDATED
    assert now_(incident).updates.get().actions == "Spare printer is in"


def test_photos_come_along(world, incident, letter):
    message = reply(letter("vela"), "The display shows this")
    message.add_attachment(PNG, maintype="image", subtype="png", filename="IMG_1.png")
    message.add_attachment(b"MZ no picture", maintype="image", subtype="png", filename="x.png")
    take_mail(raw=bytes(message), provider="test", now=world.now)
    assert Photo.objects.get(incident=incident).by == world["vela"]


def test_help_by_mail_asks_for_help(world, incident, mail):
    assert mail("vela", f"Ayuda{GMAIL}").did == Did.HELP_ASKED
    assert now_(incident).events.filter(kind=EventKind.HELP_ASKED).exists()


# --- whose answer it is ---


def test_the_sender_alone_says_nothing(world, incident, mail):
    heard = mail("vela", "ok", In_Reply_To="")
    assert (heard.did, now_(incident).owner) == (Did.NOT_UNDERSTOOD, None)


def test_the_token_alone_says_nothing_either(world, incident, mail):
    heard = mail("vela", "ok", sender="thief@example.net")
    assert (heard.did, now_(incident).owner, heard.person) == (Did.UNKNOWN_SENDER, None, None)


def test_a_token_that_was_made_up_is_none(world, incident, letter, mail):
    sent = letter("vela")
    forged = f"<delivery-{sent.pk:x}-{'0' * 16}@ops.example.com>"
    assert mail("vela", "ok", In_Reply_To=forged).did == Did.NOT_UNDERSTOOD
    assert found_in(forged) is None
    assert found_in(f"x+{token(sent.pk).upper()}@OPS.example.com") == sent.pk


def test_the_address_it_goes_to_is_enough(world, incident, letter, mail):
    to = f"OpsDesk <replies+{token(letter('vela').pk)}@ops.example.com>"
    assert mail("vela", "ok", In_Reply_To="", To=to).did == Did.TOOK_IT


def test_case_does_not_matter_in_the_senders_address(world, incident, mail):
    assert mail("vela", "ok", sender=world["vela"].email.upper()).did == Did.TOOK_IT


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "auto_reply"},
        {"X_Autoreply": "yes"},
        {"Subject": "Automatic reply: Line down"},
        {"Subject": "Respuesta automática: Línea parada"},
        {"Subject": "Out of office: back on Monday"},
    ],
    ids=str,
)
def test_an_absence_note_is_left_alone(world, incident, mail, headers):
    before = now_(incident).version
    heard = mail("vela", "ok", **headers)
    assert (heard.did, heard.reply, now_(incident).version) == (Did.IGNORED, "", before)


def test_a_mail_acts_once_for_its_id(world, incident, letter):
    raw = bytes(reply(letter("vela"), "Spare printer is in"))
    heard = [take_mail(raw=raw, provider=name, now=world.now) for name in ("imap", "webhook")]
    assert [one.is_new for one in heard] == [True, False]
    assert now_(incident).updates.count() == 1


def answers() -> list[Notification]:
    return list(Notification.objects.filter(reason=Reason.REPLY).order_by("pk"))


def test_what_came_of_a_mail_is_mailed_back_once_in_the_thread_of_the_incident(world, incident, letter):
    raw = bytes(reply(letter("vela"), "ok"))
    for _time in range(2):
        take_mail(raw=raw, provider="test", now=world.now)
    (told,) = answers()
    outbox.drain(world.now)
    back = told.deliveries.get()
    assert (back.state, back.address) == ("delivered", world["vela"].email)
    assert f"you have {incident.code}" in back.text and back.subject == f"Re: {incident.code}, your answer"
    sent, alert = build(back).decode(), build(letter("vela")).decode()
    assert "Auto-Submitted: auto-replied" in sent
    thread = next(line for line in alert.splitlines() if line.startswith("References"))
    assert thread in sent


def without_words(delivery: Delivery) -> dict[str, bytes]:
    """Mails in which their writer says nothing, as programs send them."""
    quote, html, rich = reply(delivery, GMAIL), reply(delivery, ""), reply(delivery, "")
    html.set_content("<div><br></div><blockquote>INC-1042 Line down</blockquote>", subtype="html")
    rich.clear_content()
    rich.add_attachment(b'x\x9f>"', maintype="application", subtype="ms-tnef", filename="winmail.dat")
    mails = {"quote": quote, "html": html, "winmail.dat": rich, "empty": reply(delivery, " \n")}
    return {name: bytes(mail) for name, mail in mails.items()}


@pytest.mark.parametrize("kind", ["quote", "html", "winmail.dat", "empty"])
def test_a_mail_without_words_changes_nothing_and_its_writer_hears_why(world, incident, letter, kind):
    before = Event.objects.count()
    raw = without_words(letter("vela"))[kind]
    assert take_mail(raw=raw, provider="test", now=world.now).did == Did.NOT_UNDERSTOOD
    assert [one.data["text"] for one in answers()] == [
        "No words of yours were found in that email. Write above what is quoted."
    ]
    assert Event.objects.count() == before and now_(incident).owner is None


def test_a_mail_that_answers_none_of_ours_does_nothing_and_who_we_know_hears_how(world, incident, letter):
    known = reply(letter("vela"), "ok", In_Reply_To="")
    stranger = reply(letter("vela"), "ok", In_Reply_To="", sender="stranger@example.org")
    for one in (known, stranger):
        assert take_mail(raw=bytes(one), provider="test", now=world.now).did == Did.NOT_UNDERSTOOD
    (told,) = answers()
    assert told.person == world["vela"] and told.data["text"].startswith("Nothing was done")
    assert now_(incident).owner is None


def test_a_robot_that_answers_our_answers_hears_nothing_after_a_few(world, letter):
    answered = letter("vela")
    for _round in range(12):
        take_mail(raw=bytes(reply(answered, "Your ticket was created")), provider="test", now=world.now)
        answered = answers()[-1].deliveries.get()
    assert len(answers()) == once.REPLIES["email"][0]


def test_a_closed_incident_refuses(world, incident, mail):
    from incidents import lifecycle

    lifecycle.take_back(incident.number, by=world["petty"], now=incident.raised_at)
    assert mail("vela", "Spare printer is in").did == Did.CLOSED


# --- mails of ours that come back ---


def test_a_bounce_marks_the_message_and_the_urgent_one_goes_another_way(world, incident, letter):
    from escalation.reach import reach_of
    from plant.reachability import Fault

    sent = letter("vela")
    others = Delivery.objects.filter(notification=sent.notification).exclude(pk=sent.pk)
    others.update(state="failed", failed_at=world.now)
    heard = take_mail(raw=bounce(sent), provider="test", now=world.now)
    sent.refresh_from_db()
    assert (heard.did, heard.person, sent.state) == (Did.BOUNCED, world["vela"], "failed")
    assert sent.error == "Came back: 550 5.1.1 No such user"
    assert now_(incident).events.filter(kind=EventKind.NOT_REACHED).exists()
    judged = next(one for one in reach_of(world.site, world.now).judged if one.person == world["vela"])
    assert Fault.EMAIL_CAME_BACK in judged.faults


def test_a_bounce_that_comes_twice_is_one(world, letter):
    sent = letter("vela")
    assert take_mail(raw=bounce(sent), provider="test", now=world.now).did == Did.BOUNCED
    assert take_mail(raw=bounce(sent), provider="test", now=world.now).did == Did.IGNORED


def test_a_mail_that_is_only_late_has_not_failed(world, letter):
    sent = letter("vela")
    assert take_mail(raw=bounce(sent, action="delayed"), provider="test", now=world.now).did == Did.IGNORED
    sent.refresh_from_db()
    assert sent.state == "delivered"


def test_a_report_that_somebody_made_up_marks_nothing(world, letter):
    sent = letter("vela")
    forged = f"<delivery-{sent.pk:x}-{'a' * 16}@ops.example.com>"
    heard = take_mail(raw=bounce(sent, original=forged), provider="test", now=world.now)
    sent.refresh_from_db()
    assert (heard.did, sent.state) == (Did.IGNORED, "delivered")


def test_what_came_in_is_kept(world, incident, mail):
    mail("vela", "Spare printer is in" + GMAIL)
    row = Inbound.objects.get()
    assert (row.person, row.incident, row.text, row.did) == (
        world["vela"],
        incident,
        "Spare printer is in",
        Did.UPDATED,
    )
