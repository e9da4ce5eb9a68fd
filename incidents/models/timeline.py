"""Everything said about and done to an incident. Events are append-only: a trigger refuses the rest."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from incidents.models.incident import Incident
from plant.models import Line, Person
from plant.models.labels import label_of


class EventKind(models.TextChoices):
    RAISED = "raised", _("Raised")
    WORDS_ADDED = "words_added", _("Words added")
    PHOTO_ADDED = "photo_added", _("Photo added")
    ACKNOWLEDGED = "acknowledged", _("Picked up")
    ASSIGNED = "assigned", _("Asked to take it")
    ARRIVED = "arrived", _("Arrived at the station")
    UPDATED = "updated", _("Said what is new")
    CONTAINED = "contained", _("Product moving")
    RESOLVED = "resolved", _("Fix in place")
    CLOSED = "closed", _("Closed")
    REOPENED = "reopened", _("Came back")
    SEVERITY_CHANGED = "severity_changed", _("Severity changed")
    WAITING = "waiting", _("Waiting")
    WAITING_ENDED = "waiting_ended", _("The wait is over")
    SHELVED = "shelved", _("Paused")
    UNSHELVED = "unshelved", _("The alerts go on")
    FLOOR_CONFIRMED = "floor_confirmed", _("The floor confirms")
    NO_FIX_ACCEPTED = "no_fix_accepted", _("No permanent fix accepted")
    LINE_STOPPED = "line_stopped", _("Line stopped")
    LINE_RUNNING = "line_running", _("Line running")
    TAKEN_BACK = "taken_back", _("Taken back")
    COUNTERMEASURE = "countermeasure", _("Countermeasure")
    CAUSE = "cause", _("Cause written")
    TOLD = "told", _("People told")
    SEEN = "seen", _("Seen")
    NOT_REACHED = "not_reached", _("Not reached")
    NOT_ANSWERED = "not_answered", _("Not answered")
    LAPSED = "lapsed", _("Nobody has it any more")
    HELP_ASKED = "help_asked", _("Somebody asked to help")
    REPEATED = "repeated", _("The same again")
    CHASED = "chased", _("Asked about a promise")
    HOLDS_AFTER_ALL = "holds_after_all", _("It holds after all")
    RESENT = "resent", _("Sent again")


class Event(models.Model):
    """One line of the timeline: who did what and when. Rows are never changed or removed."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=EventKind.choices)
    version = models.PositiveIntegerField(help_text=_("The incident's version after this event."))
    words = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["at", "id"]
        verbose_name = _("timeline event")
        verbose_name_plural = _("timeline events")
        indexes = [models.Index(fields=["incident", "-at", "-id"], name="event_newest_first")]

    get_kind_display = label_of("kind", EventKind)

    def __str__(self) -> str:
        return f"{self.incident_id} {self.kind}"


class Update(models.Model):
    """What an owner said: conditions, actions, needs, in plain words, and when the next word comes."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="updates")
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    conditions = models.TextField(_("The problem now"))
    actions = models.TextField(_("What we’re doing"))
    needs = models.TextField(_("What we need"), help_text=_("“No needs” is an answer."))
    technical = models.TextField(_("Technical detail"), blank=True)
    next_update_at = models.DateTimeField(_("Next word by"), null=True, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        get_latest_by = ["at", "id"]
        verbose_name = _("update")
        verbose_name_plural = _("updates")
        indexes = [models.Index(fields=["incident", "-at"], name="update_newest_first")]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.at:%H:%M}"


class Downtime(models.Model):
    """A line stood still because of an incident, from when it stopped to when it ran again."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="downtimes")
    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="downtimes")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["started_at"]
        verbose_name = _("downtime")
        verbose_name_plural = _("downtimes")
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
                name="downtime_ends_after_start",
            ),
            models.UniqueConstraint(
                fields=["incident", "line"],
                condition=Q(ended_at=None),
                name="one_running_downtime_per_line",
            ),
        ]
        indexes = [models.Index(fields=["line", "-started_at"], name="downtime_line")]

    def __str__(self) -> str:
        return f"{self.line} {self.started_at:%Y-%m-%d %H:%M}"


class Photo(models.Model):
    """A picture from the floor."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="photos")
    by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    image = models.ImageField(_("photo"), upload_to="photos/%Y/%m/")
    caption = models.CharField(_("caption"), max_length=200, blank=True)

    class Meta:
        ordering = ["at"]
        verbose_name = _("photo")
        verbose_name_plural = _("photos")

    def __str__(self) -> str:
        return self.caption or f"{self.incident_id}"
