"""`make bench`: how fast OpsDesk is on this machine, with real processes on a fresh database of its own."""
