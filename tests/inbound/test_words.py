"""What a text message means, however it is typed."""

from __future__ import annotations

import pytest

from escalation.inbound.words import Kind, Said, understand

ANSWERS = [
    "1042",
    "ok 1042",
    "OK 1042!",
    "Ok1042",
    "1042ok",
    "INC-1042",
    "inc 1042",
    "inc#1042.",
    "  1042  ",
    "1042 ok",
    "1042, ok",
    "Sí 1042",
    "si, 1042",
    "1042 voy",
    "ya voy 1042",
    "voy en camino INC-1042",
    "1042 on my way",
    "I've got it: 1042",
    "lo tomo 1042",
    "1042 👍",
    "👍 1042",
    "👍🏽 1042",
    "Hola, 1042 por favor",
    "１０４２",
    "١٠٤٢",
    "1042\nSent from my iPhone",
    "ok ok 1042",
    "1042 1042",
    "ok \u200b1042",
]


@pytest.mark.parametrize("text", ANSWERS)
def test_a_number_answers_however_it_is_typed(text):
    assert understand(text) == Said(Kind.ANSWER, (1042,))


@pytest.mark.parametrize(
    "text", ["seen 1042", "1042 visto", "VISTO 1042", "leído 1042", "1042 gracias", "👀 1042"]
)
def test_seen_says_no_more_than_seen(text):
    assert understand(text) == Said(Kind.SEEN, (1042,))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1042 spare printer is in", "spare printer is in"),
        ("1042: Spare printer is in.", "Spare printer is in."),
        ("INC-1042 - ya está la impresora", "ya está la impresora"),
        ("1042 ok printer is back", "ok printer is back"),
        ("1042 fixed", "fixed"),
        ("ok 1042 3 boxes left", "3 boxes left"),
        ("1042 at 10:30 we try again", "at 10:30 we try again"),
        ("1042 it is here", "it is here"),
        ("hi, 1042 help is on the way", "help is on the way"),
        ("The printer of INC-1042 is back", "The printer of is back"),
    ],
)
def test_a_number_and_words_are_words(text, words):
    assert understand(text) == Said(Kind.WORDS, (1042,), words)


@pytest.mark.parametrize(
    "text", ["help 1042", "Ayuda 1042", "1042 help", "1042 ayuda!", "necesito ayuda 1042", "SOS 1042"]
)
def test_help_and_a_number_asks_for_help(text):
    assert understand(text) == Said(Kind.HELP, (1042,))


def test_help_may_say_what_is_needed():
    assert understand("help 1042 need an electrician") == Said(Kind.HELP, (1042,), "need an electrician")


@pytest.mark.parametrize(
    "text",
    [
        *("close 1042", "Close INC-1042.", "1042 close", "please close 1042", "1042 close it", "close1042"),
        *("cerrar 1042", "Ciérralo, 1042", "1042 cerrar por favor", "ok, cierra el 1042", "cierro 1042"),
    ],
)
def test_close_and_a_number_asks_to_close_it(text):
    assert understand(text) == Said(Kind.CLOSE, (1042,))


def test_close_may_say_the_cause():
    assert understand("close 1042: cable was loose") == Said(Kind.CLOSE, (1042,), "cable was loose")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "1042 closed",
            "1042 close to done",
            "we close the valve at INC-1042",
            "close to INC-1042 it smokes",
        ),
        *("do not close 1042", "1042 cerrado", "1042 cerrar la llave"),
    ],
)
def test_what_only_sounds_like_it_closes_nothing(text):
    assert understand(text).kind == Kind.WORDS


@pytest.mark.parametrize("text", ["no close 1042", "no cerrar 1042"])
def test_a_no_before_it_is_a_no(text):
    assert understand(text).kind == Kind.NO


@pytest.mark.parametrize("text", ["close all", "close", "cerrar todo"])
def test_nothing_closes_without_its_number(text):
    assert understand(text) == Said(Kind.CLOSE)


@pytest.mark.parametrize(
    "text", ["1042 1039", "1042, 1039", "ok 1042 y 1039", "1042 and INC-1039", "1042/1039"]
)
def test_several_numbers_answer_several(text):
    assert understand(text) == Said(Kind.ANSWER, (1042, 1039))


