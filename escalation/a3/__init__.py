"""The A3 / 8D report: one incident on one page, good enough for a customer."""
