"""Providers of mail that call us: django-anymail checks who calls, and hands over what came."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from anymail.signals import inbound, tracking  # type: ignore[import-untyped]
from django.dispatch import receiver
from django.utils import timezone

from escalation.channels.mail_token import found_in
from escalation.inbound import bounces
from escalation.inbound.mail import take_mail
from escalation.models import Delivery
from plant.models import Channel

GONE = frozenset({"bounced", "rejected", "failed"})
LOOKS_BACK = timedelta(days=5)
"""How long mail servers try before they give a message up (RFC 5321 §4.5.4.1)."""


@receiver(inbound, dispatch_uid="escalation.mail_came_in")
def mail_came_in(sender: Any, event: Any, esp_name: str, **more: Any) -> None:
    take_mail(raw=event.message.as_bytes(), provider=esp_name)


@receiver(tracking, dispatch_uid="escalation.mail_came_back")
def mail_came_back(sender: Any, event: Any, esp_name: str, **more: Any) -> None:
    """The provider could not deliver: by our id where it repeats it, else the newest to that address."""
    if event.event_type not in GONE:
        return
    delivery_id = found_in(f"<{str(event.message_id or '').strip('<>')}") or _newest_to(event.recipient or "")
    reason = event.description or event.mta_response or event.reject_reason or event.event_type
    if delivery_id:
        bounces.came_back(delivery_id, str(reason), now=timezone.now())


def _newest_to(address: str) -> int | None:
    since = timezone.now() - LOOKS_BACK
    sent = Delivery.objects.filter(channel=Channel.EMAIL, address__iexact=address, sent_at__gt=since)
    newest = sent.filter(state__in=bounces.WENT).order_by("-sent_at").first()
    return newest.pk if newest else None
