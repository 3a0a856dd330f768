"""What is used beyond a quota."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Over:
    """One name of a quota, in Kubernetes' quantities."""

    name: str
    used: str
    hard: str

    @property
    def by(self) -> str:
        """How much too much."""
        return ""