@pytest.mark.parametrize("text", ["all", "OK all", "todo", "ok todos", "both", "👍 all"])
def test_all_means_all_of_them(text):
    assert understand(text).kind == Kind.ALL


def test_seen_all_takes_nothing():
    assert understand("seen all").kind == Kind.SEEN_ALL
    assert understand("visto todo").kind == Kind.SEEN_ALL


@pytest.mark.parametrize("text", ["ok", "OK.", "Sí", "👍", "voy", "on it"])
def test_a_bare_ok_names_no_number(text):
    assert understand(text) == Said(Kind.ANSWER, is_yes=True)


@pytest.mark.parametrize(
    "text", ["STOP", "stop.", "Baja", "UNSUBSCRIBE", "dar de baja", "No más", "STOP ALL", "cancel"]
)
def test_the_words_that_stop(text):
    assert understand(text).kind == Kind.STOP


@pytest.mark.parametrize(
    "text", ["1042 stop the line", "stop 1042", "please stop line D1", "the end is near"]
)
def test_stop_in_a_sentence_stops_nothing(text):
    assert understand(text).kind != Kind.STOP


@pytest.mark.parametrize("text", ["START", "alta", "unstop"])
def test_the_words_that_start_again(text):
    assert understand(text).kind == Kind.START


@pytest.mark.parametrize("text", ["HELP", "ayuda", "info?"])
def test_help_alone_asks_how_this_works(text):
    assert understand(text).kind == Kind.HOW


@pytest.mark.parametrize("text", ["1042 no", "1042 👎", "no puedo 1042", "1042 I can't"])
def test_a_no_is_no_answer(text):
    assert understand(text) == Said(Kind.NO, (1042,))


@pytest.mark.parametrize(
    "text",
    [
        "Liked “INC-1042 LINE DOWN now: Booth 2. Reply 1042 = seen”",
        "Le gustó “INC-1042 LÍNEA PARADA”",
        "👍 to “INC-1042 LINE DOWN”",
        "Reacted 👍🏽 to “INC-1042 LINE DOWN”",
        "Reaccionó con ❤️ a «INC-1042 LINEA PARADA»",
        "Me gustó “INC-1042 LINEA PARADA”",
    ],
)
def test_a_phone_that_likes_our_message_has_seen_it(text):
    assert understand(text) == Said(Kind.SEEN, (1042,))


@pytest.mark.parametrize(
    "text",
    [
        "Disliked “INC-1042 LINE DOWN”",
        "Questioned “INC-1042 LINE DOWN”",
        "Reacted 👎 to “INC-1042 LINE DOWN”",
        "Reaccionó con 😂 a “INC-1042 LINEA PARADA”",
        "Removed 👍 from “INC-1042 LINE DOWN”",
        "Quitó un Me gusta de “INC-1042 LINEA PARADA”",
    ],
)
def test_a_phone_that_dislikes_it_says_nothing(text):
    assert understand(text) == Said(Kind.NOTHING)


@pytest.mark.parametrize(
    "text",
    [
        "1042: Reacted badly to heat",
        "Removed a jammed label, 1042",
        "Quitó el “rollo 3” de la impresora, 1042",
        "No me gusta el ruido, 1042",
        "Laughed at by the robot again, 1042",
    ],
)
def test_news_that_begins_like_a_reaction_is_news(text):
    said = understand(text)
    assert (said.kind, said.numbers[-1]) == (Kind.WORDS, 1042)


def test_a_number_in_a_sentence_may_be_something_else():
    said = understand("printer at line 3 still blank since 10:30, 1042")
    assert said.is_loose
    assert said.numbers == (3, 1042)


@pytest.mark.parametrize("text", ["", "   ", "???", "\x00\x01", "\ud800", "😀"])
def test_nothing_is_nothing(text):
    assert understand(text).kind in (Kind.NOTHING, Kind.WORDS)
    assert understand(text).numbers == ()


def test_words_alone_have_no_number():
    assert understand("spare printer is in") == Said(Kind.WORDS, (), "spare printer is in", is_loose=True)


def test_a_line_is_not_an_incident():
    assert understand("D1 060 is down").numbers == ()
