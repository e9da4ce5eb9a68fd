"""Forms of the plant's calendar: they check shape only."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from holidays import list_supported_countries

from plant.countries import choices_of
from plant.models import Area, EntryKind, Site
from plant.roster_forms import WallTimeField

DAYS = [
    (0, _("Monday")),
    (1, _("Tuesday")),
    (2, _("Wednesday")),
    (3, _("Thursday")),
    (4, _("Friday")),
    (5, _("Saturday")),
    (6, _("Sunday")),
]


class EntryForm(forms.Form):
    """What stands still or works, from when until when, and where."""

    kind = forms.ChoiceField(label=_("What"), choices=EntryKind.choices)
    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("What everybody calls it, such as Summer shutdown.")
    )
    starts_at = WallTimeField(label=_("From"))
    ends_at = WallTimeField(label=_("Until"))
    areas = forms.ModelMultipleChoiceField(
        label=_("Areas"),
        queryset=Area.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: the whole site."),
    )

    def __init__(self, *args: Any, site: Site, **kwargs: Any):
        super().__init__(*args, **kwargs)
        field = self.fields["areas"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        field.queryset = site.areas.order_by("name")


class CalendarForm(forms.Form):
    """Public holidays and weekend of a site. Holidays worked come from boxes beside their names."""

    country = forms.ChoiceField(label=_("Country"), required=False)
    subdivision = forms.CharField(
        label=_("State or region"), max_length=8, required=False, help_text=_("Its short form, such as MI.")
    )
    weekend = forms.TypedMultipleChoiceField(
        label=_("Weekend"),
        coerce=int,
        choices=DAYS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Only for areas without a shift pattern; elsewhere the rotation says when people work."),
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        field = self.fields["country"]
        assert isinstance(field, forms.ChoiceField)
        codes = [code for code in list_supported_countries() if len(code) == 2]
        field.choices = [("", _("No public holidays")), *choices_of(codes)]

    def clean_subdivision(self) -> str:
        return str(self.cleaned_data["subdivision"]).strip().upper()
