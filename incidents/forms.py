"""Forms of raising and of the verbs: they check shape only, the lifecycle keeps the rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from incidents.lifecycle.helping import LONGEST_WORDS
from incidents.lifecycle.working import longest_promise
from incidents.models import Category, Impact, Incident, Severity, WaitingOn
from incidents.photos import PhotoField
from incidents.who_helps import Choice, choices, named
from opsdesk.errors import Invalid, Refused
from plant.models import Line, Person, Role, Vendor
from plant.roster_forms import WallTimeField
from plant.wording import span

NOTICED = [
    ("", _("Just now")),
    ("10", _("10 min ago")),
    ("30", _("30 min ago")),
    ("60", _("1 h ago")),
    ("120", _("2 h ago")),
    ("480", _("Last shift")),
]
COVER = [
    ("", _("Not known")),
    ("15", _("15 min")),
    ("30", _("30 min")),
    ("60", _("1 h")),
    ("120", _("2 h")),
    ("240", _("4 h")),
]


class RaiseForm(forms.Form):
    """Where, what, how bad; everything else has a default and may follow later."""

    where = forms.CharField(max_length=40, error_messages={"required": _("Say where it is.")})
    category = forms.ModelChoiceField(
        queryset=Category.objects.filter(is_active=True),
        to_field_name="code",
        error_messages={"required": _("Say what is wrong."), "invalid_choice": _("Say what is wrong.")},
    )
    impact = forms.ChoiceField(
        choices=Impact.choices,
        error_messages={"required": _("Say how bad it is."), "invalid_choice": _("Say how bad it is.")},
    )
    client_id = forms.UUIDField(required=False)
    words = forms.CharField(label=_("In your words"), required=False, max_length=2000, widget=forms.Textarea)
    photo = PhotoField(label=_("Photo"), required=False)
    noticed = forms.TypedChoiceField(
        label=_("When was it noticed?"),
        choices=NOTICED,
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
    )
    cover = forms.TypedChoiceField(
        label=_("How long until it hurts?"),
        choices=COVER,
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
    )

    @property
    def summary(self) -> str:
        """Everything that is missing or wrong, in one line above the form."""
        return " ".join(str(error) for errors in self.errors.values() for error in errors)

    def times(self, now: datetime) -> dict[str, datetime | None]:
        """`noticed_at` and `cover_until`, counted from the moment of Send."""
        cover: int | None = self.cleaned_data.get("cover")
        return {
            "noticed_at": now - timedelta(minutes=self.cleaned_data.get("noticed") or 0),
            "cover_until": now + timedelta(minutes=cover) if cover else None,
        }


class PersonField(forms.ModelChoiceField):
    """Somebody who works at the incident's site; the title tells two people of one name apart."""

    def __init__(self, **kwargs: Any):
        super().__init__(queryset=Person.objects.none(), empty_label=_("Choose"), **kwargs)

    def label_from_instance(self, obj: Person) -> str:
        return f"{obj.name}, {obj.title}" if obj.title else obj.name


class WordsField(forms.CharField):
    """Free words. `offer`: what many would write, put in by one tap."""

    offer: Any = ""


def _words(
    label: Any,
    *,
    rows: int = 3,
    required: bool = True,
    limit: int = 2000,
    help_text: Any = "",
    offer: Any = "",
) -> WordsField:
    field = WordsField(
        label=label,
        required=required,
        max_length=limit,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
    )
    field.offer = offer
    return field


