"""How pods end: told to, in a time that is ours, whoever owns them and whatever they ask for."""

from collections.abc import Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]

GRACE_SECONDS = 30
"""What every deletion of ours leaves a pod to end in; Kubernetes' own default.

A pod may ask for decades. A second deletion with less shortens a first one that is under way.
"""

_NAMED = 3
"""Pods to name in a message; the rest is counted."""


def is_ending(obj: Object) -> bool:
    """Whether it was deleted and is still there."""
    return "deletionTimestamp" in obj["metadata"]


def must_be_deleted(pod: Object) -> bool:
    """Whether it does not end yet, or ends later than ours would."""
    grace = pod["metadata"].get("deletionGracePeriodSeconds") or 0
    return not is_ending(pod) or grace > GRACE_SECONDS


def is_held(obj: Object) -> bool:
    """Whether it was deleted and somebody's finalizer keeps it."""
    return is_ending(obj) and bool(obj["metadata"].get("finalizers"))


def still_there(pods: Sequence[Object]) -> str:
    """What to say of pods that have not ended."""
    names = sorted(pod["metadata"]["name"] for pod in pods)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    held = sorted({each for pod in pods for each in pod["metadata"].get("finalizers") or []})
    by = f"; finalizers: {', '.join(held)[:200]}" if held else ""
    subject = "1 pod is" if len(names) == 1 else f"{len(names)} pods are"
    return f"{subject} still ending ({', '.join(names[:_NAMED])}{more}{by})"


def admits_no_pod(quota: Object | None) -> bool:
    """Whether a quota keeps every pod out: its status, which follows, is what admission asks."""
    hard = ((quota or {}).get("status") or {}).get("hard") or {}
    return str(hard.get("pods")) == "0"
