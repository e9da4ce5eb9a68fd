"""`python -m tests.mutants [name …]`: every seeded bug must be caught, or it fails."""

from __future__ import annotations

import sys

from tests.mutants.catalog import MUTANTS
from tests.mutants.running import try_out


def main(names: list[str]) -> int:
    unknown = set(names) - {mutant.name for mutant in MUTANTS}
    if unknown:
        print(f"There is no mutant {', '.join(sorted(unknown))}.")
        return 2
    survived = []
    print(f"{'mutant':<28} {'caught by':<60} {'s':>5}")
    for mutant in MUTANTS:
        if names and mutant.name not in names:
            continue
        verdict = try_out(mutant)
        caught = verdict.caught_by.rpartition("::")[2] or "NOBODY"
        print(f"{mutant.name:<28} {caught:<60} {verdict.seconds:>5.0f}", flush=True)
        print(f"  {verdict.said}", flush=True)
        if not verdict.caught_by:
            survived.append(mutant.name)
    print(f"Not caught: {', '.join(survived)}" if survived else "All were caught.")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
