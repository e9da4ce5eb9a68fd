"""The plain readings of an incident: what a manager, the floor and a technician each need to know.

Pages, answer links, SMS and email all take their words from here, so one incident never tells two stories.
Technical detail has a reading of its own and appears in no other.

Nothing here asks the database when the incident was loaded with `with_place()` and prepared with `attach()`,
because thousands of messages are written from these functions in one go.
"""

from incidents.readings.again import again, how_often
from incidents.readings.answers import Reading, doing, ending, floor, problem, progress, read, technical
from incidents.readings.said import (
    Lapse,
    attach,
    bandage,
    lapse,
    latest_update,
    manager_sms_of,
    manager_words,
    needs_something,
    news,
    sentence,
)
from incidents.readings.titles import (
    TITLE_LENGTH,
    default_title,
    has_default_title,
    headline,
    state,
    title,
    what,
)

__all__ = [
    "TITLE_LENGTH",
    "Lapse",
    "Reading",
    "again",
    "attach",
    "bandage",
    "default_title",
    "doing",
    "ending",
    "floor",
    "has_default_title",
    "headline",
    "how_often",
    "lapse",
    "latest_update",
    "manager_sms_of",
    "manager_words",
    "needs_something",
    "news",
    "problem",
    "progress",
    "read",
    "sentence",
    "state",
    "technical",
    "title",
    "what",
]
