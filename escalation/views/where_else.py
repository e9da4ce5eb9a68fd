"""Where else? Stations with the same system, each answered by one tap, with words only where a rule asks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from countermeasures import lifecycle
from countermeasures.models import Answer, Countermeasure
from countermeasures.where_else import where_else
from incidents.models import Incident
from incidents.permissions import Action, can, refuse_unless
from opsdesk.errors import Invalid, Missing, Refused
from opsdesk.htmx import show
from plant.models import Person, Station, System

SYSTEM = "system"


class AnswerForm(forms.Form):
    """What was tapped, for which station, and the words beside it. Shape only."""

    answer = forms.ChoiceField(choices=[*Answer.choices, (SYSTEM, SYSTEM)])
    station = forms.ModelChoiceField(
        Station.objects.select_related("line__area__site"), to_field_name="code", required=False
    )
    system = forms.ModelChoiceField(System.objects.all(), to_field_name="code", required=False)
    words = forms.CharField(required=False, max_length=300)
    owner = forms.ModelChoiceField(Person.objects.active(), required=False)
    due_on = forms.DateField(required=False)
    seen_version = forms.IntegerField(required=False)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The list with its progress; a POST answers for one station, or says which system it is about."""
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    found = _read(pk, person)
    if request.method != "POST":
        return _page(request, found, person)
    form = AnswerForm(request.POST)
    try:
        if not form.is_valid():
            raise Invalid("malformed", _("That cannot be read. Look at the day and the words."))
        _do(found, person, form.cleaned_data)
    except Refused as refusal:
        return _page(request, _read(pk, person), person, refusal=refusal)
    if request.htmx:  # type: ignore[attr-defined]
        return _page(request, _read(pk, person), person)
    return redirect(reverse("where-else", args=[pk]))


def _read(pk: int, person: Person) -> Countermeasure:
    found = Countermeasure.objects.with_people().select_related("system").filter(pk=pk).first()
    if found is None:
        raise Missing("unknown_countermeasure", _("There is no such countermeasure."))
    found.incident = Incident.objects.numbered(found.incident.number)
    refuse_unless(person, Action.ADD_WORDS, found.incident)
    return found


def _do(found: Countermeasure, person: Person, asked: dict[str, Any]) -> None:
    """Each button is one verb of the lifecycle."""
    common = {"by": person, "seen_version": asked["seen_version"]}
    if asked["answer"] == SYSTEM:
        if asked["system"] is None:
            raise Invalid("unknown_system", _("Choose the system it is about."))
        lifecycle.choose_system(found.pk, system=asked["system"], **common)
        return
    if asked["station"] is None:
        raise Invalid("unknown_station", _("This station does not have the same system."))
    common["station"] = asked["station"]
    if asked["answer"] == Answer.APPLIES:
        lifecycle.applies_elsewhere(found.pk, owner=asked["owner"], due_on=asked["due_on"], **common)
    elif asked["answer"] == Answer.DONE:
        lifecycle.done_elsewhere(found.pk, evidence=asked["words"], **common)
    else:
        lifecycle.does_not_apply_elsewhere(found.pk, reason=asked["words"], **common)


def _page(
    request: HttpRequest, found: Countermeasure, person: Person, *, refusal: Refused | None = None
) -> HttpResponse:
    """The list, with the focus at `answered`. A refusal keeps the typed words beside their station."""
    asked = where_else(found, reader=person)
    now = timezone.now()
    context = {
        "one": found,
        "incident": found.incident,
        "asked": asked,
        "may_answer": can(person, Action.PLAN, found.incident),
        "people": _people(asked.places, found),
        "typed": request.POST if refusal else {},
        "answered": request.POST.get("station", ""),
        "today": _today(found, now),
        "now": now,
    }
    with timezone.override(found.incident.site.tz):
        return show(request, "escalation/where_else.html", context, fragments=["where-else"], refusal=refusal)


def _people(places: Any, found: Countermeasure) -> list[Person]:
    """Who may be asked to do it, read only where somebody has to."""
    if not any(place.answer and place.answer.answer == Answer.APPLIES for place in places):
        return []
    return list(Person.objects.active().at_site(found.incident.site))


def _today(found: Countermeasure, now: datetime) -> Any:
    return now.astimezone(found.incident.site.tz).date()
