"""Who is told when: the versions of each policy."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incidents.models import Category, Severity
from plant.models import Area, Person, Site


class Clock(models.TextChoices):
    """The four clocks of a policy (domain §4), and two that every incident has without one.

    `lapse` takes an incident away from an owner who stays silent; `help` asks its owner once whether to bring
    somebody in.
    """

    RESPONSE = "response", _("Nobody has it yet")
    CONTAINMENT = "containment", _("Product is not moving yet")
    UPDATE = "update", _("News is due")
    CLOSURE = "closure", _("Still open")
    LAPSE = "lapse", _("Its owner says nothing")
    HELP = "help", _("No word for a while")


class PolicyQuerySet(models.QuerySet["Policy"]):
    def current(self) -> PolicyQuerySet:
        return self.filter(is_current=True)


class Policy(models.Model):
    """One published version of who is told when. A version never changes; a running incident keeps its own.

    `clocks` holds, for each clock, an ordered list of steps:
    {"after": minutes, "roles": [role], "people": [username], "channels": [channel],
     "repeat": minutes or null, "answer": bool}; under "safety", who is told at once when somebody could get
    hurt. `steps.PolicyClocks` reads it and says what is wrong with it.
    """

    severity = models.CharField(_("severity"), max_length=2, choices=Severity.choices)
    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    area = models.ForeignKey(Area, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    category = models.ForeignKey(Category, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(_("version"))
    is_current = models.BooleanField(_("in force"), default=True)
    clocks = models.JSONField(_("clocks"))
    published_at = models.DateTimeField(_("published"), default=timezone.now)
    published_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    why = models.CharField(_("why"), max_length=300, blank=True)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        ordering = ["severity", "site", "area", "category", "-version"]
        verbose_name = _("escalation policy")
        verbose_name_plural = _("escalation policies")
        constraints = [
            models.UniqueConstraint(
                fields=["severity", "site", "area", "category", "version"],
                name="policy_version_once",
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                fields=["severity", "site", "area", "category"],
                condition=Q(is_current=True),
                name="one_policy_in_force",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.severity} v{self.version}"
