"""Which seed sees which planted mistake: looked for once, and kept beside this file."""

import json
import multiprocessing
from pathlib import Path

from tests.simulation import planted, planted_money  # noqa: F401 - they register themselves
from tests.simulation.history import of_seed
from tests.simulation.many import live
from tests.simulation.registered import PLANTED

CAUGHT = Path(__file__).with_name("caught.json")


def kept() -> dict[str, int]:
    """The seed that was found last, by the mistake's name."""
    found: dict[str, int] = json.loads(CAUGHT.read_text()) if CAUGHT.exists() else {}
    return found


def caught_by(name: str, seeds: range) -> tuple[int, str] | None:
    """The first seed that sees it, and what it sees."""
    for seed in seeds:
        with PLANTED[name].plant():
            broken = live(of_seed(seed)).broken
        if broken and not live(of_seed(seed)).broken:  # it is the mistake that was seen
            return seed, broken[0]
    return None


def _search(name: str) -> tuple[str, tuple[int, str] | None]:
    return name, caught_by(name, range(PLANTED[name].within))


def search(jobs: int) -> list[str]:
    """Look for a seed for each, and keep them; the mistakes that no seed within its bound sees."""
    found: dict[str, int] = {}
    unseen = []
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for name, seen in pool.imap_unordered(_search, PLANTED):
            print(f"{name:50} {seen[0] if seen else 'NOT SEEN'} {seen[1] if seen else ''}")  # noqa: T201
            if seen:
                found[name] = seen[0]
                CAUGHT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
            else:
                unseen.append(name)
    return unseen
