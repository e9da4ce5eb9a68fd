"""Chat rooms and other programs that hear what happens, as it is written into the timeline.

`spread` turns events into posts, `queue` says who sends which, `sending` hands them over, `lifecycle` is how
people set listeners up. People are told by the outbox; nothing here holds that up.
"""
