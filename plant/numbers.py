"""Telephone numbers as people write them, kept as the networks write them (E.164: +13135550101)."""

from __future__ import annotations

import phonenumbers
from django.utils.translation import gettext_lazy as _

from opsdesk.errors import Invalid
from plant.models import Person, SiteCalendar

COUNTRY = "US"
"""Whose numbers are meant without a country code where the plant's calendar names no country."""


def mobile_of(text: str, country: str = COUNTRY) -> str:
    """The number in E.164; empty for nothing. Raises Invalid for what can be no number.

    Spaces, dots, hyphens and brackets do not matter; without a + it is a number of that country.
    """
    given = text.strip()
    if not given:
        return ""
    try:
        number = phonenumbers.parse(given, country)
    except phonenumbers.NumberParseException:
        number = None
    possible = phonenumbers.ValidationResult.IS_POSSIBLE  # with its area code, not only within one town
    if number is None or phonenumbers.is_possible_number_with_reason(number) != possible:
        wrong = _("This is no telephone number. Write it like 313 555 0101, or with + and the country.")
        raise Invalid("no_number", wrong, {"mobile": [wrong]})
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def country_of(person: Person) -> str:
    """The country of the person's site, by the plant's calendar."""
    calendar = SiteCalendar.objects.filter(site=person.site_id).only("country").first()
    return (calendar.country if calendar else "") or COUNTRY
