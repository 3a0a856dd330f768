"""`python -m bench [MODULE…]`: measures, prints one table, writes bench/README.md."""

import argparse
import importlib
import pkgutil
import sys
import time

from rich.console import Console

import bench
from bench.row import Row
from bench.table import screen, write


def main() -> None:
    """Run all modules that have rows, or those that are named."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("module", nargs="*", help="measure only these; README.md stays as it is")
    chosen = parser.parse_args().module
    console, begun, rows, failed = Console(), time.monotonic(), list[Row](), list[str]()
    for name in sorted(info.name for info in pkgutil.iter_modules(bench.__path__)):
        if name == "__main__" or (chosen and name not in chosen):
            continue
        module = importlib.import_module(f"bench.{name}")
        if not hasattr(module, "rows"):
            continue
        console.print(f"[bold]{name}[/]: {(module.__doc__ or '').splitlines()[0]}")
        try:
            for row in module.rows():
                console.print(f"  {time.monotonic() - begun:4.0f} s  {row.what}: {row.ours}")
                rows.append(row)
        except (Exception, SystemExit):  # noqa: BLE001 - the others are measured all the same
            console.print_exception()
            failed.append(name)
    console.print(screen(rows))
    if failed:
        sys.exit(f"bench: {', '.join(failed)} could not be measured; bench/README.md is as it was")
    if not chosen:
        write(rows, time.monotonic() - begun)


if __name__ == "__main__":
    main()
