"""The planted mistakes, by name."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

Plant = Callable[[], AbstractContextManager[Any]]
PLANTED: dict[str, "Planted"] = {}


@dataclass(frozen=True, slots=True)
class Planted:
    """One mistake; `within` is the number of seeds, from 0 on, that have to find it."""

    name: str
    plant: Plant
    within: int


def planted(within: int) -> Callable[[Plant], Plant]:
    """Register a mistake under its function's name."""

    def register(plant: Plant) -> Plant:
        name = plant.__name__.replace("_", " ")
        PLANTED[name] = Planted(name, plant, within)
        return plant

    return register
