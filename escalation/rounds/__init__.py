"""What is done now and then, not by an incident's clock: shift starts, gaps ahead, who can be reached.

`go` is called every minute. Each round may run late, twice, or beside itself: the key of a notification makes
sure that everybody is told once.
"""

from escalation.rounds.going import Done, go, stand_in

__all__ = ["Done", "go", "stand_in"]
