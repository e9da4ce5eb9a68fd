"""Where an SMS gateway tells us how far a text got. Signed by the account, or refused."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from escalation.channels.twilio import Status, account_signed
from escalation.outbox import receipts


@csrf_exempt
@require_POST
def twilio_status(request: HttpRequest) -> HttpResponse:
    """A receipt. Answered 204 whether or not we know the message; repeating it changes nothing."""
    if account_signed(request) is None:
        return HttpResponse(status=403)
    reference = request.POST.get("MessageSid") or request.POST.get("SmsSid") or ""
    said = (request.POST.get("MessageStatus") or request.POST.get("SmsStatus") or "").lower()
    code = request.POST.get("ErrorCode", "")
    number = int(code) if code.isascii() and code.isdigit() and len(code) < 9 else 0
    if reference:
        receipts.record(Status(reference[:120], said, number), timezone.now())
    return HttpResponse(status=204)
