"""LimitRange: sizes for containers that name none, and refusal of those out of range."""

from collections.abc import Iterator

from sandbox.kubernetes import kinds, quantities, statuses
from sandbox.kubernetes.kinds import Object
from sandbox.kubernetes.store import Store

_LIMIT_RANGE = kinds.by_name("LimitRange")
_POD = kinds.by_name("Pod")
_NOTE = "kubernetes.io/limit-ranger"
_LISTS = (("containers", "container"), ("initContainers", "init container"))


def sized(store: Store, pod: Object) -> Object:
    """The pod with its namespace's defaults where it has no sizes, and a note of them."""
    spec, notes = dict(pod["spec"]), []
    for item in _items(store, pod, "Container"):
        for field, word in _LISTS:
            containers = []
            for container in spec.get(field) or []:
                resources = dict(container.get("resources") or {})
                for side, source in (("requests", "defaultRequest"), ("limits", "default")):
                    present = resources.get(side) or {}
                    extra = {
                        name: value
                        for name, value in (item.get(source) or {}).items()
                        if name not in present
                    }
                    if extra:
                        resources[side] = {**present, **extra}
                        what = f"{', '.join(sorted(extra))} {side.removesuffix('s')}"
                        notes.append(f"{what} for {word} {container['name']}")
                containers.append({**container, "resources": resources})
            if containers:
                spec[field] = containers
    if not notes:
        return pod
    metadata = pod["metadata"]
    note = f"LimitRanger plugin set: {'; '.join(notes)}"
    annotations = {**(metadata.get("annotations") or {}), _NOTE: note}
    return {**pod, "metadata": {**metadata, "annotations": annotations}, "spec": spec}


def check(store: Store, pod: Object) -> None:
    """Refuse a pod whose containers are out of range.

    Raises:
        Refusal: 403 with every limit that is broken.
    """
    broken = [
        line
        for item in _items(store, pod, "Container")
        for field, _ in _LISTS
        for container in pod["spec"].get(field) or []
        for line in _broken(item, container.get("resources") or {})
    ]
    if broken:
        why = broken[0] if len(broken) == 1 else f"[{', '.join(broken)}]"
        raise statuses.forbidden(_POD, pod["metadata"]["name"], why)


def _items(store: Store, pod: Object, sort: str) -> Iterator[Object]:
    for limits in store.all(_LIMIT_RANGE, pod["metadata"]["namespace"]):
        for item in (limits.get("spec") or {}).get("limits") or []:
            if item.get("type") == sort:
                yield item


def _broken(item: Object, resources: Object) -> Iterator[str]:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, least in sorted((item.get("min") or {}).items()):
        found = requests.get(name)
        text = f"minimum {name} usage per Container is {least}"
        if found is None:
            yield f"{text}.  No request is specified"
        elif quantities.amount(found) < quantities.amount(least):
            yield f"{text}, but request is {found}"
    for name, most in sorted((item.get("max") or {}).items()):
        found = limits.get(name)
        text = f"maximum {name} usage per Container is {most}"
        if found is None:
            yield f"{text}.  No limit is specified"
        elif quantities.amount(found) > quantities.amount(most):
            yield f"{text}, but limit is {found}"
