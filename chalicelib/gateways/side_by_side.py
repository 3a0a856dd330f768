"""Several requests at once, every one of them tried, whatever becomes of the others."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from chalicelib.domain.errors import DomainError, Permanent, Temporary, Waiting

WORKERS = 12
"""Requests at once: all of a tenant's own objects in one round trip."""

Subject = TypeVar("Subject")


def tried(action: Callable[[Subject], None], subjects: Iterable[Subject]) -> list[DomainError]:
    """What failed."""
    waiting = list(subjects)
    if not waiting:
        return []

    def attempt(subject: Subject) -> DomainError | None:
        try:
            action(subject)
        except (Temporary, Permanent, Waiting) as e:
            return e
        return None

    with ThreadPoolExecutor(max_workers=min(WORKERS, len(waiting))) as pool:
        return [e for e in pool.map(attempt, waiting) if e]


def done(action: Callable[[Subject], None], subjects: Iterable[Subject]) -> None:
    """Do it for all.

    Raises:
        Permanent, Waiting, Temporary: the worst of what failed, once all were tried.
    """
    raise_worst(tried(action, subjects))


def raise_worst(failures: list[DomainError]) -> None:
    """Of several failures, raise the one that says most: what never works, then what is short."""
    for kind in (Permanent, Waiting, Temporary):
        for failure in failures:
            if isinstance(failure, kind):
                raise failure
