"""The outbox: what has been recorded is handed over, at least once, or visibly fails."""

from escalation.outbox.claims import LEASE, claim, take_back_expired
from escalation.outbox.draining import drain
from escalation.outbox.sending import Sent, deliver_due

__all__ = ["LEASE", "Sent", "claim", "deliver_due", "drain", "take_back_expired"]
