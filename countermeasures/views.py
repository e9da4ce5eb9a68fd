"""The forms behind each countermeasure verb, reached from the incident page.

Each is a page of its own and, for htmx, the same form inside the incident page. A refusal comes back with the
words that were typed and the sentence that says what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect
from django_stubs_ext import StrPromise

from countermeasures import forms, lifecycle
from countermeasures.models import Cause, Countermeasure
from countermeasures.offers import may_plan
from countermeasures.suggestions import suggest
from incidents.forms import ActForm
from incidents.models import Incident
from incidents.permissions import Action, refuse_unless
from opsdesk.errors import Missing, Refused
from opsdesk.htmx import next_page, show
from plant.models import Person


@dataclass(frozen=True, slots=True)
class Verb:
    """How a verb is asked for: the question, the button, and the form for what it needs to know."""

    title: StrPromise
    button: StrPromise
    form: type[ActForm]
    run: Callable[..., object]
    explain: StrPromise | str = ""
    icon: str = "check"
    template: str = "incidents/act.html"


VERBS: dict[str, Verb] = {
    "start": Verb(
        _("Promise it"),
        _("Promise it"),
        forms.StartForm,
        lifecycle.start,
        _("One owner and a day. A new day agreed before the old one has passed counts as kept."),
    ),
    "new-date": Verb(
        _("Agree a new date"),
        _("Agree it"),
        forms.NewDateForm,
        lifecycle.start,
        _("Agreed before the old day has passed it counts as kept, afterwards as late."),
    ),
    "plan-check": Verb(
        _("Plan the check"),
        _("Plan the check"),
        forms.PlanCheckForm,
        lifecycle.plan_check,
        _("How we will know that it works, agreed before the fix goes in."),
    ),
    "checker": Verb(
        _("Who checks it instead?"),
        _("Name them"),
        forms.CheckerForm,
        lifecycle.name_checker,
        _("They are asked from now on. What is measured, and for how long, stays as it was agreed."),
    ),
    "strength": Verb(
        _("How strong is it?"),
        _("Say it"),
        forms.StrengthForm,
        lifecycle.say_strength,
        _("Line down, at risk and repeats need something that stops the problem by itself."),
    ),
    "in-place": Verb(_("It is in place"), _("It is in place"), forms.EvidenceForm, lifecycle.put_in_place),
    "check": Verb(
        _("Does it hold?"),
        _("Sign it off"),
        forms.CheckForm,
        lifecycle.check,
        _("When it did not hold, the problem is opened again and the managers are told."),
    ),
    "restore": Verb(
        _("Was the repeat a mistake?"),
        _("It holds after all"),
        forms.ReasonForm,
        lifecycle.restore,
        _(
            "It is being proved again as if nothing had been, the problem is put back as it was, "
            "and whoever was told hears it."
        ),
    ),
    "extend": Verb(
        _("Let the bandage stay longer"),
        _("Extend it"),
        forms.ExtendForm,
        lifecycle.extend,
        _("Product runs on it meanwhile. On the new day it is asked about again."),
    ),
    "waive": Verb(
        _("Accept a weaker countermeasure"),
        _("Accept it"),
        forms.ReasonForm,
        lifecycle.waive,
        _(
            "It relies on people, and this problem needs something that stops it by itself. "
            "Your word holds for this countermeasure, until the problem comes back."
        ),
    ),
    "take-off": Verb(_("Is the bandage off?"), _("It is off"), forms.NothingMoreForm, lifecycle.take_off),
    "owner": Verb(
        _("Who looks after it instead?"),
        _("Name them"),
        forms.OwnerForm,
        lifecycle.name_owner,
        _("They are asked about it from now on. The day it ends stays."),
    ),
    "withdraw": Verb(_("Give it up"), _("Give it up"), forms.ReasonForm, lifecycle.withdraw),
}

PICKED_FROM = 60
"""Open problems that are offered, what hurts first on top."""

ADD = Verb(_("Add a countermeasure"), _("Add it"), forms.AddForm, lifecycle.add)
MEASURE = Verb(
    _("Log a measurement"),
    _("Write it down"),
    forms.MeasureForm,
    lifecycle.log_measurement,
    _("It cannot be changed afterwards. A wrong number is put right by another one."),
    "plus",
)
CAUSE = Verb(
    _("Why did it happen?"),
    _("Write it down"),
    forms.CauseForm,
    lifecycle.write_cause,
    _("Both are needed before it can be closed: why it happened, and why nothing caught it."),
    template="countermeasures/cause.html",
)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponseBase:
    """Any verb about one countermeasure."""
    if verb not in VERBS:
        raise Missing("unknown_verb", _("There is no such thing to do."))
    found = Countermeasure.objects.with_people().filter(pk=pk).first()
    if found is None:
        raise Missing("unknown_countermeasure", _("There is no such countermeasure."))
    found.incident = Incident.objects.numbered(found.incident.number)
    refuse_unless(_person(request), Action.ADD_WORDS, found.incident)
    return _handle(request, VERBS[verb], found.incident, target=pk, found=found, known=forms.prefilled(found))


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, number: str) -> HttpResponseBase:
    """One more countermeasure for an incident."""
    incident = Incident.objects.numbered(number)
    refuse_unless(_person(request), Action.PLAN, incident)
    return _handle(request, ADD, incident, target=incident.number, known={"kind": "permanent"})


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def measure(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One more line in the measurement log; the unit is that of the line before."""
    found = Countermeasure.objects.with_people().filter(pk=pk).first()
    if found is None:
        raise Missing("unknown_countermeasure", _("There is no such countermeasure."))
    found.incident = Incident.objects.numbered(found.incident.number)
    refuse_unless(_person(request), Action.ADD_WORDS, found.incident)
    last = found.measurements.exclude(unit="").last()
    known = {"unit": last.unit if last else ""}
    return _handle(request, MEASURE, found.incident, target=pk, found=found, known=known)


