"""The form of how a person is told."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from escalation.models import Weekday
from plant.lifecycle import Choices
from plant.lifecycle.contact import NORMAL, URGENT
from plant.models import Channel, Person

PLACES = 3
"""Ways that can be put in order."""

PLACE_LABELS = {"urgent": (_("By"), _("And by")), "normal": (_("First"), _("Then"))}
"""What is urgent goes by all of them at once; the rest by the first that works."""


def offered(known: tuple[Channel, ...]) -> list[tuple[str, str]]:
    """Of these the ways that exist here."""
    here = {*settings.CHANNELS, Channel.DIGEST.value}
    return [(one.value, str(one.label)) for one in known if one.value in here]


class WaysForm(forms.Form):
    """Channels in order, for what is urgent and for the rest, and working hours."""

    works_from = forms.TimeField(
        label=_("From"), required=False, widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    )
    works_until = forms.TimeField(
        label=_("Until"), required=False, widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    )
    works_days = forms.TypedMultipleChoiceField(
        label=_("On these days"),
        required=False,
        coerce=int,
        choices=Weekday.choices,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, known in (("urgent", URGENT), ("normal", NORMAL)):
            for place in range(PLACES):
                self.fields[f"{name}_{place}"] = forms.ChoiceField(
                    label=PLACE_LABELS[name][min(place, 1)],
                    required=False,
                    choices=[("", _("As the plant decides") if place == 0 else "–"), *offered(known)],
                )

    @classmethod
    def of(cls, person: Person) -> WaysForm:
        """Filled with what the person chose."""
        ways = {"urgent": person.urgent_channels, "normal": person.normal_channels}
        initial: dict[str, Any] = {
            f"{name}_{place}": channel
            for name, chosen in ways.items()
            for place, channel in enumerate(chosen)
        }
        hours = {name: getattr(person, name) for name in ("works_from", "works_until", "works_days")}
        return cls(initial={**initial, **hours})

    def urgent_fields(self) -> list[forms.BoundField]:
        return [self[f"urgent_{place}"] for place in range(PLACES)]

    def normal_fields(self) -> list[forms.BoundField]:
        return [self[f"normal_{place}"] for place in range(PLACES)]

    def choices(self) -> Choices:
        """What was chosen; the form is valid."""
        said = self.cleaned_data
        return Choices(
            urgent=self._ways("urgent"),
            normal=self._ways("normal"),
            works_from=said["works_from"],
            works_until=said["works_until"],
            works_days=said["works_days"],
        )

    def _ways(self, name: str) -> list[str]:
        given = (self.cleaned_data[f"{name}_{place}"] for place in range(PLACES))
        return [channel for channel in given if channel]


class AddressesForm(forms.Form):
    mobile = forms.CharField(
        label=_("Mobile"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    email = forms.CharField(
        label=_("Email"),
        required=False,
        max_length=254,
        widget=forms.TextInput(attrs={"type": "email", "autocomplete": "email", "autocapitalize": "none"}),
    )

    @classmethod
    def of(cls, person: Person) -> AddressesForm:
        return cls(initial={"mobile": person.mobile, "email": person.email})
