"""The plan of a site's practices, as a form."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from escalation.models import DrillPlan
from incidents.models.terms import IMPACT_OF

HOW_BAD = [(severity.value, impact.label) for severity, impact in IMPACT_OF.items()]
"""A severity by its screen word."""


class DrillPlanForm(forms.ModelForm[DrillPlan]):
    severity = forms.ChoiceField(label=_("How bad it pretends to be"), choices=HOW_BAD)

    class Meta:
        model = DrillPlan
        fields = ("is_on", "weekday", "at", "severity")
        widgets = {"at": forms.TimeInput(attrs={"type": "time"}, format="%H:%M")}
        labels = {"is_on": _("Practise every week")}
