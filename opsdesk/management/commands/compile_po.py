"""Compiles the translations without msgfmt, which a fresh machine may lack."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Compile locale/*/LC_MESSAGES/*.po into .mo files; --check only says which are out of date."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing, fail when one is out of date"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        stale = [path for path in catalogues() if not is_compiled(path)]
        if options["check"] and stale:
            names = ", ".join(str(path.relative_to(settings.BASE_DIR)) for path in stale)
            raise CommandError(f"Out of date: {names}. Run manage.py compile_po.")
        for path in stale:
            path.with_suffix(".mo").write_bytes(compiled(path))
            self.stdout.write(f"Compiled {path.relative_to(settings.BASE_DIR)}")


def catalogues() -> list[Path]:
    return [
        path for folder in settings.LOCALE_PATHS for path in sorted(Path(folder).glob("*/LC_MESSAGES/*.po"))
    ]


def compiled(path: Path) -> bytes:
    """The .mo file's content. Fuzzy entries stay out: a wrong sentence is worse than an English one."""
    return bytes(polib.pofile(str(path)).to_binary())


def is_compiled(path: Path) -> bool:
    target = path.with_suffix(".mo")
    return target.exists() and target.read_bytes() == compiled(path)
