"""What a step is, and what is common to all of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import boto3

from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.errors import DomainError
from ops.parameters import Parameters
from ops.stages import Stage

Say = Callable[[str], None]
"""One line of progress."""


class StepFailed(DomainError):
    """A step cannot be done; `todo` says what would let it."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f"{what}\n  -> {todo}")
        self.what = what
        self.todo = todo


@dataclass(frozen=True, slots=True)
class Shop:
    """What is deployed, and where to.

    Attributes:
        root: the project's folder, where `chalice` is run.
        env: the environment of whoever deploys: STRIPE_SECRET_KEY may be in it.
        stripe_base: another Stripe than Stripe's, for tests.
    """

    stage: Stage
    catalogue: Catalogue
    session: boto3.Session
    root: Path
    env: Mapping[str, str]
    stripe_base: str | None = None

    @property
    def parameters(self) -> Parameters:
        """What stands in SSM for this stage."""
        return Parameters(self.session, self.stage.parameters_path)


class Step(Protocol):
    """One step of a deploy."""

    @property
    def name(self) -> str:
        """In a word or two."""

    def plan(self) -> str:
        """What `run` would do; nothing is changed."""

    def run(self, say: Say) -> str:
        """Do it; what was done, in a line.

        Raises:
            StepFailed: with what to do.
        """
