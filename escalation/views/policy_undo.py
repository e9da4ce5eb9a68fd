"""Taking an override back: its place does as it would without it, and what that changes is said before."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from escalation.models import Policy
from escalation.permissions import Publisher
from escalation.policies import clocks_of, names_in, policy_without, versions_of, withdraw
from escalation.policy_diff import diff
from escalation.views.policies import policy_of, running_under, scope_words
from opsdesk.errors import Refused
from opsdesk.htmx import show
from plant.views.places import Where, where_of

LONGEST_WHY = 300


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def undo(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Ask for the reason, and take back the override that is in force."""
    where = where_of(request)
    found = policy_of(where.person, pk)
    Publisher(where.person).refuse_unless(found.site, found.area)
    in_force = versions_of(found).filter(is_current=True).select_related("published_by").first()
    override = in_force if in_force and in_force.is_override else None
    if request.method == "GET":
        return _page(request, where, override) if override else redirect("policy", found.pk)
    try:
        withdraw(
            in_force or found,
            by=where.person,
            why=request.POST.get("why", "")[:LONGEST_WHY],
            seen_version=_number(request.POST.get("seen", "")),
        )
    except Refused as refusal:
        if override is None:  # somebody took it back a moment ago: there is no form left to draw
            raise
        return _page(request, where, override, refusal)
    messages.success(request, _("Taken back. %(place)s does as everywhere else from now on.") % _named(found))
    return redirect(f"{reverse('policies')}?site={(found.site or where.site).code}")


def _page(
    request: HttpRequest, where: Where, override: Policy, refusal: Refused | None = None
) -> HttpResponse:
    """What holds afterwards, what that changes, and who is not touched by it."""
    after = policy_without(override)
    context = {
        "where": where,
        "override": override,
        "scope": scope_words(override),
        "after": after,
        "after_scope": scope_words(after),
        "changes": diff(clocks_of(override), clocks_of(after), names_in([override, after])),
        "running": running_under(override).count(),
        "why": request.POST.get("why", "")[:LONGEST_WHY],
        "wrong_why": [str(said) for said in (refusal.fields or {}).get("why", [])] if refusal else [],
    }
    with timezone.override((override.site or where.site).tz):
        return show(request, "escalation/policies/undo.html", context, refusal=refusal)


def _named(policy: Policy) -> dict[str, str]:
    said = scope_words(policy)
    return {"place": said[:1].upper() + said[1:]}


def _number(text: str) -> int:
    """The version that was shown; what is no number was never shown."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
