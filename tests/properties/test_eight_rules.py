"""The eight rules hold whatever people, the clock and broken machines do: see `tests.properties`."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from escalation.outbox import sending
from tests.properties.channel import Provider
from tests.properties.day import STARTS
from tests.properties.faults import Elsewhere, Troubles
from tests.properties.machine import Plantlife
from tests.properties.plant import build_plant

PARTS = 4
"""`make test` tries 25 examples of each, so that several processes share the work."""

STEPS = 12
"""Steps of an example: enough to raise, take, break, and let hours pass."""

NIGHTLY = int(os.environ.get("OPSDESK_EXAMPLES", "2000"))

PHASES = [Phase.generate] if os.environ.get("OPSDESK_SHRINK") == "0" else list(Phase)
"""Without looking for a shorter example: it is enough to know that there is one (`tests.mutants`)."""

ALWAYS = settings(
    phases=PHASES,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
EACH_TIME = settings(ALWAYS, max_examples=25, derandomize=True)
EACH_NIGHT = settings(ALWAYS, max_examples=NIGHTLY, stateful_step_count=30)


@pytest.fixture
def machine(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Plantlife]]:
    """The machine on this test's plant, with a second connection and a provider that writes down."""
    provider, elsewhere, troubles = Provider(), Elsewhere(), Troubles()
    loud = logging.getLogger("escalation")  # everything breaks on purpose: nobody wants to read it
    monkeypatch.setattr(loud, "propagate", False)
    monkeypatch.setattr(loud, "handlers", [troubles])
    monkeypatch.setattr(sending, "open_channel", provider.open)

    class Machine(Plantlife):
        pass

    Machine.plant, Machine.provider = build_plant(), provider
    Machine.elsewhere, Machine.troubles = elsewhere, troubles
    yield Machine
    elsewhere.end()
    Machine.plant.is_new_day()


@pytest.mark.parametrize("part", range(PARTS))
def test_the_eight_rules_hold_after_every_step(machine: type[Plantlife], part: int) -> None:
    """100 examples, the same ones each time; each part begins on its own kind of day."""
    machine.starts = (STARTS[part],)
    run_state_machine_as_test(seed(part)(machine), settings=EACH_TIME)


@pytest.mark.nightly
def test_the_eight_rules_hold_for_2000_random_days(machine: type[Plantlife]) -> None:
    """Others each night; a failure prints the steps and what repeats it."""
    run_state_machine_as_test(machine, settings=EACH_NIGHT)
