"""One JSON object per line, and never a token, a secret, an e-mail address or a card in it."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

from chalicelib import correlation

logger = logging.getLogger("arm")


def configure() -> None:
    """Log as JSON to standard error; where Lambda has put a handler, only its format changes."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.StreamHandler(sys.stderr))
    formatter = JsonFormatter(
        "%(message)s",
        rename_fields={"message": "event"},
        timestamp=True,
        static_fields={},
    )
    for handler in root.handlers:
        handler.setFormatter(formatter)
    root.setLevel(logging.WARNING)
    logger.setLevel(logging.INFO)


def say(event: str, *, level: int = logging.INFO, exc_info: bool = False, **fields: object) -> None:
    """One line: what happened, and the ids that tie it to a request, an event and a tenant.

    With `exc_info`, also the exception that is being handled, with where it came from.
    """
    logger.log(
        level,
        event,
        exc_info=exc_info,
        extra={"level": logging.getLevelName(level), **correlation.known()}
        | {name: value for name, value in fields.items() if value is not None},
    )
