"""The drill: a marked practice incident runs the real policy end to end, and says who was not reached.

`plan` says when and where, `running` starts, steps on and ends it, `report` says what it found. The engine,
the outbox, fallback and answer links are those of a real incident; only the pace differs (`escalation.pace`).
"""
