"""Hearing back: what people text or mail to us, understood, carried out by the same verbs, and answered."""

from escalation.inbound.once import Heard

__all__ = ["Heard"]
