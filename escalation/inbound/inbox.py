"""What came in from outside, for who looks after it: the page and the API ask here."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from escalation.models import Did, Inbound
from opsdesk.errors import NotAllowed
from plant.models import Person, Role

UNCLEAR = (Did.NOT_UNDERSTOOD, Did.WHICH, Did.WHO, Did.UNKNOWN_SENDER, Did.REFUSED, Did.BROKEN)
"""What did not do what its sender wanted: somebody should look."""


def visible_to(person: Person) -> QuerySet[Inbound]:
    """What people of the reader's sites sent, and what nobody we know sent. Raises NotAllowed (403)."""
    if not (person.is_superuser or person.holds(Role.IT_MANAGER)):
        raise NotAllowed("wrong_role", _("Only an IT manager sees what came in."))
    found = Inbound.objects.select_related("person", "incident").order_by("-pk")
    if person.is_corporate:
        return found
    theirs = person.site_ids
    is_theirs = Q(incident__site__in=theirs) | Q(incident=None, person__site__in=theirs)
    return found.filter(is_theirs | Q(incident=None, person=None))


def asked_for(found: QuerySet[Inbound], *, channel: str = "", show: str = "") -> QuerySet[Inbound]:
    """Of one channel; `show="unclear"`: only what somebody should look at. A wrong channel finds nothing."""
    if channel:
        found = found.filter(channel=channel)
    return found.filter(did__in=UNCLEAR) if show == "unclear" else found
