"""Pages of the shell: is it alive, is it ready, its numbers, and what is said when something is wrong."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from opsdesk import refusals
from opsdesk.errors import Refused

log = logging.getLogger(__name__)
_migrated = False


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers. Nothing else is asked, so that a database outage restarts nobody."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether work may be sent here: 200, or 503 with a sentence for each thing that is wrong."""
    problems = find_problems()
    return JsonResponse({"ready": not problems, "problems": problems}, status=503 if problems else 200)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text format."""
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def find_problems() -> list[str]:
    """One sentence for each thing that keeps this process from doing its work."""
    try:
        if not _is_migrated():
            return ["The database misses migrations; run manage.py migrate."]
    except DatabaseError:
        log.warning("The database cannot be reached", exc_info=True)
        return ["The database cannot be reached."]
    problems = [_problem_of(check) for check in settings.READY_CHECKS]
    return [problem for problem in problems if problem]


def _problem_of(check: str) -> str:
    """What the check has to say; a check that breaks is a problem too."""
    try:
        return str(import_string(check)() or "")
    except Exception:
        log.exception("The check %s broke", check)
        return f"The check {check} broke."


def _is_migrated() -> bool:
    """Remembered once true: walking all migrations costs 20 ms, and they do not come undone by themselves."""
    global _migrated
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refusals.answer(request, refusals.NOT_FOUND)


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refusals.answer(request, refusals.NOT_ALLOWED)


def malformed(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refusals.answer(request, refusals.as_refusal(exception) or refusals.MALFORMED)


def broken(request: HttpRequest) -> HttpResponse:
    """The last resort: no database and no session, since either may be what broke; at worst a sentence."""
    if refusals.is_for_a_program(request):
        return JsonResponse(refusals.BROKEN.as_dict(), status=500)
    try:
        return HttpResponse(render_to_string("broken.html", {"refusal": refusals.BROKEN}), status=500)
    except Exception:
        log.exception("The page that says that something broke is broken")
        sentence = f"{refusals.BROKEN.message}\n"
        return HttpResponse(sentence, status=500, content_type="text/plain; charset=utf-8")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was drawn before somebody signed in or out in another tab, or cookies are off."""
    sentence = _("This page was open too long. Load it again, then send it once more.")
    return refusals.answer(request, Refused("csrf", sentence, status=403))
