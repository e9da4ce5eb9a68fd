"""The words of a choice, for templates: `get_…_display` as Django has it, cheaper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import models


def label_of(field: str, choices: type[models.TextChoices]) -> Callable[[Any], str]:
    """A `get_…_display` for a model; a value that is not among the choices is said as it is.

    Django's own hashes all choices, labels included, and so translates every one of them to find one: a
    tenth of what a page with thirty rows costs.
    """
    words = {choice.value: choice.label for choice in choices}

    def get_display(row: models.Model) -> str:
        value = getattr(row, field)
        return str(words.get(value, value))

    return get_display
