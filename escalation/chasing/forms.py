"""When people are asked about promises, as a form: shape only."""

from __future__ import annotations

from django import forms

from escalation.chasing.schedule import FIELDS
from escalation.models import ChaseRule


class ScheduleForm(forms.ModelForm[ChaseRule]):
    class Meta:
        model = ChaseRule
        fields = FIELDS
        widgets = {name: forms.NumberInput(attrs={"inputmode": "numeric"}) for name in FIELDS}

    def _post_clean(self) -> None:
        """The order of the hours is a rule, and kept where every way in comes by."""
