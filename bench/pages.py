"""The pages in headless Chromium, by Lighthouse: as a phone on slow 4G sees them."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.row import Row

HERE = Path(__file__).parent
CATEGORIES = ("performance", "accessibility", "best practices", "SEO")
RUNS = os.environ.get("RUNS", "1")
"""How often each page's performance is measured, for the median. Five take minutes:
`RUNS=5 make bench` where the figures are to be kept."""

NOTHING = "–"  # noqa: RUF001 - as the other lines have it
BYTES, REQUESTS = 40_000, 8
"""What each page stays below, its own and the API's answers counted, from an empty cache."""


def rows() -> Iterator[Row]:
    """One line each for the four categories, the weight and the movement: the worst page of all."""
    pages = _measured()
    how = (
        f"`npm ci --prefix bench && RUNS={RUNS} node bench/pages.mjs`, on a sandbox of its own; "
        f"the worst of {len(pages)} pages"
    )
    lowest = [min(page["scores"][n] for page in pages) for n in range(len(CATEGORIES))]
    yield Row(
        what="pages: Lighthouse",
        floor="100",
        others=NOTHING,
        ours=", ".join(f"{score} {name}" for score, name in zip(lowest, CATEGORIES, strict=True)),
        goal="100 each",
        unit="points, performance as the median of the runs, mobile form",
        how=how,
        met=min(lowest) == 100,  # noqa: PLR2004 - Lighthouse's best
        why="\n".join(f"{p['path']}: {', '.join(p['missed'])}" for p in pages if p["missed"]),
    )
    heaviest = max(page["bytes"] for page in pages)
    most = max(page["requests"] for page in pages)
    yield Row(
        what="pages: weight",
        floor=NOTHING,
        others=NOTHING,
        ours=f"{heaviest / 1000:.1f} kB, {most} requests",
        goal=f"< {BYTES // 1000} kB, < {REQUESTS} requests",
        unit="over the wire from an empty cache, API answers included",
        how=how,
        met=heaviest < BYTES and most < REQUESTS,
    )
    moved = max(page["shift"] for page in pages)
    yield Row(
        what="pages: layout shift",
        floor="0",
        others=NOTHING,
        ours=str(moved),
        goal="0",
        unit="cumulative layout shift while loading",
        how=how,
        met=moved == 0,
    )


def _measured() -> list[dict[str, Any]]:
    """What pages.mjs says of each page."""
    if not (HERE / "node_modules").is_dir():
        _run("npm", "ci", "--silent", "--no-audit", "--no-fund", "--prefix", str(HERE))
    return [json.loads(line) for line in _run("node", str(HERE / "pages.mjs"), "--json")]


def _run(*command: str) -> list[str]:
    """The lines that a program of this project prints."""
    done = subprocess.run(  # noqa: S603 - the commands above
        command, stdout=subprocess.PIPE, check=False, text=True, env=os.environ | {"RUNS": RUNS}
    )
    return done.stdout.splitlines()
