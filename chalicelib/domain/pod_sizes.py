"""What a pod uses of a quota: what its containers ask for, by the names that quotas have for it."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from chalicelib.domain import quantities
from chalicelib.domain.fitting import NOTHING, Amounts

Object = Mapping[str, Any]

_BY_ITS_OWN_NAME = ("cpu", "memory", "ephemeral-storage")
_ENDED = ("Succeeded", "Failed")


def has_ended(pod: Object) -> bool:
    """Whether it says that nothing in it runs any more; a quota believes it."""
    return (pod.get("status") or {}).get("phase") in _ENDED


def of_pod(pod: Object) -> Amounts:
    """What a pod counts for; one that has ended is only still there."""
    return {"count/pods": Decimal(1)} if has_ended(pod) else of_spec(pod["spec"], {})


def of_spec(spec: Object, limit_range: Object) -> Amounts:
    """What a pod of this spec counts for, with a LimitRange's defaults where it names no size."""
    found = {"pods": Decimal(1), "count/pods": Decimal(1)}
    for side in ("requests", "limits"):
        for name, amount in _side(spec, limit_range, side).items():
            found[f"{side}.{name}"] = amount
            if side == "requests" and name in _BY_ITS_OWN_NAME:
                found[name] = amount
    return found


def _side(spec: Object, limit_range: Object, side: str) -> dict[str, Decimal]:
    running = [_sizes(each, limit_range, side) for each in spec.get("containers") or []]
    most: dict[str, Decimal] = {}
    for container in spec.get("initContainers") or []:
        sizes = _sizes(container, limit_range, side)
        if container.get("restartPolicy") == "Always":
            running.append(sizes)
        else:
            most = {
                name: max(most.get(name, NOTHING), sizes.get(name, NOTHING))
                for name in (*most, *sizes)
            }
    total = _sum(running)
    found = {
        name: max(total.get(name, NOTHING), most.get(name, NOTHING)) for name in (*total, *most)
    }
    found |= _read((spec.get("resources") or {}).get(side) or {})
    return _sum([found, _read(spec.get("overhead") or {})]) if found else found


def _sizes(container: Object, limit_range: Object, side: str) -> dict[str, Decimal]:
    """A request that is not named is the limit that is; then come the namespace's defaults."""
    resources = container.get("resources") or {}
    own = dict(resources.get(side) or {})
    if side == "requests":
        own = {**(resources.get("limits") or {}), **own}
    default = "default" if side == "limits" else "defaultRequest"
    return _read({**_of_containers(limit_range).get(default, {}), **own})


def _of_containers(limit_range: Object) -> Object:
    for item in (limit_range.get("spec") or {}).get("limits") or []:
        if item.get("type") == "Container":
            return item  # type: ignore[no-any-return]
    return {}


def _read(sizes: Object) -> dict[str, Decimal]:
    return {name: quantities.amount(size) or NOTHING for name, size in sizes.items()}


def _sum(parts: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for name, amount in _items(parts):
        found[name] = found.get(name, NOTHING) + amount
    return found


def _items(parts: Iterable[Mapping[str, Decimal]]) -> Iterator[tuple[str, Decimal]]:
    for part in parts:
        yield from part.items()
