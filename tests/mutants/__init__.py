"""Seeded bugs: each must make a test fail, or the tests prove nothing. `python -m tests.mutants`."""
