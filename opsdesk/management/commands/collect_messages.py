"""Collects the texts to translate; needs xgettext (Debian's package gettext), which only translators need."""

from __future__ import annotations

import shutil
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Bring locale/*/LC_MESSAGES/django.po up to date with the texts in code and templates."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not shutil.which("xgettext"):
            raise CommandError("Collecting texts needs xgettext; install the package gettext.")
        languages = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
        for code in languages:
            (settings.LOCALE_PATHS[0] / code / "LC_MESSAGES").mkdir(parents=True, exist_ok=True)
        # No line numbers: they would change in every commit. Tests and data are not for readers.
        call_command(
            "makemessages",
            locale=languages,
            extensions=["html", "txt", "py"],
            ignore_patterns=["var/*", "tests/*", "benchmarks/*", "staticfiles/*"],
            no_location=True,
            no_obsolete=True,
            no_wrap=True,
        )
