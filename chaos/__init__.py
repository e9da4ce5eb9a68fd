"""`make chaos`: real processes under load while one part after another is killed, frozen or taken away.

What counts is not asked of the code that is tried out: what arrived is what the mail server wrote down, what
was due follows from the policy's minutes and the timeline, and the rest is rows of the database.
"""
