"""The seeded bugs still fit the product; whether the tests catch them says `python -m tests.mutants`."""

from __future__ import annotations

import ast

import pytest

from tests.mutants.catalog import MUTANTS, Mutant
from tests.mutants.running import ROOT, patched


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_bug_can_be_put_into_the_product(mutant: Mutant) -> None:
    for patch in mutant.patches:
        ast.parse(patched(patch))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_what_must_catch_it_is_there(mutant: Mutant) -> None:
    assert all((ROOT / test).exists() for test in mutant.tests)


def test_no_two_bugs_have_one_name() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert sorted(set(names)) == sorted(names)
