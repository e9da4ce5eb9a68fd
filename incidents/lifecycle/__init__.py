"""Every verb that changes an incident. Pages, API and answer links call these and nothing else."""

from incidents.lifecycle.closing import (
    accept_no_fix,
    close,
    confirm_running,
    reopen,
    resolve,
    take_back,
)
from incidents.lifecycle.deciding import (
    change_severity,
    shelve,
    stop_waiting,
    unshelve,
    wait_on,
)
from incidents.lifecycle.helping import ask_help
from incidents.lifecycle.mistaken import holds_after_all
from incidents.lifecycle.moves import record, touch
from incidents.lifecycle.practice import end_practice, practice_taken
from incidents.lifecycle.raising import add_photo, add_words, raise_incident
from incidents.lifecycle.reviewing import review
from incidents.lifecycle.silence import lapse
from incidents.lifecycle.working import (
    acknowledge,
    arrive,
    assign,
    contain,
    line_runs,
    post_update,
    stop_line,
)

__all__ = [
    "accept_no_fix",
    "acknowledge",
    "add_photo",
    "add_words",
    "arrive",
    "ask_help",
    "assign",
    "change_severity",
    "close",
    "confirm_running",
    "contain",
    "end_practice",
    "holds_after_all",
    "lapse",
    "line_runs",
    "post_update",
    "practice_taken",
    "raise_incident",
    "record",
    "reopen",
    "resolve",
    "review",
    "shelve",
    "stop_line",
    "stop_waiting",
    "take_back",
    "touch",
    "unshelve",
    "wait_on",
]
