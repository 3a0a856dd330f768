"""What we have applied into a namespace, noted on it: what leaves a plan is found and pruned.

The note is written before anything is applied and holds, until all is done, both what was there
and what is coming: whenever a convergence is cut short, the next one knows of everything.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.labels import Labels

Manifest = Mapping[str, Any]


def note(manifests: Sequence[Manifest]) -> str:
    """The note about these objects: a JSON list of `Kind/name`."""
    return _written({_named(manifest) for manifest in manifests})


def until_done(namespace: Manifest, annotations: Mapping[str, str], labels: Labels) -> Manifest:
    """The namespace as it is applied at first, when it stands with these annotations.

    What will have to be pruned stays noted, and who was suspended stays so until all runs again.
    """
    ours = namespace["metadata"]["annotations"]
    both = _noted(annotations, labels) | _noted(ours, labels)
    suspended = "true" in (ours[labels.suspended], annotations.get(labels.suspended))
    interim = {labels.objects: _written(both), labels.suspended: str(suspended).lower()}
    metadata = {**namespace["metadata"], "annotations": {**ours, **interim}}
    return {**namespace, "metadata": metadata}


def leaving(
    namespace: Manifest, annotations: Mapping[str, str], labels: Labels
) -> list[tuple[str, str]]:
    """Kind and name of each object that was applied once and is wanted no more."""
    ours = _noted(namespace["metadata"]["annotations"], labels)
    gone = sorted(_noted(annotations, labels) - ours)
    return [(kind, name) for kind, _, name in (each.partition("/") for each in gone)]


def _named(manifest: Manifest) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def _written(names: set[str]) -> str:
    return json.dumps(sorted(names), separators=(",", ":"))


def _noted(annotations: Mapping[str, str], labels: Labels) -> set[str]:
    try:
        found = json.loads(annotations.get(labels.objects, "[]"))
    except ValueError:
        return set()
    return {each for each in found if isinstance(each, str)} if isinstance(found, list) else set()
