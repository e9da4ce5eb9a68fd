"""Forms for countermeasures and causes: they check shape only, the lifecycle keeps the rules."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from countermeasures.lifecycle.bandages import latest_end
from countermeasures.models import Countermeasure, Kind, Strength
from countermeasures.promises.ledger import Carried, carried_by
from countermeasures.promises.models import InTheWay
from countermeasures.wording import unit_words
from incidents.forms import ActForm, PersonField
from incidents.photos import PhotoField
from plant.models import Person
from plant.wording import day_words


class DayInput(forms.DateInput):
    """A day, picked on a tablet without typing."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


def _words(
    label: Any, *, rows: int = 3, required: bool = True, limit: int = 300, help_text: Any = ""
) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=limit,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


def _day(label: Any, *, required: bool = False, help_text: Any = "") -> forms.DateField:
    return forms.DateField(label=label, required=required, help_text=help_text, widget=DayInput())


class PromiserField(PersonField):
    """Who is asked to promise something, with what they have promised already. One query for all names."""

    carried: dict[int, Carried] | None = None

    def label_from_instance(self, obj: Person) -> str:
        if self.carried is None:
            people = self.queryset.values_list("pk", flat=True) if self.queryset is not None else ()
            self.carried = carried_by(people, timezone.now())
        one = self.carried.get(obj.pk)
        name = super().label_from_instance(obj)
        if one is None:
            return name
        load = _("%(open)s open, %(soon)s in two weeks") % {"open": one.open, "soon": one.two_weeks}
        return f"{name} · {load}"


class AddForm(ActForm):
    kind = forms.ChoiceField(label=_("What is it for"), choices=Kind.choices, widget=forms.RadioSelect)
    what = _words(_("What we do"), rows=2)
    owner = PromiserField(label=_("Who does it"), required=False)
    due_on = _day(_("By which day"))
    strength = forms.ChoiceField(
        label=_("How much it relies on people"),
        required=False,
        choices=[("", _("Not said yet")), *Strength.choices],
        help_text=_("Line down, at risk and repeats need something that stops the problem by itself."),
    )
    expires_on = _day(_("Good until"), help_text=_("For a bandage that keeps product moving. Empty: 7 days."))


class StartForm(ActForm):
    owner = PromiserField(label=_("Who does it"))
    due_on = _day(_("By which day"), required=True)


class NewDateForm(StartForm):
    """Another day than the promised one: with its reason, and from the short list what is in the way."""

    reason = _words(_("Why"), rows=2, required=False, help_text=_("Needed when the day changes."))
    in_the_way = forms.ChoiceField(
        label=_("What is in the way"), required=False, choices=[("", _("Nothing")), *InTheWay.choices]
    )


class PlanCheckForm(ActForm):
    metric = forms.CharField(label=_("What we measure"), max_length=200)
    baseline = forms.CharField(label=_("How it was before"), max_length=120, required=False)
    target = forms.CharField(label=_("What we want to see"), max_length=120)
    window_days = forms.IntegerField(label=_("Days it must hold"), min_value=1, max_value=730, required=False)
    window_exposure = forms.IntegerField(
        label=_("Times it must hold"), min_value=1, max_value=1_000_000, required=False
    )
    exposure_unit = forms.CharField(
        label=_("Times of what"),
        max_length=60,
        required=False,
        help_text=_(
            "Empty: shift starts, counted by themselves. Anything else, like trucks, is counted by hand."
        ),
    )
    checker = PersonField(label=_("Who checks it"), help_text=_("Never the owner."))


class CheckerForm(ActForm):
    checker = PersonField(label=_("Who checks it"), help_text=_("Never the owner, nor who put it in place."))


class OwnerForm(ActForm):
    owner = PersonField(label=_("Who looks after it?"))


class StrengthForm(ActForm):
    strength = forms.ChoiceField(
        label=_("How much it relies on people"), choices=Strength.choices, widget=forms.RadioSelect
    )


class EvidenceForm(ActForm):
    evidence = _words(_("How one can see that it is in place"), limit=2000)
    photo = PhotoField(label=_("Photo"), required=False)


