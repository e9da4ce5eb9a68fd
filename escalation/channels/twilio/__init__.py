"""Text messages over Twilio's REST API, or any that speaks it: sending, receipts, replies, signatures."""

from escalation.channels.twilio.client import Client, Incoming, Status, client_of
from escalation.channels.twilio.sender import Twilio
from escalation.channels.twilio.signature import account_signed, is_signed

__all__ = ["Client", "Incoming", "Status", "Twilio", "account_signed", "client_of", "is_signed"]
