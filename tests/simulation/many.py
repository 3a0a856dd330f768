"""Many histories, on every core, and what they covered together."""

import functools
import gc
import json
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulation.history import History, of_seed
from tests.simulation.running import live_through
from tests.simulation.world import World

CHUNK = 50
"""Seeds that a process takes at a time."""


@functools.cache
def expected() -> dict[str, list[str]]:
    """Calls, transitions and acts that many histories cannot do without.

    One that is not reached any more is a part of the system, or of the simulation, that has fallen
    silent. `tests/simulation/reached.json` is kept by hand.
    """
    read: dict[str, list[str]] = json.loads(Path(__file__).with_name("reached.json").read_text())
    return read


@dataclass(slots=True)
class Covered:
    """What was reached, by how often.

    Attributes:
        passed: calls to the outside, by who made which.
        crashed: processes that died, `before` or `after` which call.
        transitions: a tenant's changes, from what to what.
        statuses: what the page would say at each decision, and from what that changed.
        acts: what was done.
    """

    passed: Counter[str] = field(default_factory=Counter)
    crashed: Counter[str] = field(default_factory=Counter)
    transitions: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Covered") -> None:
        """Put both together."""
        for name in self.__slots__:
            getattr(self, name).update(getattr(other, name))

    def take(self, world: World) -> None:
        """What one history has reached."""
        self.passed += world.outside.points.passed
        self.crashed += world.outside.points.crashed
        self.transitions += world.watch.transitions
        self.statuses += world.watch.statuses
        self.acts += Counter(act.what for act in world.history.acts)

    def not_reached(self) -> list[str]:
        """What has to be reached and was not, and calls at which nobody died."""
        reached = {"passed": self.passed, "transitions": self.transitions, "acts": self.acts}
        missing = [
            each
            for kind, wanted in expected().items()
            for each in wanted
            if not reached[kind][each]
        ]
        sides = [f"{point} {side}" for point in self.passed for side in ("before", "after")]
        return sorted([*missing, *(point for point in sides if not self.crashed[point])])


@dataclass(slots=True)
class Result:
    """What came of some seeds: the failed ones with the first thing that was wrong."""

    seeds: int = 0
    failed: dict[int, str] = field(default_factory=dict)
    covered: Covered = field(default_factory=Covered)
    seconds: float = 0.0
    cpu: float = 0.0

    def add(self, other: "Result") -> None:
        """Put both together; `seconds` is whoever watches the wall's to say."""
        self.seeds += other.seeds
        self.failed |= other.failed
        self.covered.add(other.covered)
        self.cpu += other.cpu


def live(history: History, *, telling: bool = False) -> World:
    """One history, to its end; what it raises is wrong too."""
    world = World(history, telling=telling)
    try:
        live_through(world)
    except Exception as e:  # noqa: BLE001 - whatever it is, it is what this seed has found
        world.wrong(f"the simulation itself: {e!r}")
    return world


def some(seeds: Iterable[int]) -> Result:
    """Histories one after the other, in this process."""
    result, began = Result(), time.process_time()
    for seed in seeds:
        world = live(of_seed(seed))
        result.seeds += 1
        result.covered.take(world)
        if world.broken:
            result.failed[seed] = world.broken[0]
    result.cpu = time.process_time() - began
    return result


def many(first: int, count: int, jobs: int) -> Iterator[Result]:
    """The result so far, whenever some more seeds are done."""
    chunks = [
        range(at, min(at + CHUNK, first + count)) for at in range(first, first + count, CHUNK)
    ]
    began, total = time.monotonic(), Result()
    if jobs == 1:
        for chunk in chunks:
            total.add(some(chunk))
            total.seconds = time.monotonic() - began
            yield total
        return
    with multiprocessing.get_context("spawn").Pool(jobs, _settle) as pool:
        for result in pool.imap_unordered(some, chunks):
            total.add(result)
            total.seconds = time.monotonic() - began
            yield total


def _settle() -> None:
    """What is loaded stays: the collector need not look through it, and seldom at the rest."""
    gc.freeze()
    gc.set_threshold(50_000)


def show_progress(total: Result, count: int) -> None:
    """One line that is written over, on a terminal; now and then a line, elsewhere."""
    rate = total.seeds / max(total.seconds, 0.001)
    left = (count - total.seeds) / max(rate, 0.001)
    line = (
        f"{total.seeds:>7} of {count} seeds, {len(total.failed)} failed, "
        f"{1000 * total.cpu / max(total.seeds, 1):.1f} ms each, {left / 60:.0f} min left"
    )
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{line}")
    elif total.seeds % 1000 < CHUNK or total.seeds == count:
        sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
