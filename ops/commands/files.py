"""A file for what only its owner may read: checked before anything is asked, then written whole."""

import os
import tempfile
from pathlib import Path
from typing import Any

import click


class NewFile(click.ParamType[Path]):
    """A regular file, or one that can be made; of a link, the file that it leads to."""

    name = "file"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None  # noqa: ANN401 - click's
    ) -> Path:  # fmt: skip
        """The file's own path."""
        try:
            path = Path(value).resolve()
            there = path.exists()
        except (OSError, RuntimeError, ValueError) as e:  # a link to itself, a name too long
            self.fail(f"{value!s}: {e}", param, ctx)
        if there and not path.is_file():
            self.fail(f"{path} is there, and is no regular file", param, ctx)
        if not path.parent.is_dir():
            self.fail(f"there is no folder {path.parent}: make it first", param, ctx)
        if not os.access(path.parent, os.W_OK | os.X_OK):
            self.fail(f"nothing can be written in {path.parent}", param, ctx)
        return path


def write(path: Path, text: str) -> None:
    """So that only its owner can read it, and never half of it.

    Raises:
        UsageError: it cannot be written; what was there is as it was.
    """
    beside = None
    try:
        # mkstemp's files are their owner's alone.
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:64]}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(beside).replace(path)
    except OSError as e:
        if beside:
            Path(beside).unlink(missing_ok=True)
        raise click.UsageError(f"{path} cannot be written: {e.strerror}") from e
