"""The words of a choice, in the reader's language."""

from __future__ import annotations

import pytest
from django.utils import translation

from countermeasures.models import Countermeasure, Stage
from escalation.models import Delivery, Notification
from incidents.models import Event, Incident

SAID_BY_ITS_LABEL = [
    (Incident, "impact"),
    (Incident, "status"),
    (Event, "kind"),
    (Countermeasure, "kind"),
    (Countermeasure, "stage"),
    (Notification, "reason"),
    (Delivery, "channel"),
    (Delivery, "state"),
]


@pytest.mark.parametrize(("model", "name"), SAID_BY_ITS_LABEL)
def test_every_choice_is_said_by_its_label(model: type, name: str) -> None:
    for value, label in model._meta.get_field(name).choices:  # type: ignore[attr-defined]
        assert getattr(model(**{name: value}), f"get_{name}_display")() == label


def test_a_choice_is_said_in_the_language_in_force() -> None:
    found = Countermeasure(stage=Stage.PLANNED)
    assert found.get_stage_display() == "To agree"
    with translation.override("es"):
        assert found.get_stage_display() == "Por acordar"


def test_what_is_not_among_the_choices_is_said_as_it_is() -> None:
    assert Countermeasure(stage="").get_stage_display() == ""
    assert Countermeasure(stage="gone").get_stage_display() == "gone"