def _day(label: Any, *, required: bool = False, help_text: Any = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        required=required,
        help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class LineField(forms.ModelChoiceField):
    """A line of the incident's site."""

    def __init__(self, **kwargs: Any):
        super().__init__(queryset=Line.objects.none(), empty_label=_("The line it was raised at"), **kwargs)


span_lazy = lazy(span, str)


class InMinutesField(forms.TypedChoiceField):
    """A moment ahead, tapped instead of typed: minutes come in, the moment (counted from now) goes out."""

    widget = forms.RadioSelect

    def __init__(self, *, minutes: Sequence[int], empty: Any = None, **kwargs: Any):
        self._minutes, self._empty = minutes, empty
        super().__init__(
            choices=self._named(minutes),
            coerce=lambda given: timezone.now() + timedelta(minutes=int(given)),
            empty_value=None,
            required=empty is None,
            **kwargs,
        )

    def draw_up_to(self, longest: timedelta | None) -> None:
        """Only what is drawn: a time from an older page is left to the lifecycle, which says until when."""
        drawn = [n for n in self._minutes if longest is None or timedelta(minutes=n) <= longest]
        self.widget.choices = self._named(drawn)

    def _named(self, minutes: Sequence[int]) -> list[tuple[str, Any]]:
        choices = [(str(length), span_lazy(timedelta(minutes=length))) for length in minutes]
        return [("", self._empty), *choices] if self._empty else choices


class ActForm(forms.Form):
    """A form about one incident: people and lines are of its site; the version on the screen comes back."""

    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    by: Person | None = None
    says_why = False
    """Whether everything that was refused stands at its field, so that it need not be said above them too."""

    def __init__(self, data: Any = None, files: Any = None, *, incident: Incident, **kwargs: Any):
        super().__init__(data, files, **kwargs)
        self.incident = incident
        self.fields["seen_version"].initial = incident.version
        for field in self.fields.values():
            if isinstance(field, PersonField):
                field.queryset = Person.objects.active().at_site(incident.site)
            elif isinstance(field, LineField):
                field.queryset = Line.objects.filter(area__site=incident.site)
            elif isinstance(field.widget, forms.Textarea):
                field.error_messages["required"] = _("Write a few words first.")

    def keep_after(self, refusal: Refused) -> None:
        """Refused: every word stays, against the incident as it is now, with each sentence at its field."""
        self.incident = Incident.objects.numbered(self.incident.number)
        assert isinstance(self.data, QueryDict)  # it was posted
        data = self.data.copy()
        data["seen_version"] = str(self.incident.version)
        self.data = data
        for name, sentences in (refusal.fields or {}).items():
            if name in self.fields:
                self.add_error(name, [str(sentence) for sentence in sentences])
        said = set(refusal.fields or ())
        self.says_why = bool(said) and said <= set(self.fields)


class AssignForm(ActForm):
    to = PersonField(label=_("Who should take it?"), help_text=_("They are told now, and must answer too."))


class WordsForm(ActForm):
    words = _words(_("What do you know?"), required=False)
    image = PhotoField(label=_("Photo"), required=False)
    technical = _words(
        _("Technical detail"),
        rows=2,
        required=False,
        limit=8000,
        help_text=_("Names, numbers, log lines. Managers do not see it."),
    )


class UpdateForm(ActForm):
    conditions = _words(
        _("The problem now"), help_text=_("How is it at this moment, in words anyone understands?")
    )
    actions = _words(_("What we’re doing"))
    needs = _words(_("What we need"), rows=2, help_text=_("“No needs” is an answer."), offer=_("No needs"))
    next_update_at = InMinutesField(
        label=_("When comes the next word?"), minutes=(15, 30, 60, 120, 240, 480), empty=_("As promised")
    )
    technical = _words(
        _("Technical detail"),
        rows=2,
        required=False,
        limit=8000,
        help_text=_("Names, numbers, log lines. Managers do not see it."),
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._offer_what_may_be_promised()

    def keep_after(self, refusal: Refused) -> None:
        super().keep_after(refusal)
        self._offer_what_may_be_promised()

    def _offer_what_may_be_promised(self) -> None:
        times = self.fields["next_update_at"]
        assert isinstance(times, InMinutesField)
        times.draw_up_to(longest_promise(self.incident))


class HelpForm(ActForm):
    """Who should help: each choice is a button that asks them at once; words may go with it."""

    who = forms.CharField(max_length=160, error_messages={"required": _("Choose who should help.")})
    words = _words(_("What should they know?"), rows=2, required=False, limit=LONGEST_WORDS)

    @property
    def choices(self) -> list[Choice]:
        """Nothing before it is known who asks."""
        return choices(self.incident, by=self.by, now=timezone.now()) if self.by else []

    def visible_fields(self) -> list[forms.BoundField]:
        return [self["words"]]

    def clean_who(self) -> Person | Role | Vendor:
        try:
            return named(self.cleaned_data["who"])
        except Invalid as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


class ContainForm(ActForm):
    what = _words(
        _("What makes product move again?"), rows=2, limit=300, help_text=_("The bandage, in one sentence.")
    )
    expires_on = _day(_("Good until"), help_text=_("Empty: 7 days. A bandage always ends."))
    owner = PersonField(label=_("Who looks after it?"), required=False, help_text=_("Empty: you."))


class CloseForm(ActForm):
    """A proved fix needs nothing here; a small thing closes with its cause and somebody who agrees."""

    cause = _words(_("What was the cause?"), rows=2, required=False, limit=300)
    agreed_by = PersonField(
        label=_("Who agrees that nothing more is needed?"),
        required=False,
        help_text=_(
            "Only a workaround or a minor issue closes this way. Leave both empty when the fix is proved."
        ),
    )


class ReasonForm(ActForm):
    reason = _words(_("Why?"), rows=2, limit=300, help_text=_("Everybody sees it."))


SEVERITIES = [
    (Severity.S1, pgettext_lazy("severity", "1: product does not come out")),
    (Severity.S2, pgettext_lazy("severity", "2: product is at risk")),
    (Severity.S3, pgettext_lazy("severity", "3: runs on a workaround")),
    (Severity.S4, pgettext_lazy("severity", "4: stops nothing")),
]


class SeverityForm(ReasonForm):
    severity = forms.ChoiceField(
        label=_("How bad is it really?"),
        widget=forms.RadioSelect,
        choices=SEVERITIES,
    )
    field_order = ["seen_version", "severity", "reason"]

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._offer_another()

    def keep_after(self, refusal: Refused) -> None:
        super().keep_after(refusal)
        self._offer_another()

    def _offer_another(self) -> None:
        """Only what is drawn leaves out the one that it has: an older page is answered in words."""
        severity = self.fields["severity"]
        assert isinstance(severity, forms.ChoiceField)
        severity.widget.choices = [one for one in SEVERITIES if one[0] != self.incident.severity]

    def clean_severity(self) -> str:
        severity: str = self.cleaned_data["severity"]
        if severity == self.incident.severity:
            raise forms.ValidationError(_("It is that already."))
        return severity


class WaitForm(ActForm):
    on = forms.ChoiceField(
        label=_("What do we wait for?"), choices=WaitingOn.choices, widget=forms.RadioSelect
    )
    name = forms.CharField(label=_("Who or what exactly?"), max_length=80)
    until = WallTimeField(
        label=_("Promised for"), help_text=_("At that time we ask again. The alerts go on.")
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if self.incident.waiting_on:
            self.initial["on"] = self.incident.waiting_on
            self.initial["name"] = self.incident.waiting_name
            self.initial["until"] = self.incident.waiting_until


class ShelveForm(ReasonForm):
    until = InMinutesField(
        label=_("For how long?"),
        minutes=(30, 60, 120, 240, 480),
        help_text=_("8 hours at most. It ends by itself."),
    )
    field_order = ["seen_version", "until", "reason"]


class NoFixForm(ReasonForm):
    review_on = _day(_("Look at it again on"), required=True)
    field_order = ["seen_version", "reason", "review_on"]


class LineForm(ActForm):
    line = LineField(label=_("Which line?"), required=False)
    at = WallTimeField(label=_("Since when?"), required=False, help_text=_("Empty: now."))