class CheckForm(ActForm):
    measured = _words(_("What you measured"))
    effective = forms.TypedChoiceField(
        label=_("Does it hold?"),
        choices=[("yes", _("Yes, it holds")), ("no", _("No, it did not hold"))],
        coerce=lambda said: said == "yes",
        widget=forms.RadioSelect,
    )


class MeasureForm(ActForm):
    """The number first and the rest optional: one tap more than typing it."""

    value = forms.DecimalField(
        label=_("The number"),
        max_digits=12,
        decimal_places=3,
        required=False,
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "any", "autofocus": True}),
    )
    unit = forms.CharField(label=_("Of what"), max_length=30, required=False)
    times = forms.IntegerField(
        label=_("Times tried since the last one"), min_value=0, max_value=1_000_000, required=False
    )
    note = _words(_("What you saw"), rows=2, required=False)


class ExtendForm(ActForm):
    expires_on = _day(_("Good until"), required=True)
    reason = _words(_("Why"), rows=2)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        latest = day_words(latest_end(self.incident), weekday=False)
        self.fields["expires_on"].help_text = _("Until %(day)s at the latest.") % {"day": latest}


class ReasonForm(ActForm):
    reason = _words(_("Why"), rows=2)


class NothingMoreForm(ActForm):
    """Only the version: pressing the button says it all."""


WHYS = 7
"""Whys that fit on the screen; five is the custom, not a limit."""

SOUNDS_LIKE_A_PERSON = re.compile(
    r"\b(human error|operator error|forgot|forgotten|careless|inattenti\w*|not trained|untrained"
    r"|lack of training"
    r"|did not follow|didn[’']t follow|error humano|olvid\w+|descuid\w*|distra\w+|falta de capacitaci\w+"
    r"|no sigui\w+)\b",
    re.IGNORECASE,
)
"""Causes that end at somebody. A hint only: it asks a question, and "no" is an answer."""


class CauseForm(ActForm):
    """A chain of whys, the system's part when a person is the cause, and the two causes it leads to."""

    is_person = forms.TypedChoiceField(
        label=_("Is a person the cause?"),
        choices=[("no", _("No")), ("yes", _("Yes"))],
        coerce=lambda said: said == "yes",
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
        help_text=_("Nobody is blamed here. A person can do again what the system makes easy to get wrong."),
    )
    made_easy = _words(_("What made it easy to get wrong?"), rows=2, limit=1000, required=False)
    would_stop = _words(_("What would have stopped it?"), rows=2, limit=1000, required=False)
    root_cause = _words(_("Why it happened"), limit=4000)
    escape_cause = _words(
        _("Why nothing caught it"), limit=4000, required=False, help_text=_("You can add this later.")
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        written = list((self.initial or {}).get("five_whys", ()))
        for n in range(WHYS):
            self.fields[f"why_{n + 1}"] = forms.CharField(
                label=_("Why?"),
                required=False,
                max_length=500,
                initial=written[n] if n < len(written) else "",
                widget=forms.Textarea(attrs={"rows": 1}),
            )

    @property
    def whys(self) -> list[forms.BoundField]:
        return [self[f"why_{n + 1}"] for n in range(WHYS)]

    def clean(self) -> dict[str, Any]:
        said = dict(super().clean() or self.cleaned_data)
        whys = [said.pop(f"why_{n + 1}", "").strip() for n in range(WHYS)]
        said["five_whys"] = [why for why in whys if why]
        words = " ".join([*said["five_whys"], said.get("root_cause", ""), said.get("escape_cause", "")])
        if said.get("is_person") is None and SOUNDS_LIKE_A_PERSON.search(words):
            self.add_error("is_person", _("This sounds like a person. Then ask for the system’s part in it."))
        return said


PREFILLED = (
    "due_on",
    "expires_on",
    "metric",
    "baseline",
    "target",
    "window_days",
    "window_exposure",
    "strength",
    "evidence",
)


def prefilled(found: Countermeasure) -> dict[str, Any]:
    """What the screen knows already about a countermeasure, for the fields of any of its forms."""
    known: dict[str, Any] = {name: getattr(found, name) for name in PREFILLED}
    known["exposure_unit"] = found.exposure_unit and unit_words(found.exposure_unit)
    return known | {"owner": found.owner_id, "checker": found.checker_id}
