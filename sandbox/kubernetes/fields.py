"""Sets of fields: who owns what, and what differs between two objects.

A path is a tuple of FieldsV1 elements: `f:name` for a field, `k:{"name":"c"}` for a list item by
its keys, `v:"x"` for an item of a set.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sandbox.kubernetes.kinds import Object
from sandbox.kubernetes.schema import KEY_DEFAULTS, Type

Path = tuple[str, ...]
Fields = frozenset[Path]

_ALWAYS_THERE = {
    "V1PodTemplateSpec.metadata", "V1PodTemplateSpec.spec", "V1PodSpec.containers",
    "V1DeploymentSpec.template", "V1DeploymentSpec.strategy",
    "V1StatefulSetSpec.template", "V1StatefulSetSpec.updateStrategy",
    "V1DaemonSetSpec.template", "V1DaemonSetSpec.updateStrategy",
    "V1ReplicaSetSpec.template", "V1JobSpec.template", "V1CronJobSpec.jobTemplate",
    "V1JobTemplateSpec.metadata", "V1JobTemplateSpec.spec",
    "V1PersistentVolumeClaimSpec.resources", "V1ServiceStatus.loadBalancer",
    "V1IngressStatus.loadBalancer", "V2HorizontalPodAutoscalerSpec.scaleTargetRef",
}  # fmt: skip
"""Plain structs in the API's own types: there even when empty, so nobody owns their being there."""

_ALWAYS_AT_TOP = ("metadata", "spec", "status")
_MISSING: Any = object()


def decode(tree: Object) -> Fields:
    """The set that a FieldsV1 stands for."""
    return frozenset(_decoded(tree, ()))


def _decoded(tree: Object, path: Path) -> Iterator[Path]:
    for element, below in tree.items():
        if element == ".":
            yield path
        elif below:
            yield from _decoded(below, (*path, element))
        else:
            yield (*path, element)


def encode(fields: Iterable[Path]) -> Object:
    """The FieldsV1 of a set."""
    root: Object = {}
    for path in sorted(fields):
        node = root
        for element in path:
            node = node.setdefault(element, {})
        node["."] = {}
    return _without_needless_dots(root)


def _without_needless_dots(node: Object) -> Object:
    tidy = {name: _without_needless_dots(below) for name, below in node.items()}
    return {} if tidy.keys() == {"."} else tidy


def shown(path: Path) -> str:
    """The path as errors write it: `.spec.containers[name="c"].image`."""
    return "".join(_shown(element) for element in path)


def _shown(element: str) -> str:
    sort, _, rest = element.partition(":")
    if sort == "f":
        return f".{rest}"
    if sort == "v":
        return f"[={rest}]"
    return f"[{','.join(f'{k}={json.dumps(v)}' for k, v in json.loads(rest).items())}]"


def element(kind: Type, item: Any) -> str:  # noqa: ANN401 - loose JSON
    """The element that tells this item of a keyed list or set from the others."""
    if kind.is_set or not isinstance(item, dict):
        return f"v:{json.dumps(item, separators=(',', ':'))}"
    keys = {key: item.get(key, KEY_DEFAULTS.get(key)) for key in sorted(kind.keys)}
    return f"k:{json.dumps(keys, separators=(',', ':'))}"


def is_leaf(value: Any, kind: Type) -> bool:  # noqa: ANN401 - loose JSON
    """Whether the value is owned and replaced as a whole."""
    return kind.atomic or kind.form == "scalar" or not isinstance(value, dict | list)


def children(value: Any, kind: Type) -> dict[str, tuple[Any, Type]]:  # noqa: ANN401 - loose JSON
    """What a value consists of, by element; nothing for a leaf."""
    if is_leaf(value, kind):
        return {}
    if isinstance(value, list):
        return {element(kind, item): (item, kind.items) for item in value}
    return {
        f"f:{name}": (item, found)
        for name, item in value.items()
        if (found := kind.field(name)) is not None
    }


def owned(value: Any, kind: Type, path: Path = ()) -> Fields:  # noqa: ANN401 - loose JSON
    """What somebody who applies this value owns."""
    return frozenset(_owned(value, kind, path))


def _owned(value: Any, kind: Type, path: Path) -> Iterator[Path]:  # noqa: ANN401 - loose JSON
    if is_leaf(value, kind):
        yield path
        return
    for step, (item, found) in children(value, kind).items():
        below = (*path, step)
        if not step.startswith("f:") or kind.form == "map" or item in ({}, []):
            yield below
        yield from _owned(item, found, below)


def difference(before: Object, after: Object, kind: Type) -> tuple[Fields, Fields]:
    """What was added or changed, and what was removed, every level of it."""
    changed: set[Path] = set()
    removed: set[Path] = set()
    _compare(before, after, kind, (), changed, removed)
    return frozenset(changed), frozenset(removed)


def _compare(  # noqa: PLR0913, PLR0917 - a recursion with its two results
    before: Any,  # noqa: ANN401 - loose JSON
    after: Any,  # noqa: ANN401 - loose JSON
    kind: Type,
    path: Path,
    changed: set[Path],
    removed: set[Path],
) -> None:
    if before is _MISSING:
        changed.update(_every(after, kind, path))
    elif after is _MISSING:
        removed.update(_every(before, kind, path))
    elif is_leaf(before, kind) or is_leaf(after, kind):
        if before != after:
            changed.add(path)
    else:
        old, new = children(before, kind), children(after, kind)
        for step in {**old, **new}:
            found = (new.get(step) or old[step])[1]
            was = old[step][0] if step in old else _absent(kind, step, path, new[step][0])
            now = new[step][0] if step in new else _absent(kind, step, path, old[step][0])
            _compare(was, now, found, (*path, step), changed, removed)


def _absent(kind: Type, step: str, path: Path, other: Any) -> Any:  # noqa: ANN401 - loose JSON
    name = step.removeprefix("f:")
    always = f"{kind.name}.{name}" in _ALWAYS_THERE or (not path and name in _ALWAYS_AT_TOP)
    return type(other)() if always and isinstance(other, dict | list) else _MISSING


def _every(value: Any, kind: Type, path: Path) -> Iterator[Path]:  # noqa: ANN401 - loose JSON
    yield path
    for step, (item, found) in children(value, kind).items():
        yield from _every(item, found, (*path, step))


def named_ancestors(fields: Fields) -> Fields:
    """The set together with the named fields that lead to its members."""
    return fields | {
        path[:depth]
        for path in fields
        for depth in range(1, len(path))
        if path[depth - 1].startswith("f:")
    }


def without(value: Any, kind: Type, drop: Fields, keep: Fields) -> Any:  # noqa: ANN401 - loose JSON
    """The value without the dropped fields, except where something below them is kept."""
    led_to = {path[:depth] for path in keep for depth in range(1, len(path) + 1)}
    return _without(value, kind, (), drop, led_to)


def _without(value: Any, kind: Type, path: Path, drop: Fields, led_to: set[Path]) -> Any:  # noqa: ANN401 - loose JSON
    if is_leaf(value, kind):
        return value
    left = [
        (step, _without(item, found, (*path, step), drop, led_to))
        for step, (item, found) in children(value, kind).items()
        if (*path, step) not in drop or (*path, step) in led_to
    ]
    if isinstance(value, list):
        return [item for _, item in left]
    return {step.removeprefix("f:"): item for step, item in left}
