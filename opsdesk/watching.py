"""The watcher's process: ``python -m opsdesk.watching``. `escalation.watcher` does the work."""

from __future__ import annotations

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from opsdesk import embedded
from opsdesk.boot import boot


def main() -> int:
    os.environ.setdefault("DB_STATEMENT_SECONDS", "30")  # what takes longer is given up and tried again
    try:
        boot()
    except (embedded.CannotStart, ImproperlyConfigured) as error:
        print(error, file=sys.stderr)
        return 1
    import_string("escalation.watcher.run")()
    return 0


if __name__ == "__main__":
    sys.exit(main())
