"""Translations are compiled without msgfmt and kept compiled."""

from __future__ import annotations

import gettext
from pathlib import Path
from typing import Any

import polib
import pytest
from django.core.management import CommandError, call_command

from opsdesk.management.commands import compile_po

PO = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=2; plural=n != 1;\\n"

msgid "Raised"
msgstr "Avisado"

#, fuzzy
msgid "Closed"
msgstr "Mal"

msgid "%(count)s line"
msgid_plural "%(count)s lines"
msgstr[0] "%(count)s línea"
msgstr[1] "%(count)s líneas"
"""


@pytest.fixture
def catalogue(tmp_path: Path, settings: Any) -> Path:
    path = tmp_path / "es" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    path.write_text(PO)
    settings.LOCALE_PATHS, settings.BASE_DIR = [tmp_path], tmp_path
    return path


def test_a_catalogue_is_compiled_for_gettext(catalogue: Path) -> None:
    call_command("compile_po", verbosity=0)

    with catalogue.with_suffix(".mo").open("rb") as file:
        spanish = gettext.GNUTranslations(file)
    assert spanish.gettext("Raised") == "Avisado"
    assert spanish.ngettext("%(count)s line", "%(count)s lines", 3) == "%(count)s líneas"
    assert spanish.gettext("Closed") == "Closed", "a fuzzy entry stays out"


def test_a_changed_catalogue_is_out_of_date(catalogue: Path) -> None:
    with pytest.raises(CommandError, match=r"Out of date: es/LC_MESSAGES/django\.po"):
        call_command("compile_po", "--check")

    call_command("compile_po", verbosity=0)
    call_command("compile_po", "--check")
    catalogue.write_text(PO.replace("Avisado", "Dado"))

    with pytest.raises(CommandError):
        call_command("compile_po", "--check")


def test_the_committed_translations_are_compiled() -> None:
    assert [path for path in compile_po.catalogues() if not compile_po.is_compiled(path)] == []


def test_the_committed_translations_are_complete() -> None:
    entries = [entry for path in compile_po.catalogues() for entry in polib.pofile(str(path))]

    assert [entry.msgid for entry in entries if not entry.translated() and not entry.obsolete] == []
