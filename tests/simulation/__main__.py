"""`python -m tests.simulation --seeds N`, or `--seed K` for the story of one that fails."""

import argparse
import os
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from tests.simulation import teeth
from tests.simulation.history import of_seed
from tests.simulation.many import Covered, Result, live, many, show_progress
from tests.simulation.shrinking import shrunk


def main() -> None:
    """Live through histories; exit code 1 if something was wrong in one of them."""
    parser = argparse.ArgumentParser(prog="tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many histories")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="one history, told as a story")
    parser.add_argument("--whole", action="store_true", help="do not shorten the story")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--report", type=Path, help="where to write what was covered")
    parser.add_argument("--teeth", action="store_true", help="which seeds see planted mistakes")
    given = parser.parse_args()
    if given.teeth:
        sys.exit(1 if teeth.search(given.jobs) else 0)
    if given.seed is not None:
        sys.exit(tell(given.seed, whole=given.whole))
    total, told = Result(), set[int]()
    for total in many(given.first, given.seeds, given.jobs):
        show_progress(total, given.seeds)
        for seed in sorted(total.failed.keys() - told):
            sys.stderr.write(f"\nseed {seed} failed: {total.failed[seed]}\n")
        told |= total.failed.keys()
    text = report(total, given.jobs)
    print(f"\n{text}")  # noqa: T201 - a program's own output
    path = given.report or (REPORT if given.seeds >= MANY else None)
    if path:
        path.write_text(text)
    for seed in sorted(total.failed)[:1]:
        print(f"\nThe shortest history of seed {seed} that still fails:\n")  # noqa: T201
        tell(seed)
    sys.exit(1 if total.failed or (given.seeds >= MANY and total.covered.not_reached()) else 0)


REPORT = Path(__file__).parents[2] / "bench" / "simulation.md"
"""Where the figures of many seeds go; `make bench` puts them below its own."""

MANY = 20_000
"""Seeds after which every crash point has to have been hit."""


def tell(seed: int, *, whole: bool = False) -> int:
    """The story of one seed, the shortest that still fails; 1 if it does."""
    history = of_seed(seed)
    if not whole and live(history).broken:
        history = shrunk(history)
    world = live(history, telling=True)
    print(f"{history.weather}\n")  # noqa: T201
    for at, line in world.story or ():
        when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        print(f"{when}  {line}")  # noqa: T201
    for wrong in world.broken:
        print(f"\nWRONG at {wrong}")  # noqa: T201
    if world.broken:
        print(f"\nAgain: make simulate SEED={seed}")  # noqa: T201
    return 1 if world.broken else 0


def report(total: Result, jobs: int) -> str:
    """Figures that can stand in bench/README.md."""
    covered: Covered = total.covered
    lines = [
        "## Simulated",
        "",
        f"By `make simulate SEEDS={total.seeds}`:",
        (
            f"{total.seeds} seeds, {len(total.failed)} failed; {total.seconds / 60:.1f} minutes on "
            f"{jobs} processes: a seed every {1000 * total.seconds / max(total.seeds, 1):.1f} ms, "
            f"by {1000 * total.cpu / max(total.seeds, 1):.1f} ms of CPU."
        ),
        (
            f"{covered.acts.total()} acts, {covered.passed.total()} calls to the outside, "
            f"{covered.crashed.total()} processes that died at one."
        ),
        "",
        (
            f"Calls: {len(covered.passed)}, each a crash point before it and after it; "
            f"crash points never hit, and calls, transitions or acts missing: "
            f"{len(covered.not_reached())}."
        ),
        *(f"- never: {point}" for point in covered.not_reached()),
        "",
        *_table("What changed for a tenant", covered.transitions),
        *_table("What changed on the page, and the tenant behind it", covered.statuses),
        *_table("What was done", covered.acts),
    ]
    return "\n".join(lines)


def _table(title: str, counted: Counter[str]) -> list[str]:
    rows = [f"| {name} | {n} |" for name, n in sorted(counted.items(), key=lambda x: -x[1])]
    return [f"| {title} | times |", "| --- | --- |", *rows, ""]


if __name__ == "__main__":
    main()