@login_required
@require_safe
def pick(request: HttpRequest) -> HttpResponse:
    """For which open problem a countermeasure is to be added: from the board, where none is chosen yet."""
    person = _person(request)
    incidents = Incident.objects.visible_to(person).open().filter(is_drill=False).with_place().by_cover_left()
    if site := request.GET.get("site", "")[:24]:
        incidents = incidents.filter(site__code=site)
    found = [incident for incident in incidents[:PICKED_FROM] if may_plan(incident, person)]
    context = {"incidents": found, "back": reverse("countermeasures")}
    return show(request, "countermeasures/pick.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def cause(request: HttpRequest, number: str) -> HttpResponseBase:
    """Why it happened, and why nothing caught it."""
    incident = Incident.objects.numbered(number)
    refuse_unless(_person(request), Action.PLAN, incident)
    written = Cause.objects.filter(incident=incident).first() or Cause()
    known = {
        "root_cause": written.root_cause,
        "escape_cause": written.escape_cause,
        "five_whys": written.five_whys,
        "is_person": {True: "yes", False: "no"}[written.is_person] if written.pk else None,
        "made_easy": written.made_easy,
        "would_stop": written.would_stop,
    }
    return _handle(request, CAUSE, incident, target=incident.number, known=known)


def _handle(
    request: HttpRequest,
    verb: Verb,
    incident: Incident,
    *,
    target: int,
    known: dict[str, Any],
    found: Countermeasure | None = None,
) -> HttpResponseBase:
    """The form of the verb, or what came of it; times are by the clock of the incident's plant."""
    with timezone.override(incident.site.tz):
        return _act(request, verb, incident, target=target, known=known, found=found)


def _act(
    request: HttpRequest,
    verb: Verb,
    incident: Incident,
    *,
    target: int,
    known: dict[str, Any],
    found: Countermeasure | None,
) -> HttpResponseBase:
    """Show the form, or do it and go back to where it was asked from, else to the incident."""
    if request.method != "POST":
        return _page(request, verb, verb.form(incident=incident, initial=known), found)
    form = verb.form(request.POST, request.FILES, incident=incident)
    if not form.is_valid():
        return _page(request, verb, form, found, status=400)
    try:
        verb.run(target, by=_person(request), **form.cleaned_data)
    except Refused as refusal:
        form.keep_after(refusal)
        return _page(request, verb, form, found, refusal=refusal)
    target_page = next_page(request) or incident.get_absolute_url()
    return HttpResponseClientRedirect(target_page) if request.htmx else redirect(target_page)  # type: ignore[attr-defined]


def _page(
    request: HttpRequest,
    verb: Verb,
    form: ActForm,
    found: Countermeasure | None,
    *,
    status: int = 200,
    refusal: Refused | None = None,
) -> HttpResponse:
    template = verb.template
    context = {
        "verb": verb,
        "form": form,
        "incident": form.incident,
        "subject": found,
        "next": next_page(request),
    }
    if verb is CAUSE:
        context["suggestions"] = suggest(
            form.incident, reader=_person(request), words=request.GET.get("q", "")[:200]
        )
    return show(request, template, context, fragments=["do"], refusal=refusal, status=status)


def _person(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)  # behind login_required
    return request.user
