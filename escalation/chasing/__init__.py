"""Asking about promises before, at and after their date, so that nobody has to nag a friend (domain §3)."""
