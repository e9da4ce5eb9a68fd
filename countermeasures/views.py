"""The forms behind each countermeasure verb, reached from the incident page.

Each is a page of its own and, for htmx, the same form inside the incident page. A refusal comes back with the
words that were typed and the sentence that says what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect
from django_stubs_ext import StrPromise

from countermeasures import forms, lifecycle
from countermeasures.models import Cause, Countermeasure
from incidents.models import Incident
from incidents.permissions import Action, refuse_unless
from opsdesk.errors import Missing, Refused
from opsdesk.htmx import show


@dataclass(frozen=True, slots=True)
class Verb:
    """How a verb is asked for: the question, the button, and the form for what it needs to know."""

    title: StrPromise
    button: StrPromise
    form: type[forms.ActForm]
    run: Callable[..., object]
    explain: StrPromise | str = ""


VERBS: dict[str, Verb] = {
    "start": Verb(
        _("Promise it"),
        _("Promise it"),
        forms.StartForm,
        lifecycle.start,
        _("One owner and a day. A new day agreed before the old one has passed counts as kept."),
    ),
    "plan-check": Verb(
        _("Plan the check"),
        _("Plan the check"),
        forms.PlanCheckForm,
        lifecycle.plan_check,
        _("How we will know that it works, agreed before the fix goes in."),
    ),
    "in-place": Verb(_("It is in place"), _("It is in place"), forms.EvidenceForm, lifecycle.put_in_place),
    "check": Verb(
        _("Does it hold?"),
        _("Sign it off"),
        forms.CheckForm,
        lifecycle.check,
        _("When it did not hold, the problem is opened again and the managers are told."),
    ),
    "extend": Verb(_("Let the bandage stay longer"), _("Extend it"), forms.ExtendForm, lifecycle.extend),
    "waive": Verb(_("Accept a weaker countermeasure"), _("Accept it"), forms.ReasonForm, lifecycle.waive),
    "take-off": Verb(_("Is the bandage off?"), _("It is off"), forms.NothingMoreForm, lifecycle.take_off),
    "withdraw": Verb(_("Give it up"), _("Give it up"), forms.ReasonForm, lifecycle.withdraw),
}

AddOne = Verb(_("Add a countermeasure"), _("Add it"), forms.AddForm, lifecycle.add)
WriteCause = Verb(
    _("Why did it happen?"),
    _("Write it down"),
    forms.CauseForm,
    lifecycle.write_cause,
    _("Both are needed before it can be closed: why it happened, and why nothing caught it."),
)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Any verb about one countermeasure."""
    if verb not in VERBS:
        raise Missing("unknown_verb", _("There is no such thing to do."))
    found = Countermeasure.objects.with_people().filter(pk=pk).first()
    if found is None:
        raise Missing("unknown_countermeasure", _("There is no such countermeasure."))
    found.incident = Incident.objects.numbered(found.incident.number)
    refuse_unless(request.user, Action.ADD_WORDS, found.incident)
    return _handle(request, VERBS[verb], found.incident, target=pk, found=found, known=forms.prefilled(found))


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, number: str) -> HttpResponse:
    """One more countermeasure for an incident."""
    incident = Incident.objects.numbered(number)
    refuse_unless(request.user, Action.PLAN, incident)
    return _handle(request, AddOne, incident, target=incident.number, known={"kind": "permanent"})


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def cause(request: HttpRequest, number: str) -> HttpResponse:
    """Why it happened, and why nothing caught it."""
    incident = Incident.objects.numbered(number)
    refuse_unless(request.user, Action.PLAN, incident)
    written = Cause.objects.filter(incident=incident).first() or Cause()
    known = {
        "root_cause": written.root_cause,
        "escape_cause": written.escape_cause,
        "five_whys": "\n".join(written.five_whys),
    }
    return _handle(request, WriteCause, incident, target=incident.number, known=known)


def _handle(
    request: HttpRequest,
    verb: Verb,
    incident: Incident,
    *,
    target: int,
    known: dict[str, Any],
    found: Countermeasure | None = None,
) -> HttpResponse:
    """Show the form, or do it and go back to the incident."""
    if request.method != "POST":
        return _page(request, verb, verb.form(incident=incident, initial=known), incident, found)
    form = verb.form(request.POST, incident=incident)
    if not form.is_valid():
        return _page(request, verb, form, incident, found, status=400)
    try:
        verb.run(target, by=request.user, **form.cleaned_data)
    except Refused as refusal:
        return _refused(request, verb, form, incident, found, refusal)
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(incident.get_absolute_url())
    return redirect(incident)


def _refused(
    request: HttpRequest,
    verb: Verb,
    form: forms.ActForm,
    incident: Incident,
    found: Countermeasure | None,
    refusal: Refused,
) -> HttpResponse:
    """The form again with every word kept, the sentence on top, and the version that is true now."""
    fresh = Incident.objects.numbered(incident.number)
    form.data = form.data.copy()
    form.data["seen_version"] = str(fresh.version)
    form.add_refusal(dict(refusal.fields or {}))
    return _page(request, verb, form, fresh, found, status=refusal.status, refusal=refusal)


def _page(
    request: HttpRequest,
    verb: Verb,
    form: forms.ActForm,
    incident: Incident,
    found: Countermeasure | None,
    *,
    status: int = 200,
    refusal: Refused | None = None,
) -> HttpResponse:
    context = {"verb": verb, "form": form, "incident": incident, "countermeasure": found}
    return show(
        request, "countermeasures/act.html", context, fragments=["do"], refusal=refusal, status=status
    )
