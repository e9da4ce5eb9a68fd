"""Changing who is told when: rows that work without a script, and publishing, which makes a new version.

Nothing is edited: the version in force stays as it is, and incidents that run under it keep it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from escalation.forms import PolicyForm, readable
from escalation.models import Policy
from escalation.permissions import Publisher
from escalation.policies import clocks_of, names_in, policy_without, publish, versions_of
from escalation.policy_checks import problems
from escalation.policy_diff import Change, diff
from escalation.steps import BadPolicy
from escalation.views.policies import (
    clocks_in_words,
    impacts_of,
    policy_of,
    running_under,
    scope_words,
)
from incidents.models import Category, Severity
from opsdesk.errors import Missing, NotAllowed, Refused, Stale
from opsdesk.htmx import show
from plant.views.places import Where, area_of, where_of
from plant.visibility import people_seen_by


@dataclass(frozen=True)
class Desk:
    """What is edited: the version the rows start from, where it will hold, and what is in force there."""

    where: Where
    base: Policy
    scope: Policy
    """Carries severity, site, area and category; it is never saved."""
    in_force: Policy | None

    @cached_property
    def holds(self) -> Policy:
        """What holds there now: its own version, or what it does without one."""
        return self.in_force or policy_without(self.scope)

    @property
    def seen(self) -> int:
        return self.in_force.version if self.in_force else 0


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The next version of a policy, from the one in the address: the one in force, or an older one."""
    where = where_of(request)
    base = policy_of(where.person, pk)
    return _editor(request, Desk(where, base, base, _in_force(base)))


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponseBase:
    """An override: first which severity and where, then the rows, which start as they are there now."""
    where = where_of(request)
    if not Publisher(where.person).may_somewhere(where.site):
        raise NotAllowed("wrong_role", _("Only an IT manager can change who is told when."))
    scope = _scope(request, where)
    if scope is None:
        return show(request, "escalation/policies/new.html", _choices(where))
    in_force = _in_force(scope)
    if in_force and request.method == "GET":
        return redirect("policy-edit", in_force.pk)
    return _editor(request, Desk(where, in_force or policy_without(scope), scope, in_force))


# --- where ---


def _scope(request: HttpRequest, where: Where) -> Policy | None:
    """The place that was chosen, as a policy that is never saved; None until a severity is.

    Raises Missing for a place or category that is not there: never a policy for more than was asked.
    """
    severity = request.GET.get("severity", "")
    if severity not in Severity.values:
        return None
    codes = request.GET.get("area", ""), request.GET.get("category", "")
    area, category = area_of(where, codes[0]), Category.objects.filter(code=codes[1]).first()
    if (codes[0] and area is None) or (codes[1] and category is None):
        raise Missing("unknown_place", _("There is no such kind of trouble at such a place."))
    return Policy(severity=severity, site=where.site, area=area, category=category)


def _choices(where: Where) -> dict[str, Any]:
    return {
        "where": where,
        "severities": [(severity, impacts_of(severity)) for severity in Severity],
        "categories": Category.objects.all(),
    }


def _in_force(scope: Policy) -> Policy | None:
    return versions_of(scope).filter(is_current=True).select_related("published_by").first()


# --- the rows ---


def _editor(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    Publisher(desk.where.person).refuse_unless(desk.scope.site, desk.scope.area)
    people = _people(desk)
    if request.method == "GET":
        form = PolicyForm.of(desk.base.clocks, severity=desk.scope.severity, seen=desk.seen)
        return _page(request, desk, form, people)
    form = PolicyForm.typed(request.POST, severity=desk.scope.severity, people=people, in_force=desk.seen)
    command = request.POST.get("do", "")
    if command != "publish":
        form.do(command)
        return _page(request, desk, form, people)
    return _publish(request, desk, form, people)


def _people(desk: Desk) -> dict[str, str]:
    """Usernames and names of whom a step can name."""
    return dict(people_seen_by(desk.where.person).order_by("name").values_list("username", "name"))


def _publish(
    request: HttpRequest, desk: Desk, form: PolicyForm, people: Mapping[str, str]
) -> HttpResponseBase:
    raw = form.raw(desk.base.clocks)
    form.say_what_is_wrong(problems(raw, severity=form.severity))
    if not form.why:
        form.wrong_why.append(_("Say why."))
    if form.is_wrong:
        return _page(request, desk, form, people, status=400)
    try:
        published = publish(
            by=desk.where.person,
            severity=form.severity,
            clocks=raw,
            why=form.why,
            site=desk.scope.site,
            area=desk.scope.area,
            category=desk.scope.category,
            seen_version=form.seen,
        )
    except Stale as refusal:
        return _page(request, _fresh(desk), form, people, refusal=refusal)
    except BadPolicy as problem:
        form.say_what_is_wrong([problem])
        return _page(request, desk, form, people, status=400)
    messages.success(request, _done(published))
    return redirect("policy", published.pk)


def _fresh(desk: Desk) -> Desk:
    return Desk(desk.where, desk.base, desk.scope, _in_force(desk.scope))


def _done(published: Policy) -> str:
    said = _("Version %(version)s is in force for what is raised from now on.") % {
        "version": published.version
    }
    return f"{said} {_keep_theirs(published)}".strip()


def _page(
    request: HttpRequest,
    desk: Desk,
    form: PolicyForm,
    people: Mapping[str, str],
    *,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    """The editor. After `Stale` it shows what was published meanwhile beside what would change it."""
    seen = form.seen
    if isinstance(refusal, Stale):
        form.seen = desk.seen
    named = {**names_in([desk.base, desk.holds]), **people}
    context = {
        "where": desk.where,
        "form": form,
        "ladders": list(form.ladders.values()),
        "base": desk.base,
        "scope": scope_words(desk.scope),
        "severity": form.severity,
        "impacts": ", ".join(str(impact.label) for impact in impacts_of(form.severity)),
        "is_override": desk.scope.is_override,
        "in_force": desk.in_force,
        "meanwhile": _meanwhile(desk, seen, named) if isinstance(refusal, Stale) else None,
        "changes": _changes(desk, form, named),
        "keep_theirs": _keep_theirs(desk.scope),
        "people": sorted(people.items(), key=lambda one: one[1]),
        "names": named,
    }
    with timezone.override((desk.scope.site or desk.where.site).tz):
        return show(
            request,
            "escalation/policies/edit.html",
            context,
            fragments=("editor",),
            refusal=refusal,
            status=status,
        )


def _changes(desk: Desk, form: PolicyForm, people: Mapping[str, str]) -> list[Change]:
    """What publishing would change, against what is in force there, or what an override starts from."""
    now = readable(form.raw(desk.base.clocks), severity=form.severity)
    return diff(clocks_of(desk.holds), now, people) if now else []


def _meanwhile(desk: Desk, seen: int, people: Mapping[str, str]) -> dict[str, Any]:
    """What somebody made of it meanwhile: the version in force, or the one taken back, and what changed."""
    before = versions_of(desk.scope).filter(version=seen).select_related("withdrawn_by").first()
    return {
        "policy": desk.in_force or before or desk.base,
        "clocks": clocks_in_words(clocks_of(desk.holds), people),
        "changes": diff(clocks_of(before), clocks_of(desk.holds), people) if before else [],
    }


# --- who is not touched by it ---


def _keep_theirs(scope: Policy) -> str:
    count = running_under(scope).count()
    return (
        ngettext(
            "%(count)d incident is running under an earlier version. It keeps that one.",
            "%(count)d incidents are running under an earlier version. They keep that one.",
            count,
        )
        % {"count": count}
        if count
        else _("No incident is running under an earlier version.")
    )
