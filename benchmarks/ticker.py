"""One engine worker without a broker: a line on its input is one turn at that moment.

`python -m benchmarks.ticker`
"""

from __future__ import annotations

import sys
from datetime import datetime

from opsdesk.boot import boot


def main() -> None:
    boot()
    from escalation.engine import tick  # needs Django's apps

    print("ready", flush=True)
    for line in sys.stdin:
        print(tick(now=datetime.fromisoformat(line.strip())).fired, flush=True)


if __name__ == "__main__":
    main()
