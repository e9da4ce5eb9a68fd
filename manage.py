#!/usr/bin/env python
"""Django's commands. Alone they start the embedded servers they need; beside a running OpsDesk they join
it."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from opsdesk import embedded

WITHOUT_SERVERS = {
    "help",
    "version",
    "--help",
    "--version",
    "check",
    "collectstatic",
    "compile_po",
    "makemessages",
}


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsdesk.settings")
    try:
        if len(sys.argv) > 1 and sys.argv[1] not in WITHOUT_SERVERS:
            embedded.attach()
        execute_from_command_line(sys.argv)
    except (embedded.CannotStart, ImproperlyConfigured) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
