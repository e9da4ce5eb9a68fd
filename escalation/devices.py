"""Signing a phone or tablet up for pushes, and off again; and who has one."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Iterable
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from escalation.models import PushDevice
from opsdesk.errors import Invalid, Missing
from plant.models import Person

MOST = 5
"""Devices of one person: each is tried in turn, and all of them fit into the time of one send."""

NAME_LENGTH = 60


@transaction.atomic
def subscribe(
    *, by: Person, endpoint: str, p256dh: str, auth: str, name: str = "", now: datetime | None = None
) -> PushDevice:
    """This browser shows the person's messages from now on. Repeating it is harmless.

    A browser that showed somebody else's shows theirs no more; of too many devices the oldest goes.
    """
    _refuse_unless_push_service(endpoint)
    _refuse_unless_keys(p256dh, auth)
    now = now or timezone.now()
    Person.objects.select_for_update().get(pk=by.pk)
    device, _is_new = PushDevice.objects.update_or_create(
        endpoint=endpoint,
        defaults={"person": by, "p256dh": p256dh, "auth": auth, "name": _name(name)},
        create_defaults={
            "person": by,
            "p256dh": p256dh,
            "auth": auth,
            "name": _name(name),
            "created_at": now,
        },
    )
    too_many = PushDevice.objects.filter(person=by).exclude(pk=device.pk)[MOST - 1 :]
    PushDevice.objects.filter(pk__in=[one.pk for one in too_many]).delete()
    return device


def unsubscribe(*, by: Person, endpoint: str) -> None:
    """This browser shows no more messages. Not being signed up is as well."""
    PushDevice.objects.filter(person=by, endpoint=endpoint).delete()


def remove(pk: int, *, by: Person) -> None:
    """Take one of the person's devices off the list, from wherever they are. Raises Missing (404)."""
    gone, _by_model = PushDevice.objects.filter(person=by, pk=pk).delete()
    if not gone:
        raise Missing("unknown_device", _("There is no such device any more."))


def with_device(ids: Iterable[int]) -> frozenset[int]:
    """Which of these persons have a device. One query; none for nobody."""
    wanted = list(ids)
    if not wanted:
        return frozenset()
    return frozenset(PushDevice.objects.filter(person__in=wanted).values_list("person_id", flat=True))


def _name(given: str) -> str:
    return " ".join(given.split())[:NAME_LENGTH] or _("This device")


def _refuse_unless_push_service(endpoint: str) -> None:
    """We call this address: only the services of browsers, never just any machine of the plant."""
    try:
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    known = any(host == one or (one.startswith(".") and host.endswith(one)) for one in settings.PUSH_HOSTS)
    if not known or not (parts.scheme == "https" or _is_loopback(host)) or len(endpoint) > 1000:
        raise Invalid("unknown_push_service", _("This browser’s push service is not known here. Ask IT."))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse_unless_keys(p256dh: str, auth: str) -> None:
    """A point of the P-256 curve, uncompressed, and 16 secret bytes (RFC 8291)."""
    try:
        point, secret = (urlsafe_b64decode(one + "=" * (-len(one) % 4)) for one in (p256dh, auth))
    except (binascii.Error, ValueError):
        point = secret = b""
    if len(point) != 65 or point[0] != 4 or len(secret) != 16:
        raise Invalid("bad_push_keys", _("The browser did not give the keys that a push needs. Try again."))
