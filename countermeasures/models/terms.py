"""The words of countermeasures: what for, how far, and how much they rely on people."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    CONTAINMENT = "containment", _("Keep product moving")
    PERMANENT = "permanent", _("Stop it coming back")
    PREVENTIVE = "preventive", _("Before it happens")


class Stage(models.TextChoices):
    """The status of a countermeasure. Two code terms may share a screen word (language.md §3)."""

    PLANNED = "planned", _("To agree")
    IN_WORK = "in_work", _("Promised")
    IN_PLACE = "in_place", _("In place")
    CHECKING = "checking", _("In place, proving")
    EFFECTIVE = "effective", _("Proven")
    NOT_EFFECTIVE = "not_effective", _("Did not hold")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class Strength(models.TextChoices):
    """How much a countermeasure relies on people; strongest first."""

    ELIMINATE = "eliminate", _("It cannot happen any more")
    PREVENT = "prevent", _("It is prevented")
    DETECT_STOP = "detect_stop", _("It is detected and stops")
    WARN = "warn", _("Somebody is warned")
    TRAIN = "train", _("People were told")


STRONG_ENOUGH = (Strength.ELIMINATE, Strength.PREVENT, Strength.DETECT_STOP)
"""Needed for S1, S2 and repeats (domain §3), or a manager's waiver."""

SHIFT_STARTS = "shift starts"
"""The unit that is counted from the shift patterns; any other is counted by hand, in the measurement log."""

BEFORE = (Stage.PLANNED, Stage.IN_WORK, Stage.NOT_EFFECTIVE)
"""The fix is not in yet, so it can still be promised, changed or given up."""

LIVE = (Stage.PLANNED, Stage.IN_WORK, Stage.IN_PLACE, Stage.CHECKING)
