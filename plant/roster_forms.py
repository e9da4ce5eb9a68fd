"""Forms of the roster: they check shape only, the lifecycle keeps the rules."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from plant.models import CoverKind, Person
from plant.rotation import instant

FIRST_YEAR, LAST_YEAR = 2000, 2200
"""What lies outside is a slip of the finger, and beyond some years Python cannot change time zones."""


class WallTimeField(forms.Field):
    """A day and a time by the plant's clock; the first of two in autumn, the jump itself in spring."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "60"}, format="%Y-%m-%dT%H:%M")
        super().__init__(widget=widget, **kwargs)

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            wall = value if isinstance(value, datetime) else parse_datetime(str(value).strip())
        except ValueError:
            wall = None
        if wall is None or wall.tzinfo is not None or not FIRST_YEAR <= wall.year <= LAST_YEAR:
            raise ValidationError(_("Give a day and a time, like 2026-06-03 22:00."), code="invalid")
        return instant(wall.date(), wall.time(), timezone.get_current_timezone())

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, datetime) and timezone.is_aware(value):
            return timezone.localtime(value).replace(tzinfo=None)
        return value


class CoverForm(forms.Form):
    """Who is away, from when until when, who stands in, and why."""

    absent = forms.ModelChoiceField(
        label=_("Who is away"), queryset=Person.objects.none(), empty_label=_("Choose a name")
    )
    starts_at = WallTimeField(label=_("From"))
    ends_at = WallTimeField(label=_("Until"))
    stand_in = forms.ModelChoiceField(
        label=_("Who stands in"),
        queryset=Person.objects.none(),
        required=False,
        empty_label=_("Nobody"),
        help_text=_("They answer for all roles of who is away, in that time."),
    )
    kind = forms.ChoiceField(label=_("Why"), choices=CoverKind.choices)
    note = forms.CharField(label=_("Note"), max_length=200, required=False)

    def __init__(self, *args: Any, people: QuerySet[Person], fixed: Person | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name in ("absent", "stand_in"):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = people
        if fixed:
            del self.fields["absent"]


class SwapChoiceForm(forms.Form):
    """Whose shifts are swapped."""

    first = forms.ModelChoiceField(
        label=_("Who"), queryset=Person.objects.none(), empty_label=_("Choose a name")
    )
    second = forms.ModelChoiceField(
        label=_("Swaps with"), queryset=Person.objects.none(), empty_label=_("Choose a name")
    )

    def __init__(self, *args: Any, people: QuerySet[Person], **kwargs: Any):
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = people

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("first") and cleaned.get("first") == cleaned.get("second"):
            self.add_error("second", _("Choose somebody else."))
        return cleaned


class SwapForm(forms.Form):
    """Which two shifts: each is named by the moment it starts."""

    first_shift = forms.ChoiceField(widget=forms.RadioSelect)
    second_shift = forms.ChoiceField(widget=forms.RadioSelect)
    note = forms.CharField(label=_("Note"), max_length=200, required=False)

    def __init__(
        self,
        *args: Any,
        first: list[tuple[str, str]],
        second: list[tuple[str, str]],
        names: tuple[str, str],
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        for name, choices, person in (("first_shift", first, names[0]), ("second_shift", second, names[1])):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices
            field.label = _("Shift of %(name)s") % {"name": person}
