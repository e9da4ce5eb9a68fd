"""A question about a promise, in neutral words: what it is, by when, and what is wanted of the reader."""

from __future__ import annotations

from datetime import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from countermeasures.models import Promise
from countermeasures.promises.models import PromiseKind
from escalation.gsm7 import Flexible, cut
from escalation.messages.notices.notice import Notice
from escalation.models import Notification
from plant.wording import moment


def words(notification: Notification, now: datetime) -> Notice:
    promise = Promise.objects.with_people().get(pk=notification.data["promise"])
    is_own = notification.data["ask"] == "owner"
    opening, question = _own(notification, promise) if is_own else _of_others(promise)
    day = day_of(promise, now)
    note = notification.data["instead_of"]
    instead = _("You stand in for %(name)s.") % {"name": note} if note else ""
    return Notice(
        subject=f"{opening} {promise.what}, {day}"[:180],
        sms=[
            opening,
            cut(promise.what, (2, 60), (3, 44), (5, 30), (6, 20)),
            f"{day}.",
            Flexible((instead, ""), (1,)),
            Flexible((question, ""), (7,)),
        ],
        lines=list(filter(None, [f"{opening} {promise.what}, {day}.", instead, question])),
        path=f"/p/{notification.token}",
        label=_("Open the promise"),
        why=_("OpsDesk asks before and after each date, so that nobody has to."),
    )


def day_of(promise: Promise, now: datetime) -> str:
    """ "Fri 7 Nov", or the time for what was promised to the minute."""
    if promise.due_on is not None:
        return date_format(promise.due_on, "D j M")
    return moment(promise.due_at, now)


def _own(notification: Notification, promise: Promise) -> tuple[str, str]:
    name = notification.person.get_short_name()
    if promise.kind == PromiseKind.BANDAGE:
        if notification.data["is_ahead"]:
            return _("The bandage ends soon:"), _("Take it off, or ask a manager for more time.")
        return _("The bandage has ended:"), _("%(name)s, is it off, or what is in the way?") % {"name": name}
    if notification.data["is_ahead"]:
        opening = {
            PromiseKind.CHECK: _("You check soon whether this holds:"),
            PromiseKind.REVIEW: _("You look at this again soon:"),
        }.get(PromiseKind(promise.kind), _("You promised:"))
        return opening, _("%(name)s, is the date safe? If not, agree a new one.") % {"name": name}
    return _("Your promise has passed:"), _("%(name)s, what is in the way, and what date is safe?") % {
        "name": name
    }


def _of_others(promise: Promise) -> tuple[str, str]:
    """To the lead and the managers: the name, a fact, and what to do."""
    name = {"name": promise.person.name}
    if promise.kind == PromiseKind.BANDAGE:
        return _("A bandage has ended:"), _("%(name)s has it. Take it off or let it stay longer.") % name
    if promise.slipped:
        return _("%(name)s’s date has passed for the second time:") % name, _("Agree a new date.")
    return _("%(name)s’s date has passed:") % name, _("Agree a new date.")
