"""Spanish is complete: every text of the code is translated, with the same placeholders, and compiled."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.utils.translation import gettext, override
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "locale" / "es" / "LC_MESSAGES"
APPS = ("opsdesk", "plant", "incidents", "countermeasures", "escalation")
PLAIN = {"_", "gettext", "gettext_lazy", "gettext_noop"}
PLURAL = {"ngettext", "ngettext_lazy"}
IN_CONTEXT = {"pgettext", "pgettext_lazy"}
PLACEHOLDER = re.compile(r"%\(\w+\)[#0-9]*[a-z]|%%|</?\w+[^>]*>|\{\w*\}")

Key = tuple[str, str]
"""The context ("" for none) and the English text."""


def in_code(path: Path) -> Iterator[Key]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        words = [
            arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
        ]
        if words and name in PLAIN | PLURAL:
            yield "", words[0]
        elif len(words) > 1 and name in IN_CONTEXT:
            yield words[0], words[1]


def in_template(path: Path) -> Iterator[Key]:
    """Django turns a template into calls of gettext, as makemessages sees them."""
    calls = templatize(path.read_text(encoding="utf-8"), origin=str(path))
    literal = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    for found in re.finditer(rf"\b(p?)n?gettext\({literal}(?:,\s*{literal})?", calls):
        first, second = (ast.literal_eval(text) if text else "" for text in found.group(2, 3))
        yield (first, second) if found.group(1) else ("", first)


def texts() -> set[Key]:
    found: set[Key] = set()
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            if "migrations" not in path.parts:
                found.update(in_code(path))
    for folder in (ROOT / "templates", *(ROOT / app / "templates" for app in APPS)):
        for path in [*folder.rglob("*.html"), *folder.rglob("*.txt")]:
            found.update(in_template(path))
    return found


@pytest.fixture(scope="module")
def catalog() -> polib.POFile:
    return polib.pofile(str(FOLDER / "django.po"))


def spanish(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def test_every_text_of_the_code_and_the_templates_is_in_the_catalog(catalog: polib.POFile) -> None:
    known = {(entry.msgctxt or "", entry.msgid) for entry in catalog}
    assert sorted(texts() - known) == []


def test_nothing_is_untranslated_or_only_guessed(catalog: polib.POFile) -> None:
    assert [entry.msgid for entry in catalog if not all(spanish(entry))] == []
    assert [entry.msgid for entry in catalog if entry.fuzzy or entry.obsolete] == []


def test_placeholders_and_tags_are_the_same_in_both_languages(catalog: polib.POFile) -> None:
    for entry in catalog:
        english = [entry.msgid_plural, entry.msgid] if entry.msgid_plural else [entry.msgid]
        allowed = [sorted(PLACEHOLDER.findall(text)) for text in english]
        for text in spanish(entry):
            assert sorted(PLACEHOLDER.findall(text)) in allowed, entry.msgid


def test_a_sentence_stays_a_sentence(catalog: polib.POFile) -> None:
    for entry in catalog:
        for text in spanish(entry):
            assert entry.msgid.endswith(".") == text.endswith("."), entry.msgid
            assert "!" not in text, entry.msgid


def test_the_compiled_catalog_is_made_from_this_one(catalog: polib.POFile) -> None:
    compiled = {
        (entry.msgctxt, entry.msgid): spanish(entry) for entry in polib.mofile(str(FOLDER / "django.mo"))
    }
    assert compiled == {(entry.msgctxt, entry.msgid): spanish(entry) for entry in catalog}


def test_the_state_words_are_those_of_the_floor() -> None:
    with override("es"):
        assert [gettext(word) for word in ("Line down", "At risk", "Product moving", "Still open")] == [
            "Línea parada",
            "En riesgo",
            "Ya sale producto",
            "Sigue abierto",
        ]
