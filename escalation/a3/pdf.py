"""A page as a PDF, laid out in a process of its own so that no other page waits for it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from escalation.a3.one_page import NO_LIBRARY
from opsdesk.errors import Refused

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT = 25
"""Seconds that one PDF may take; usually one to three."""

AT_ONCE = 2
"""PDFs that one web process makes at a time: the other threads stay free for pages."""

_places = threading.BoundedSemaphore(AT_ONCE)


def on_one_page(html: str, *, css: str, sizes: Sequence[int]) -> bytes:
    """The PDF in the largest type that fits on one page; the HTML has `SIZE` where the size goes.

    Raises Refused with 503: `pdf_missing` when a library is missing, `pdf_busy` when others are being made,
    `pdf_failed` when it took too long or does not fit.
    """
    if not _places.acquire(blocking=False):
        raise Refused("pdf_busy", _("Other reports are being made. Try again in a few seconds."), status=503)
    try:
        return _made(json.dumps({"html": html, "css": css, "sizes": list(sizes)}).encode())
    finally:
        _places.release()


def _made(asked: bytes) -> bytes:
    command = [sys.executable, "-m", "escalation.a3.printing"]
    try:
        done = subprocess.run(
            command, input=asked + b"\n", capture_output=True, timeout=LIMIT, cwd=ROOT, check=False
        )
    except subprocess.TimeoutExpired:
        log.warning("A PDF took longer than %s s", LIMIT)
        raise _failed() from None
    if done.returncode == NO_LIBRARY:
        raise Refused(
            "pdf_missing",
            _("This server cannot make a PDF: the library Pango is missing. Print the page instead."),
            status=503,
        )
    if done.returncode:
        log.warning("A PDF failed with %s: %s", done.returncode, done.stderr.decode()[-2000:])
        raise _failed()
    return done.stdout


def _failed() -> Refused:
    return Refused("pdf_failed", _("The PDF could not be made. Print the page instead."), status=503)
