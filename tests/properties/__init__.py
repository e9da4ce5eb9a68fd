"""The eight rules that never bend (domain §4): random people do random things while everything breaks.

`day.py` moves the clock and the engine, `people.py` what people do, `machine.py` what breaks. `model.py`
remembers in plain words what should be, `seen.py` reads what the database shows, `rules_kept.py` holds the
one against the other after every step. Nothing in here asks the code under test what would be right.

    pytest tests/properties                    100 examples, always the same ones
    pytest tests/properties -m nightly         2,000 examples, others each night; a failure can be repeated
    OPSDESK_EXAMPLES=200 pytest … -m nightly   another number of them
"""
