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

    An override that was in force and was taken back says so on its last version; no other takes its place.

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
    withdrawn_at = models.DateTimeField(_("taken back"), null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    withdrawn_why = models.CharField(
        _("why it was taken back"), max_length=300, blank=True, default="", db_default=""
    )

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
            models.CheckConstraint(
                name="policy_taken_back_holds_no_more",
                condition=Q(withdrawn_at=None, withdrawn_by=None, withdrawn_why="")
                | Q(withdrawn_at__isnull=False, is_current=False) & ~Q(withdrawn_why=""),
            ),
            models.CheckConstraint(
                name="policy_of_everywhere_is_never_taken_back",
                condition=Q(withdrawn_at=None) | Q(site__isnull=False) | Q(category__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.severity} v{self.version}"

    @property
    def is_override(self) -> bool:
        """It holds for a place or a category instead of the one that holds everywhere."""
        return self.site_id is not None or self.category_id is not None
