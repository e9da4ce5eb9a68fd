"""Forms of the sign-in page and of a person's own settings."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import PasswordChangeForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from plant.models import Language, Person
from plant.throttle import Brake, address_of

GUESSES = Brake("login", tries=10, seconds=300)
"""Ten wrong passwords in five minutes for one name from one address; then it waits."""


class SignInForm(forms.Form):
    """Email or user name, and password."""

    username = forms.CharField(
        label=_("Email or user name"),
        max_length=254,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.request = request
        self._person: Person | None = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        name, password = cleaned.get("username"), cleaned.get("password")
        if not name or not password:
            return cleaned
        key = f"{name.casefold()}:{address_of(self.request) if self.request else ''}"
        if not GUESSES.allows(key):
            raise forms.ValidationError(
                _("Too many wrong passwords. Wait five minutes, or ask IT."), code="too_many"
            )
        person = authenticate(self.request, username=_username(name), password=password)
        if not isinstance(person, Person):
            raise forms.ValidationError(_("That name and password do not go together."), code="wrong")
        GUESSES.release(key)
        self._person = person
        return cleaned

    def get_user(self) -> Person | None:
        return self._person


def _username(name: str) -> str:
    """The login name for an email address; a name that is not an address is the login name."""
    if "@" not in name:
        return name
    person = Person.objects.active().filter(email__iexact=name).order_by("pk").first()
    return person.username if person else name


class LanguageForm(forms.Form):
    language = forms.ChoiceField(label=_("Language"), choices=Language.choices)


class ThemeForm(forms.Form):
    theme = forms.ChoiceField(
        label=_("Light or dark"),
        required=False,
        choices=[("", _("As this device")), ("light", _("Light")), ("dark", _("Dark"))],
    )


class NewPasswordForm(PasswordChangeForm):
    """Django's own, in plain words."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = _("Password until now")
        self.fields["new_password1"].label = _("New password")
        self.fields["new_password1"].help_text = _(
            "At least 10 characters, not only digits, not a common word."
        )
        self.fields["new_password2"].label = _("New password again")
        self.fields["new_password2"].help_text = ""
        self.fields["old_password"].widget.attrs.pop("autofocus", None)
