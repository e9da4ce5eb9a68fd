"""Makes a PDF of a page, in a process of its own: `python -m escalation.a3.printing`.

Laying out a page is pure computing that would hold up every other page of the web process, and the libraries
it needs may be missing. What comes in is one line of JSON: `html`, `css`, and `sizes`, the values that
`data-size` may take, largest type first. The first that fits on one page is taken. What goes out is the PDF.
Nothing is fetched: pictures come as data, and everything else is refused.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from escalation.a3.one_page import NO_LIBRARY, SIZE, TOO_LONG

try:  # OSError: WeasyPrint is there, but the libraries of the system below it are not
    from weasyprint import CSS, HTML
    from weasyprint.urls import URLFetcher
except (ImportError, OSError) as error:
    MISSING = str(error)
else:
    MISSING = ""


def main() -> int:
    if MISSING:
        print(MISSING, file=sys.stderr)
        return NO_LIBRARY
    asked: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    only_data = URLFetcher(allowed_protocols=["data"])
    style = CSS(string=asked["css"], url_fetcher=only_data)
    for size in asked["sizes"]:
        html = HTML(string=asked["html"].replace(SIZE, str(size)), url_fetcher=only_data)
        document = html.render(stylesheets=[style])
        if len(document.pages) == 1:
            sys.stdout.buffer.write(document.write_pdf())
            return 0
    return TOO_LONG


if __name__ == "__main__":
    sys.exit(main())
