"""Forms of the setup pages: lists written as words, and what goes wrong said in words."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.utils.translation import gettext_lazy as _

from opsdesk.errors import Invalid
from plant.lifecycle.contact import NORMAL
from plant.models import Area, Crew, Person, RoleAssignment, ShiftPattern, Site
from plant.models.shifts import refuse_bad_rotation
from plant.numbers import country_of, mobile_of

DAY_OFF = "-"


class WordsField(forms.CharField):
    """A list of words, kept as JSON and written with spaces or commas between them."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"size": 60}))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        return list(value) if isinstance(value, list) else re.split(r"[\s,]+", value.strip()) if value else []

    def prepare_value(self, value: Any) -> Any:
        return " ".join(value) if isinstance(value, list) else value


class RotationField(WordsField):
    """A shift code for each day of the cycle; a day off is written as a hyphen."""

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        return ["" if word == DAY_OFF else word for word in super().to_python(value)]

    def prepare_value(self, value: Any) -> Any:
        return (
            super().prepare_value([word or DAY_OFF for word in value]) if isinstance(value, list) else value
        )


class ChannelsField(WordsField):
    """Channels in order of preference."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        known = [way.value for way in NORMAL]
        unknown = [word for word in value if word not in known]
        if unknown:
            choices = {"word": unknown[0], "known": ", ".join(known)}
            raise ValidationError(_("%(word)s is not a way to tell people. Use: %(known)s."), params=choices)
        if len(set(value)) < len(value):
            raise ValidationError(_("Name each way once."))


class _PersonFields(forms.ModelForm):  # type: ignore[type-arg]
    urgent_channels = ChannelsField(
        label=_("Told about urgent things by"),
        required=False,
        help_text=_("In order of preference, such as: sms email. Empty: as the escalation policy says."),
    )
    normal_channels = ChannelsField(
        label=_("Told about other things by"),
        required=False,
        help_text=_("In order of preference, such as: email. Empty: as the escalation policy says."),
    )


class _TolerantMobile:
    """A number as people write it, kept as the networks write it."""

    cleaned_data: dict[str, Any]
    instance: Person

    def clean_mobile(self) -> str:
        try:
            return mobile_of(self.cleaned_data["mobile"] or "", country_of(self.instance))
        except Invalid as wrong:
            raise ValidationError(str(wrong)) from wrong


class PersonAddForm(_TolerantMobile, AdminUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = Person
        fields = ("username", "name", "site", "email", "mobile", "language")


class PersonChangeForm(_TolerantMobile, _PersonFields, UserChangeForm):  # type: ignore[type-arg]
    class Meta:
        model = Person
        fields = "__all__"  # noqa: DJ007 - the fieldsets of PersonAdmin choose


class RoleHeldForm(forms.ModelForm):  # type: ignore[type-arg]
    """A role is held for areas of one site, and given by somebody who works for that site themselves."""

    giver: ClassVar[Person | None] = None

    class Meta:
        model = RoleAssignment
        fields = ("role", "site", "areas")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        site: Site | None = cleaned.get("site")
        areas: list[Area] = list(cleaned.get("areas") or [])
        if self.has_changed() and self.giver and not self._is_theirs(self.giver, site):
            self.add_error("site", _("You give roles for your own sites. Choose one of them."))
        elsewhere = [area for area in areas if site is None or area.site_id != site.pk]
        if elsewhere:
            self.add_error("areas", _("%(area)s is not an area of this site.") % {"area": elsewhere[0]})
        return cleaned

    def _is_theirs(self, giver: Person, site: Site | None) -> bool:
        return giver.is_corporate or (site is not None and giver.sees_site(site))


class CrewForm(forms.ModelForm):  # type: ignore[type-arg]
    rotation = RotationField(
        label=_("Rotation"),
        help_text=_("A shift code for each day of the cycle, - for a day off: SH1 SH1 SH1 SH1 SH1 - -"),
    )

    class Meta:
        model = Crew
        fields = ("code", "name", "rotation")
        widgets: ClassVar = {name: forms.TextInput(attrs={"size": 10}) for name in ("code", "name")}


class CrewFormSet(BaseInlineFormSet[Crew, ShiftPattern, CrewForm]):
    """Crews are checked against the shifts on the same page, which may not be saved yet."""

    def clean(self) -> None:
        super().clean()
        codes = self._shift_codes()
        for form in self.forms:
            rotation = form.cleaned_data.get("rotation")
            if rotation and not form.cleaned_data.get("DELETE"):
                self._check(form, rotation, codes)

    def _check(self, form: CrewForm, rotation: list[str], codes: set[str]) -> None:
        try:
            refuse_bad_rotation(rotation, days=self.instance.cycle_days, codes=codes)
        except ValidationError as error:
            form.add_error(None, error)

    def _shift_codes(self) -> set[str]:
        kept = (
            (name, value)
            for name, value in self.data.items()
            if re.fullmatch(r"shifts-\d+-code", name)
            and f"{name.removesuffix('code')}DELETE" not in self.data
        )
        return {str(value).strip() for name, value in kept} - {""}
