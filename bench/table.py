"""The table: on the screen, and in bench/README.md."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from rich.table import Table

from bench.row import Row

FILE = Path(__file__).with_name("README.md")
ELSEWHERE = tuple(Path(__file__).with_name(name) for name in ("simulation.md", "soak.md"))
"""What `make simulate` and `make soak` wrote when they last ran for long."""

_COLUMNS = ("what", "floor", "others", "ours", "goal", "")


def _verdict(row: Row) -> str:
    return {True: "met", False: "missed", None: ""}[row.met]


def screen(rows: Sequence[Row]) -> Table:
    """For a person at a terminal."""
    table = Table(*_COLUMNS, show_lines=True)
    for row in rows:
        style = "red" if row.met is False else ""
        what = f"{row.what}\n[dim]{row.unit}[/]"
        table.add_row(what, row.floor, row.others, row.ours, row.goal, _verdict(row), style=style)
    return table


def write(rows: Sequence[Row], seconds: float) -> None:
    """For a reader of the repository; the same figures."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    versions = ", ".join(f"{name} {version(name)}" for name in ("chalice", "boto3", "stripe"))
    lines = [
        "# Measured",
        "",
        f"Written by `make bench` in {seconds / 60:.0f} minutes on {machine}; {versions}.",
        "Every line was measured in that run, the floor and the others beside ours.",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        f"|{' --- |' * len(_COLUMNS)}",
    ]
    for row in rows:
        cells = (
            f"{row.what} ({row.unit})",
            row.floor,
            row.others,
            f"**{row.ours}**",
            row.goal,
            _verdict(row),
        )
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    lines += ["", "## How each was measured", ""]
    for row in rows:
        lines.append(f"- **{row.what}**: {row.how}")
        if row.why:
            lines += ["", *(f"  {line}".rstrip() for line in row.why.strip().splitlines()), ""]
    for each in ELSEWHERE:
        if each.exists():
            lines += ["", each.read_text("utf-8").strip()]
    FILE.write_text("\n".join(lines) + "\n", "utf-8")
