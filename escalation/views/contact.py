"""How a person is told: number and address with their proof, channels by urgency, hours, and a test of each.

The same page for oneself (`/profile/reach/`) and, for an IT manager, for somebody else
(`/setup/people/<username>/reach/`): they start a proof and a test, the code is entered by whoever got it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from escalation.contact import proving
from escalation.contact.forms import AddressesForm, WaysForm
from escalation.models import Delivery, Notification, Reason
from opsdesk.errors import Invalid, Missing, Refused
from opsdesk.htmx import form_of, show
from plant.lifecycle import change_addresses, choose_ways
from plant.lifecycle.contact import VERIFIED
from plant.models import Channel, Person
from plant.permissions import refuse_contact
from plant.throttle import Brake

CODES = Brake("contact-code", tries=20, seconds=3600)
"""Codes typed by one person, over all the codes they were sent: each counts its own wrong ones too."""

TEMPLATE = "escalation/contact.html"


@dataclass(frozen=True, slots=True)
class Way:
    """One channel of a person, and what is known about it. `asked` waits for a code or a press."""

    channel: Channel
    address: str
    verified_at: datetime | None
    can_verify: bool
    asked: Notification | None
    test: Notification | None

    @property
    def sent(self) -> Delivery | None:
        """The delivery of the last test."""
        return next(iter(self.test.deliveries.all()), None) if self.test else None


def ways_of(person: Person, now: datetime) -> list[Way]:
    """Each channel that exists here: two queries for each, and two more for what was sent."""
    return [_way(person, Channel(channel), now) for channel in settings.CHANNELS]


def _way(person: Person, channel: Channel, now: datetime) -> Way:
    field = VERIFIED.get(channel)
    verified_at = getattr(person, f"{field}_verified_at") if field else None
    asked = proving.newest(person, channel, Reason.VERIFY) if field and verified_at is None else None
    tested = proving.newest(person, channel, Reason.TEST)
    address = proving.reached_at(person, channel)
    is_shown = tested and now - tested.created_at <= proving.TEST_LASTS and _went_to(tested, address)
    return Way(
        channel=channel,
        address=address,
        verified_at=verified_at,
        can_verify=field is not None,
        asked=asked if proving.is_waiting(asked, now) and _went_to(asked, address) else None,
        test=tested if is_shown else None,
    )


def _went_to(sent: Notification | None, address: str) -> bool:
    """Whether it went where it would go now: what reached the number before says nothing of the new one."""
    return sent is not None and any(one.address == address for one in sent.deliveries.all())


def _whose(request: HttpRequest, username: str) -> tuple[Person, Person]:
    """Who asks, and whose page it is."""
    by = request.user
    assert isinstance(by, Person)  # behind login_required
    if not username or username == by.username:
        return by, by
    person = Person.objects.active().filter(username=username).with_roles().first()
    if person is None:
        raise Missing("unknown_person", _("There is nobody with this name."))
    refuse_contact(by, person)
    return by, person


def _address(person: Person, by: Person) -> str:
    return reverse("contact") if person == by else reverse("contact-of", args=[person.username])


def _page_of(request: HttpRequest, *, username: str = "", channel: str = "") -> str:
    by, person = _whose(request, username)
    return _address(person, by)


@login_required
@require_safe
def contact(request: HttpRequest, username: str = "") -> HttpResponse:
    by, person = _whose(request, username)
    return _page(request, by, person)


def _page(
    request: HttpRequest,
    by: Person,
    person: Person,
    *,
    ways_form: WaysForm | None = None,
    addresses_form: AddressesForm | None = None,
    refusal: Refused | None = None,
) -> HttpResponse:
    now = timezone.now()
    ways = ways_of(person, now)
    context: dict[str, Any] = {
        "person": person,
        "is_mine": person == by,
        "here": _address(person, by),
        "ways": ways,
        "ways_form": ways_form or WaysForm.of(person),
        "addresses_form": addresses_form or AddressesForm.of(person),
        "now": now,
    }
    with timezone.override(person.site.tz if person.site else None):
        return show(request, TEMPLATE, context, fragments=("ways",), refusal=refusal)


@login_required
@form_of(_page_of)
def choices(request: HttpRequest, username: str = "") -> HttpResponseBase:
    """Channels by urgency and working hours."""
    by, person = _whose(request, username)
    form = WaysForm(request.POST)
    if not form.is_valid():
        return _page(request, by, person, ways_form=form, refusal=_look_again())
    try:
        choose_ways(person, form.choices(), by=by)
    except Refused as refusal:
        return _page(request, by, person, ways_form=form, refusal=refusal)
    messages.success(request, _("Kept. It counts from the next message on."))
    return redirect(_address(person, by))


@login_required
@form_of(_page_of)
def addresses(request: HttpRequest, username: str = "") -> HttpResponseBase:
    by, person = _whose(request, username)
    form = AddressesForm(request.POST)
    if not form.is_valid():
        return _page(request, by, person, addresses_form=form, refusal=_look_again())
    said = form.cleaned_data
    try:
        change_addresses(person, mobile=said["mobile"], email=said["email"], by=by)
    except Refused as refusal:
        _point_at(form, refusal)
        return _page(request, by, person, addresses_form=form, refusal=refusal)
    messages.success(request, _("Kept. What is new still has to be verified."))
    return redirect(_address(person, by))


def _look_again() -> Invalid:
    return Invalid("invalid", _("Something is missing. Look at the fields that are marked."))


def _point_at(form: forms.Form, refusal: Refused) -> None:
    for name, texts in (refusal.fields or {}).items():
        if name in form.fields:
            form.add_error(name, [str(text) for text in texts])


@login_required
@form_of(_page_of)
def verify(request: HttpRequest, channel: str, username: str = "") -> HttpResponseBase:
    return _send(request, channel, username, proving.start)


@login_required
@form_of(_page_of)
def try_out(request: HttpRequest, channel: str, username: str = "") -> HttpResponseBase:
    return _send(request, channel, username, proving.send_test)


def _send(
    request: HttpRequest, channel: str, username: str, send: Callable[..., Notification]
) -> HttpResponseBase:
    by, person = _whose(request, username)
    if channel not in settings.CHANNELS:
        raise Missing("unknown_channel", _("There is no such way here."))
    try:
        send(person, channel, by=by)
    except Refused as refusal:
        return _page(request, by, person, refusal=refusal)
    return redirect(_address(person, by))


@login_required
@form_of(_page_of)
def code(request: HttpRequest) -> HttpResponseBase:
    """The code that was texted, typed by the person themselves."""
    by, person = _whose(request, "")
    if not CODES.allows(str(person.pk)):
        refusal = Refused("too_many", _("Too many tries. Wait an hour, or ask IT."), status=429)
        return _page(request, by, person, refusal=refusal)
    try:
        proving.confirm_code(person, request.POST.get("code", ""), by=by)
    except Refused as refusal:
        return _page(request, by, person, refusal=refusal)
    messages.success(request, _("Your number is verified."))
    return redirect("contact")
