"""The eight rules that never bend (domain §4): random people do random things while everything breaks.

`day.py` moves the clock and the engine, `people.py` and `promising.py` what people do and promise,
`machine.py` what breaks. `model.py` and `family.py` remember in plain words what should be, `seen.py` reads
what the database shows, `rules_kept.py` and what it is made of (`messages_kept.py`, `promises_kept.py`,
`family_kept.py`) hold the one against the other after every step. Nothing in here asks the code under test
what would be right.

    pytest tests/properties                    100 examples, always the same ones
    pytest tests/properties -m nightly         2,000 examples, others each night; a failure can be repeated
    OPSDESK_EXAMPLES=200 pytest … -m nightly   another number of them
"""
