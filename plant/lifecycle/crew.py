"""Who works with which crew, from which day on."""

from __future__ import annotations

from datetime import date

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from opsdesk.errors import Invalid, Refused
from plant.models import Crew, Person, Roster
from plant.permissions import refuse_roster_change
from plant.rotation import ONE_DAY


@transaction.atomic
def put_into_crew(
    person: Person, *, by: Person, crew: Crew, first_day: date, last_day: date | None = None
) -> Roster:
    """The person works with the crew from a day on; an open roster before it ends the day before.

    Raises Refused when they are on another roster in that time. The same again changes nothing.
    """
    refuse_roster_change(by, of=person)
    if last_day and last_day < first_day:
        raise Invalid("ends_before_it_starts", _("The last day is before the first day."))
    list(Person.objects.filter(pk=person.pk).select_for_update(no_key=True).values_list("pk"))
    rosters = Roster.objects.filter(person=person).select_related("crew")
    known = rosters.filter(crew=crew, first_day=first_day).first()
    if known and known.last_day == last_day:
        return known
    _end_the_one_before(rosters.filter(first_day__lt=first_day, last_day=None), by, first_day)
    overlapping = rosters.filter(Q(last_day=None) | Q(last_day__gte=first_day))
    if known:
        overlapping = overlapping.exclude(pk=known.pk)
    if last_day:
        overlapping = overlapping.filter(first_day__lte=last_day)
    if other := overlapping.first():
        raise Refused(
            "on_another_roster",
            _("%(name)s is in %(crew)s in that time, from %(day)s on. Change that first.")
            % {"name": person, "crew": other.crew, "day": other.first_day.isoformat()},
        )
    roster = known or Roster(person=person, crew=crew, first_day=first_day)
    roster.last_day = last_day
    roster.save()
    LogEntry.objects.log_actions(by.pk, [roster], CHANGE if known else ADDITION, "", single_object=True)
    return roster


def _end_the_one_before(rosters: QuerySet[Roster], by: Person, first_day: date) -> None:
    for roster in rosters:
        roster.last_day = first_day - ONE_DAY
        roster.save(update_fields=["last_day"])
        LogEntry.objects.log_actions(by.pk, [roster], CHANGE, "", single_object=True)
