"""Promises: what, by whom, to whom, by when. Every due date in the system is one (domain §3)."""
