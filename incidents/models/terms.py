"""The words of an incident: how bad it is, where it stands, what it waits on."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Severity(models.TextChoices):
    S1 = "S1", _("S1")
    S2 = "S2", _("S2")
    S3 = "S3", _("S3")
    S4 = "S4", _("S4")


class Impact(models.TextChoices):
    """How bad it is, in the words of the floor (domain §2). The label is the one screen word."""

    SAFETY = "safety", _("Safety")
    STOPPED = "stopped", _("Line down")
    AT_RISK = "at_risk", _("At risk")
    WORKAROUND = "workaround", _("Workaround")
    NONE = "none", _("Minor")

    @property
    def severity(self) -> Severity:
        return _SEVERITY_OF[self]


_SEVERITY_OF = {
    Impact.SAFETY: Severity.S1,
    Impact.STOPPED: Severity.S1,
    Impact.AT_RISK: Severity.S2,
    Impact.WORKAROUND: Severity.S3,
    Impact.NONE: Severity.S4,
}


IMPACT_OF = {
    Severity.S1: Impact.STOPPED,
    Severity.S2: Impact.AT_RISK,
    Severity.S3: Impact.WORKAROUND,
    Severity.S4: Impact.NONE,
}


class Status(models.TextChoices):
    RAISED = "raised", _("Raised")
    ACKNOWLEDGED = "acknowledged", _("Picked up")
    CONTAINED = "contained", _("Product moving")
    RESOLVED = "resolved", _("Being proved")
    CLOSED = "closed", _("Closed")
    REOPENED = "reopened", _("Came back")


class WaitingOn(models.TextChoices):
    VENDOR = "vendor", _("Vendor")
    PART = "part", _("Part")
    CUSTOMER = "customer", _("Customer")
    PRODUCTION_WINDOW = "production_window", _("Production window")


OWNED = (Status.ACKNOWLEDGED, Status.CONTAINED, Status.RESOLVED, Status.REOPENED)
"""Statuses in which somebody has it."""
