"""Before Send is tapped: who is told at once, and who next if nobody answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from escalation import preview, wording
from escalation.preview import PreviewPerson, PreviewStep
from escalation.recent import with_roster
from escalation.views.preview import preview_address
from incidents import where
from incidents.models import Category, Impact
from opsdesk.errors import Invalid
from plant.context import Shell
from plant.models import Site
from plant.wording import names, span

SAID = 4
"""Names in the sentence at most; at night, when nobody is on shift, a whole department may be called."""


@require_safe
@never_cache
def told(request: HttpRequest) -> HttpResponse:
    """A sentence for the raise screen, from `where`, `category` and `impact`; general while one misses."""
    shell = Shell.of(request)
    if shell.person is None and shell.tablet is None:
        return render(request, "escalation/told.html", {"is_known": False})
    found, site = _found(request, shell)
    impact = request.GET.get("impact", "")
    if site is None or impact not in Impact.values:
        return render(request, "escalation/told.html", {"is_known": False})
    category = Category.objects.filter(code=request.GET.get("category", "")).first()
    now = timezone.now()
    place = found.get("station") or found.get("line") or found.get("area") or site
    steps = with_roster(lambda book: preview.preview(place, category, impact, now, book=book), now)
    address = preview_address(found, site=site, category=category.code if category else "", impact=impact)
    with timezone.override(site.tz):
        more = {"preview_url": address if shell.person else "", **_who(steps, now)}
        return render(request, "escalation/told.html", {"is_known": True, **more})


def _found(request: HttpRequest, shell: Shell) -> tuple[where.Place, Site | None]:
    """The place in the address, or under its kind; a system is told about where the reader works.

    Without a site for a place at one that is not the reader's: who is called there is not theirs to know.
    """
    value = request.GET.get("where", "")
    for kind in ("station", "line", "area", "system"):
        if not value and request.GET.get(kind):
            value = f"{kind}:{request.GET[kind]}"
    try:
        found = where.resolve(value, site=None if shell.person else shell.site)
    except Invalid:
        return {}, None
    site = _site(found, shell)
    is_theirs = site is not None and (shell.person is None or shell.person.sees_site(site))
    return found, site if is_theirs else None


def _site(found: where.Place, shell: Shell) -> Site | None:
    if "system" in found:
        return found["system"].site or shell.site
    if "station" in found:
        return found["station"].line.area.site
    return found["line"].area.site if "line" in found else found["area"].site


def _who(steps: Sequence[PreviewStep], now: datetime) -> dict[str, Any]:
    """`first` is empty where nobody hears at once; `then` come `after` that, which may have to wait."""
    following = next((step for step in steps if step.at > now and step.clock == "response"), None)
    said: dict[str, Any] = {
        "first": _bold(preview.told_at_once(steps, now)),
        "gaps": list(dict.fromkeys(gap for step in steps if step.at <= now for gap in step.gaps)),
    }
    if following is not None:
        why = following.waits_for
        said["then"] = [one.person for one in following.people]
        said["at"], said["after"] = following.at, span(following.at - now)
        said["waits"] = wording.waits_until(following.at, why, now) if why else ""
    return said


def _bold(people: Sequence[PreviewPerson]) -> SafeString:
    """Names in bold within the sentence."""
    bold = (format_html("<b>{}</b>", one.person) for one in people)
    return mark_safe(names(bold, most=SAID))  # noqa: S308 - escaped
