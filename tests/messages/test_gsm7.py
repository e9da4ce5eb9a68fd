"""Texts in the alphabet of a phone, and short enough for one segment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalation.gsm7 import BASIC, EXTENDED, Flexible, clip, cut, fit, septets, to_gsm7

ANY_TEXT = st.text(max_size=300)
PLAIN_TEXT = st.text(alphabet=sorted(BASIC | EXTENDED), max_size=300)
WORDS = st.text(alphabet="abcdefgh áñ€{", min_size=1, max_size=120)


def test_the_alphabet_has_the_127_characters_of_the_standard_and_nine_more_behind_escape() -> None:
    assert len(BASIC) == 127
    assert len(EXTENDED) == 9


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Tomás Jiménez", "Tomas Jiménez"),
        ("línea, avión, menú", "linea, avion, menu"),
        ("Muñoz, Güell, Ñandú, à è ù ì ò", "Muñoz, Güell, Ñandu, à è ù ì ò"),
        ("it’s “down” – wait…", 'it\'s "down" - wait...'),
        ("¿Qué pasó? ¡Ya!", "¿Qué paso? ¡Ya!"),
        ("½ l of façade", "1/2 l of facade"),
        ("Łukasz, Žižek, Đorđe", "Lukasz, Zizek, Dorde"),
        ("a\u0301 cafe\u0301", "a café"),
        ("日本", "??"),
        ("no\u00a0break\u200b", "no break"),
        ("tab\there", "tab here"),
    ],
)
def test_letters_outside_the_alphabet_come_as_near_as_they_get(text: str, plain: str) -> None:
    assert to_gsm7(text) == plain


@given(ANY_TEXT)
def test_every_text_ends_up_in_the_alphabet_and_stays_there(text: str) -> None:
    plain = to_gsm7(text)
    assert set(plain) <= BASIC | EXTENDED
    assert to_gsm7(plain) == plain


@given(PLAIN_TEXT)
def test_text_in_the_alphabet_is_left_alone_and_counts_two_for_each_extended_character(text: str) -> None:
    assert to_gsm7(text) == text
    assert septets(text) == len(text) + sum(char in EXTENDED for char in text)


def test_counting_a_text_outside_the_alphabet_is_refused() -> None:
    with pytest.raises(ValueError, match="á"):
        septets("Tomás")


def test_extended_characters_count_two() -> None:
    assert septets("€{}[]~\\|^") == 18


@given(PLAIN_TEXT, st.integers(min_value=3, max_value=200))
def test_a_cut_text_is_never_longer_than_its_room(text: str, room: int) -> None:
    assert septets(clip(text, room)) <= room


def test_a_cut_falls_between_words() -> None:
    assert clip("Rack labels will not print at all", 25) == "Rack labels will not..."


def test_a_cut_text_has_no_loose_end() -> None:
    assert (
        clip("Nobody is on shift as IT lead, so this goes up now.", 36) == "Nobody is on shift as IT lead..."
    )


@given(
    st.lists(
        st.one_of(
            WORDS,
            st.builds(
                lambda text, when: Flexible((text, text[:5], ""), (when, when + 1)), WORDS, st.integers(1, 9)
            ),
            st.builds(lambda text, when: cut(text, (when, 30), (when + 2, 0)), WORDS, st.integers(1, 9)),
        ),
        max_size=8,
    )
)
def test_a_fitted_text_is_in_the_limit_whenever_its_fixed_parts_are(parts: list[str | Flexible]) -> None:
    fixed = [to_gsm7(part) for part in parts if isinstance(part, str)]
    said = fit(parts)
    needed = sum(map(septets, fixed)) + max(0, len(fixed) - 1)
    if needed <= 160:
        assert septets(said) <= 160
    for part in fixed:
        assert part in said


def test_what_gives_way_first_does_so_and_the_rest_stays_whole() -> None:
    parts: list[str | Flexible] = [
        "INC-1042 LINE DOWN:",
        cut("a" * 80, (2, 20)),
        cut("b" * 80, (1, 0)),
        "link",
    ]
    assert fit(parts) == "INC-1042 LINE DOWN: " + "a" * 80 + " " + "b" * 51 + "... link"


def test_a_part_with_a_shorter_form_takes_it_whole() -> None:
    where = Flexible(("Instrument Panel Line I1, Label & rack", "ASM-I1-060"), (1,))
    assert fit(["INC-1042", where, "link"], limit=40) == "INC-1042 ASM-I1-060 link"


def test_room_that_a_part_left_over_goes_back_to_the_others() -> None:
    where = Flexible(("W" * 60, "w" * 5), (2,))
    what = cut("x" * 70, (1, 20))
    assert fit([where, what], limit=80) == "wwwww " + "x" * 70


def test_number_state_and_link_stay_whole_even_when_they_alone_are_too_long() -> None:
    link = "https://" + "o" * 180
    said = fit(["INC-1042 LINE DOWN:", cut("Rack labels", (1, 0)), link])
    assert said == f"INC-1042 LINE DOWN: {link}"
