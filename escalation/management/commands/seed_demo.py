"""`manage.py seed_demo`: the demo plant into an empty database; later, a line stop if none is live."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from escalation.demo import reset, seed


class Command(BaseCommand):
    help = "Builds the demo plant. A second run adds nothing but a live line stop when none is in progress."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--reset",
            action="store_true",
            help="First remove everything (only with DEBUG=1).",
        )
        parser.add_argument(
            "--keep-live", action="store_true", help="Only see to a live line stop; never build the plant."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["reset"]:
            self._reset()
        if seed.is_foreign():
            self.stdout.write("This database has a plant of its own; the demo plant stays out of it.")
            return
        started = time.monotonic()
        if options["keep_live"]:
            done = seed.Seeded(raised=seed.keep_live(now=timezone.now()) if seed.is_there() else "")
        else:
            done = seed.seed_demo(now=timezone.now())
        self._say(done, time.monotonic() - started)

    def _reset(self) -> None:
        if not settings.DEBUG:
            raise CommandError("--reset removes all data, so it needs DEBUG=1.")
        reset.remove_everything()

    def _say(self, done: seed.Seeded, seconds: float) -> None:
        if done.incidents:
            self.stdout.write(f"The demo plant is there, with {done.incidents} incidents ({seconds:.0f} s).")
        elif done.raised:
            self.stdout.write(f"No line stop was in progress, so {done.raised} was raised.")
        else:
            self.stdout.write("The demo plant is there already, with a line stop in progress.")
