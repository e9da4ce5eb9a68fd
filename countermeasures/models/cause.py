"""Why it happened, and why nothing caught it."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident
from plant.models import Person


class Cause(models.Model):
    """Why it happened and why nothing caught it. Both are needed before an incident closes."""

    incident = models.OneToOneField(Incident, on_delete=models.PROTECT, related_name="cause")
    root_cause = models.TextField(_("why it happened"), blank=True)
    escape_cause = models.TextField(_("why nothing caught it"), blank=True)
    five_whys = models.JSONField(_("five whys"), default=list, blank=True)
    is_person = models.BooleanField(_("a person is the cause"), default=False)
    made_easy = models.TextField(_("what made it easy to get wrong"), blank=True)
    would_stop = models.TextField(_("what would have stopped it"), blank=True)
    written_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("cause")
        verbose_name_plural = _("causes")
        constraints = [
            models.CheckConstraint(
                condition=Q(is_person=False) | ~Q(made_easy=""), name="a_person_is_never_the_whole_cause"
            )
        ]
        indexes = [GinIndex(SearchVector("root_cause", "escape_cause", config="simple"), name="cause_words")]

    def __str__(self) -> str:
        return self.root_cause or self.escape_cause
