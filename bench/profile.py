"""Where a cold start goes: what each library takes to import, by the interpreter's own account."""

import re
from collections import Counter

from bench.counting import Program

_LINE = re.compile(rb"import time:\s+(\d+) \|\s+\d+ \| +(\S+)")
_RUNS = 3
_SHOWN = 12


def heaviest(program: Program) -> str:
    """The libraries that cost most to import, as shares of all imports: the least of a few runs."""
    least: dict[str, int] = {}
    for _ in range(_RUNS):
        for took, module in _LINE.findall(program.having_flags("-X", "importtime").run().stderr):
            name = module.decode()
            least[name] = min(least.get(name, 1 << 60), int(took))
    by_library = Counter[str]()
    for name, took in least.items():
        by_library[name.partition(".")[0].lstrip("_")] += took
    total = by_library.total()
    shares = [f"{name} {took / total:.0%}" for name, took in by_library.most_common(_SHOWN)]
    return f"Of its imports ({len(least)} modules, `-X importtime`): {', '.join(shares)}."
