"""The one signal by which knowledge travels upward: something about an incident was committed.

Receivers only nudge (run the engine now, tell open screens). Losing it costs a second, never a rule.
Sent with `incident_id`, `number` and `site_id`.
"""

from django.dispatch import Signal

incident_changed = Signal()
