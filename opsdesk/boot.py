"""For programs that are neither a server nor a manage.py command: benchmarks, one-off scripts."""

import os

import django

from opsdesk import embedded


def boot() -> None:
    """Make sure the servers run, then load Django. Raises ``embedded.CannotStart`` with one sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsdesk.settings")
    embedded.attach()
    django.setup()
