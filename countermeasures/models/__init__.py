"""What we do so that it stays fixed."""

from countermeasures.models.cause import Cause
from countermeasures.models.countermeasure import Countermeasure, CountermeasureQuerySet, Gap
from countermeasures.models.elsewhere import Answer, Elsewhere
from countermeasures.models.measurement import Measurement, MeasurementQuerySet
from countermeasures.models.terms import BEFORE, LIVE, SHIFT_STARTS, STRONG_ENOUGH, Kind, Stage, Strength
from countermeasures.promises.models import Promise, PromiseChange

__all__ = [
    "BEFORE",
    "LIVE",
    "SHIFT_STARTS",
    "STRONG_ENOUGH",
    "Answer",
    "Cause",
    "Countermeasure",
    "CountermeasureQuerySet",
    "Elsewhere",
    "Gap",
    "Kind",
    "Measurement",
    "MeasurementQuerySet",
    "Promise",
    "PromiseChange",
    "Stage",
    "Strength",
]
