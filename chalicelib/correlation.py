"""What the work at hand came from: the ids that every log line and every message carries along.

A request, the event in it, the message that it caused, the tenant that the message names: whoever
has one of these ids finds the lines of all the others. Held per call (a context variable), so that
nothing has to be handed through code that does not care.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

CAUSES = ("request_id", "event_id")
"""What travels on in a message's attributes; its body is a key and nothing else."""

_ids: ContextVar[Mapping[str, str]] = ContextVar("ids")


@contextmanager
def about(**ids: str | None) -> Iterator[None]:
    """Everything inside is about these ids, and about those that were known outside."""
    token = _ids.set({**known(), **{name: value for name, value in ids.items() if value}})
    try:
        yield
    finally:
        _ids.reset(token)


def learn(**ids: str | None) -> None:
    """What has only become known on the way; it holds until the enclosing `about` ends."""
    _ids.set({**known(), **{name: value for name, value in ids.items() if value}})


def known() -> Mapping[str, str]:
    """The ids known here, by their names in the log."""
    return _ids.get({})
