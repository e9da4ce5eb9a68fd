"""A room or a program, as a form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from escalation.models import Listener, ListenerKind
from escalation.webhooks.hears import ROOM_HEARS
from incidents.models import EventKind, Severity
from incidents.models.terms import IMPACT_OF
from plant.models import Area, Language, Role

HOW_BAD = [(severity, IMPACT_OF[severity].label) for severity in Severity]


class ListenerForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=60)
    address = forms.CharField(label=_("Address"), max_length=2000, widget=forms.TextInput)
    area = forms.ModelChoiceField(
        Area.objects.none(),
        label=_("Area"),
        required=False,
        to_field_name="code",
        empty_label=_("The whole site"),
    )
    severities = forms.MultipleChoiceField(
        label=_("How bad"),
        choices=HOW_BAD,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Nothing ticked: everything."),
    )
    kinds = forms.MultipleChoiceField(
        label=_("What it hears"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Nothing ticked: everything."),
    )
    roles = forms.MultipleChoiceField(
        label=_("Whose messages"),
        choices=Role.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Only what these are told, and how it goes on. Nothing ticked: everybody’s."),
    )
    language = forms.ChoiceField(label=_("Language"), choices=Language.choices, widget=forms.RadioSelect)

    def __init__(self, data: Any = None, *, kind: str, areas: Any, kept: Listener | None = None) -> None:
        initial = {"language": Language.EN.value}
        if kept is not None:
            code = kept.area.code if kept.area else ""
            initial |= {"name": kept.name, "area": code, "language": kept.language}
            initial |= {"severities": kept.severities, "kinds": kept.kinds, "roles": kept.roles}
        super().__init__(data, initial=initial)
        is_room = kind == ListenerKind.CHAT
        shown = ROOM_HEARS if is_room else tuple(EventKind)
        self.fields["kinds"].choices = [(one.value, one.label) for one in shown]  # type: ignore[attr-defined]
        self.fields["area"].queryset = areas  # type: ignore[attr-defined]
        self.fields["address"].help_text = (
            _("As Apprise writes it, such as slack://… or msteams://… – whoever has it can post there.")
            if is_room
            else _("Where the JSON is posted to, with https:// or, inside the plant, http://.")
        )
        if kept is not None:
            self.fields["address"].required = False
            self.fields["address"].help_text = _("It is kept and not shown. Fill in only to change it.")
        if not is_room:
            del self.fields["language"]
