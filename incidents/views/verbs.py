"""The verbs: each is a form on a page of its own and, for htmx, the same form in the page it was asked from.

GET shows the form, POST does it and goes back to the incident. A refusal draws the form again with every word
kept, the sentence on top, its status, and the version that is true now, so that the same button works then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRedirect
from django_stubs_ext import StrPromise

from incidents import forms, lifecycle
from incidents.models import Incident
from incidents.permissions import Action, refuse_unless
from incidents.raised_here import was_raised_here
from opsdesk.errors import NotAllowed, Refused
from opsdesk.htmx import next_page
from plant.models import Person


@dataclass(frozen=True, slots=True)
class Verb:
    """How a verb is asked for: question, button, what it needs to know, and what is said afterwards."""

    title: StrPromise
    button: StrPromise
    run: Callable[..., object]
    action: Action
    form: type[forms.ActForm] = forms.ActForm
    explain: StrPromise | str = ""
    done: StrPromise | str = ""
    icon: str = "check"


def add_words_or_photo(
    number: int,
    *,
    by: Person,
    words: str,
    technical: str,
    image: UploadedFile | None,
    seen_version: int | None = None,
) -> None:
    """Both in one form: the words first, so that a photo that cannot be kept does not lose them."""
    if words or technical or image is None:
        lifecycle.add_words(number, by=by, words=words, technical=technical, seen_version=seen_version)
        seen_version = None  # what this form just changed is not news to it
    if image is not None:
        lifecycle.add_photo(number, by=by, image=image, seen_version=seen_version)


THANKS = _("Thank you. This is practice: there is nothing to do.")

VERBS: dict[str, Verb] = {
    "acknowledge": Verb(
        _("Take it"),
        _("I’ll take it"),
        lifecycle.acknowledge,
        Action.ACKNOWLEDGE,
        explain=_("You own it from now on: everybody who was told hears your name."),
        done=_("You have it. Everybody who was told hears it."),
    ),
    "arrive": Verb(
        _("At the station"),
        _("I’m at the station"),
        lifecycle.arrive,
        Action.ACKNOWLEDGE,
        done=_("Noted: you are at the station."),
        icon="pin",
    ),
    "assign": Verb(
        _("Ask somebody to take it"),
        _("Ask them"),
        lifecycle.assign,
        Action.ASSIGN,
        forms.AssignForm,
        done=_("They are being told. Until they answer, nothing changes."),
        icon="user",
    ),
    "words": Verb(
        _("Add words or a photo"),
        _("Add it"),
        add_words_or_photo,
        Action.ADD_WORDS,
        forms.WordsForm,
        done=_("Added."),
        icon="photo",
    ),
    "update": Verb(
        _("Say what’s new"),
        _("Send it"),
        lifecycle.post_update,
        Action.UPDATE,
        forms.UpdateForm,
        _("Write it once, in plain words. Managers, the floor and technicians each get what they need."),
        _("Sent to everybody who was told."),
        "pencil",
    ),
    "help": Verb(
        _("Bring someone in"),
        _("Bring someone in"),
        lifecycle.ask_help,
        Action.ASK_HELP,
        forms.HelpForm,
        _("One tap asks them now. You keep it; they help."),
        _("Asked. This page says when they have seen it."),
        "user",
    ),
    "contain": Verb(
        _("Product is moving again"),
        _("Product is moving"),
        lifecycle.contain,
        Action.CONTAIN,
        forms.ContainForm,
        _("This stops the downtime clock. The issue stays open until the fix is proved."),
        _("Everybody who was told hears that product is moving."),
        "moving",
    ),
    "resolve": Verb(
        _("The fix is in place"),
        _("The fix is in place"),
        lifecycle.resolve,
        Action.RESOLVE,
        explain=_("From now on it is being proved."),
        done=_("The fix is in place and is being proved."),
        icon="shield",
    ),
    "close": Verb(
        _("Close it"), _("Close it"), lifecycle.close, Action.CLOSE, forms.CloseForm, done=_("Closed.")
    ),
    "reopen": Verb(
        _("It came back"),
        _("Open it again"),
        lifecycle.reopen,
        Action.REOPEN,
        forms.ReasonForm,
        _("The owner keeps it, and every clock starts again."),
        _("Open again. The owner is being told."),
        "loop",
    ),
    "confirm": Verb(
        _("Does production really run?"),
        _("Yes, production runs"),
        lifecycle.confirm_running,
        Action.CONFIRM,
        explain=_("Somebody from the floor says so, not the one who fixed it."),
        done=_("Thank you. Noted."),
    ),
    "severity": Verb(
        _("Change how bad it is"),
        _("Change it"),
        lifecycle.change_severity,
        Action.FLOOR_CALL,
        forms.SeverityForm,
        _("After safety, production and materials have the last word."),
        _("Changed. The alerts follow it from now on."),
        "sliders",
    ),
    "wait": Verb(
        _("It waits on somebody"),
        _("Note it"),
        lifecycle.wait_on,
        Action.UPDATE,
        forms.WaitForm,
        _("It shows on every screen. It does not stop the clock."),
        _("Noted. At that time we ask again."),
        "calendar",
    ),
    "stop-waiting": Verb(
        _("The wait is over"),
        _("The wait is over"),
        lifecycle.stop_waiting,
        Action.UPDATE,
        done=_("Noted."),
        icon="calendar",
    ),
    "shelve": Verb(
        _("Pause the alerts"),
        _("Pause them"),
        lifecycle.shelve,
        Action.SHELVE,
        forms.ShelveForm,
        _("Your name and the reason show on every screen. Alerts about safety never pause."),
        _("Paused. It ends by itself."),
        "pause",
    ),
    "unshelve": Verb(
        _("Let the alerts go on"),
        _("Let the alerts go on"),
        lifecycle.unshelve,
        Action.SHELVE,
        done=_("The clock runs again."),
        icon="clock",
    ),
    "accept-no-fix": Verb(
        _("Accept that there is no permanent fix"),
        _("Accept it and close"),
        lifecycle.accept_no_fix,
        Action.ACCEPT_NO_FIX,
        forms.NoFixForm,
        _("It closes now and is looked at again on the day you choose."),
        _("Closed. It is looked at again on that day."),
    ),
    "review": Verb(
        _("Is there still no permanent fix?"),
        _("Accept it until then"),
        lifecycle.review,
        Action.ACCEPT_NO_FIX,
        forms.NoFixForm,
        _("It stays closed and is looked at again on the day you choose. Otherwise open it again."),
        _("Noted. It is looked at again on that day."),
    ),
    "stop-line": Verb(
        _("A line stands still"),
        _("It stands still"),
        lifecycle.stop_line,
        Action.ADD_WORDS,
        forms.LineForm,
        done=_("Noted."),
        icon="stop",
    ),
    "line-runs": Verb(
        _("The line runs again"),
        _("It runs"),
        lifecycle.line_runs,
        Action.ADD_WORDS,
        forms.LineForm,
        done=_("Noted."),
        icon="lines",
    ),
}


@login_required
@never_cache
@vary_on_headers("HX-Request")
@require_http_methods(["GET", "POST"])
def act(request: HttpRequest, number: str, verb: str) -> HttpResponseBase:
    """Any verb of the table about one incident; times are by the clock of its plant, whoever types them."""
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    incident = Incident.objects.numbered(number)
    refuse_unless(person, Action.ADD_WORDS, incident)  # a refused form shows the incident: not to other sites
    with timezone.override(incident.site.tz):
        return _act(request, verb, incident, person)


def _act(request: HttpRequest, verb: str, incident: Incident, person: Person) -> HttpResponseBase:
    """Show the form of the verb, or do it and go back to where it was asked from."""
    what = VERBS[verb]
    if request.method != "POST":
        refuse_unless(person, what.action, incident)
        return _page(request, verb, what.form(incident=incident))
    form = what.form(request.POST, request.FILES, incident=incident)
    if not form.is_valid():
        return _page(request, verb, form, status=400)
    try:
        what.run(incident.number, by=person, **form.cleaned_data)
    except Refused as refusal:
        form.keep_after(refusal)
        return _page(request, verb, form, status=refusal.status, refusal=refusal)
    done = THANKS if incident.is_drill and what.action == Action.ACKNOWLEDGE else what.done
    if done:
        messages.success(request, str(done))
    return _back(request, incident)


@require_POST
def take_back(request: HttpRequest, number: str) -> HttpResponseBase:
    """A wrong tap; also from a tablet where nobody is signed in, when it was raised there."""
    incident = Incident.objects.numbered(number)
    by = request.user if isinstance(request.user, Person) else None
    if by is None and not was_raised_here(request, incident):
        raise NotAllowed("not_yours", _("Only who raised it can take it back."))
    lifecycle.take_back(incident.number, by=by)
    messages.success(
        request, str(_("%(code)s is taken back. Nobody else is told.") % {"code": incident.code})
    )
    return redirect("raise")


def _back(request: HttpRequest, incident: Incident) -> HttpResponseBase:
    """To `next` when it is one of our pages, else to the incident."""
    target = next_page(request) or incident.get_absolute_url()
    return HttpResponseClientRedirect(target) if request.htmx else redirect(target)  # type: ignore[attr-defined]


def _page(
    request: HttpRequest, verb: str, form: forms.ActForm, *, status: int = 200, refusal: Refused | None = None
) -> HttpResponse:
    form.by = request.user if isinstance(request.user, Person) else None
    template = "incidents/act.html#do" if request.htmx else "incidents/act.html"  # type: ignore[attr-defined]
    context = {
        "verb": VERBS[verb],
        "form": form,
        "incident": form.incident,
        "refusal": refusal,
        "next": next_page(request),
    }
    return render(request, template, context, status=status)
