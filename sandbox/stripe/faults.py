"""Trouble to order, with the API and with deliveries."""

import secrets
import time
from dataclasses import dataclass, fields, replace
from typing import Any

_random = secrets.SystemRandom()


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong.

    Attributes:
        drop: the chance that a delivery is lost on its way; it counts as failed and is retried.
        duplicate: the chance that one that arrived is sent again.
        shuffle: whether the first deliveries are held back for a random moment.
        delay: seconds until the first delivery.
        outage: seconds, on the wall clock, for which every call to the API fails.
        errors: how many of the next writes are answered with a 500 that their key then repeats.
    """

    drop: float = 0
    duplicate: float = 0
    shuffle: bool = False
    delay: float = 0
    outage: float = 0
    errors: int = 0


SHUFFLED_OVER = 0.5
"""Seconds."""


class Trouble:
    """The faults in force."""

    def __init__(self) -> None:
        self.faults = Faults()
        self._back_at = 0.0

    def set(self, given: dict[str, Any]) -> Faults:
        """Change those that are named.

        Raises:
            ValueError: an unknown name, or no such amount of it.
        """
        known = {f.name: f.type for f in fields(Faults)}
        for name, value in given.items():
            if name not in known:
                raise ValueError(f"unknown fault {name}; there are {', '.join(known)}")
            wanted = bool if name == "shuffle" else (int, float)
            if not isinstance(value, wanted) or value < 0:
                raise ValueError(f"{name} cannot be {value!r}")
            if name in {"drop", "duplicate"} and value > 1:
                raise ValueError(f"{name} is a chance from 0 to 1")
        self.faults = replace(self.faults, **given)
        if "outage" in given:
            self._back_at = time.monotonic() + self.faults.outage
        return self.faults

    def clear(self) -> None:
        """Everything works again."""
        self.faults = Faults()
        self._back_at = 0.0

    def is_out(self) -> bool:
        """Whether the API is away right now."""
        return time.monotonic() < self._back_at

    def breaks_a_write(self) -> bool:
        """Whether this write is one of those that fail."""
        if self.faults.errors < 1:
            return False
        self.faults = replace(self.faults, errors=int(self.faults.errors) - 1)
        return True

    def loses_it(self) -> bool:
        """Whether a delivery is lost."""
        return _random.random() < self.faults.drop

    def repeats_it(self) -> bool:
        """Whether a delivery comes twice."""
        return _random.random() < self.faults.duplicate

    def holds_it_back(self) -> float:
        """Seconds until a first delivery."""
        more = _random.random() * SHUFFLED_OVER if self.faults.shuffle else 0.0
        return self.faults.delay + more
