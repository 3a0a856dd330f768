"""ResourceQuota: what an object uses, what a namespace has used, and what is too much."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from sandbox.kubernetes import kinds, quantities, statuses
from sandbox.kubernetes.kinds import KINDS, Kind, Object
from sandbox.kubernetes.store import Store

Usage = Mapping[str, Decimal]

_QUOTA = kinds.by_name("ResourceQuota")
_COUNTED = (
    "configmaps", "persistentvolumeclaims", "pods", "resourcequotas", "secrets", "services",
)  # fmt: skip
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_REQUIRED = ("cpu", "memory")
_ENDED = ("Succeeded", "Failed")
_OBJECT_COUNT = "count/"


def usage(kind: Kind, obj: Object) -> Usage:
    """What one object uses, by the names that quotas have for it."""
    used: Counter[str] = Counter({f"{_OBJECT_COUNT}{kind.resource}": 1})
    if not kind.group and kind.plural in _COUNTED:
        used[kind.plural] = 1
    spec = obj.get("spec") or {}
    amounts: dict[str, Decimal] = {name: Decimal(count) for name, count in used.items()}
    match kind.name:
        case "Pod":
            ended = (obj.get("status") or {}).get("phase") in _ENDED
            amounts = {f"{_OBJECT_COUNT}pods": Decimal(1)} if ended else amounts | _pod(spec)
        case "Service":
            amounts |= _service(spec)
        case "PersistentVolumeClaim":
            wants = (spec.get("resources") or {}).get("requests") or {}
            amounts["requests.storage"] = quantities.amount(wants.get("storage", "0"))
    return amounts


def _pod(spec: Object) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for side in ("requests", "limits"):
        for name in _COMPUTE:
            running = _amounts(spec.get("containers") or [], side, name)
            starting = _amounts(spec.get("initContainers") or [], side, name)
            if running or starting:
                found[f"{side}.{name}"] = max(sum(running, Decimal(0)), *starting, Decimal(0))
                if side == "requests":
                    found[name] = found[f"{side}.{name}"]
    return found


def _amounts(containers: Iterable[Object], side: str, name: str) -> list[Decimal]:
    return [
        quantities.amount(sized[name])
        for container in containers
        if name in (sized := (container.get("resources") or {}).get(side) or {})
    ]


def _service(spec: Object) -> dict[str, Decimal]:
    ports = Decimal(len(spec.get("ports") or []))
    match spec.get("type"):
        case "LoadBalancer":
            on_nodes = ports if spec.get("allocateLoadBalancerNodePorts", True) else Decimal(0)
            return {"services.loadbalancers": Decimal(1), "services.nodeports": on_nodes}
        case "NodePort":
            return {"services.nodeports": ports}
        case _:
            return {}


def status(store: Store, quota: Object) -> Object:
    """A quota's status as the controller works it out."""
    hard = dict((quota.get("spec") or {}).get("hard") or {})
    used = used_in(store, quota, hard)
    shown = {name: _written(name, used[name], hard[name]) for name in hard}
    return {"hard": hard, "used": shown} if hard else {}


def used_in(store: Store, quota: Object, names: Iterable[str]) -> dict[str, Decimal]:
    """What a quota's namespace uses of each of these, by whatever the quota concerns."""
    total = dict.fromkeys(names, Decimal(0))
    for kind in _concerned(tuple(total)):
        concerned = (
            obj
            for obj in store.all(kind, quota["metadata"]["namespace"])
            if _concerns_it(quota, kind, obj)
        )
        for obj in concerned:
            for name, amount in usage(kind, obj).items():
                if name in total:
                    total[name] += amount
    return total


@cache
def _concerned(names: tuple[str, ...]) -> tuple[Kind, ...]:
    return tuple(kind for kind in KINDS if kind.namespaced and _concerns(kind, names))


def _concerns(kind: Kind, names: Iterable[str]) -> bool:
    parts = {
        "Pod": (*_COMPUTE, "requests.", "limits."),
        "PersistentVolumeClaim": ("requests.storage",),
    }.get(kind.name, ())
    starts = (kind.plural, f"{_OBJECT_COUNT}{kind.resource}", *parts)
    return any(name.startswith(starts) for name in names)


def _written(name: str, amount: Decimal, like: Any) -> str:  # noqa: ANN401 - a quantity
    sized = name.endswith(("memory", "storage"))
    return quantities.written(amount, binary=sized or quantities.is_binary(str(like)))


def check(store: Store, kind: Kind, obj: Object, before: Object | None) -> None:
    """Refuse an object with which its namespace would use more than a quota allows.

    Raises:
        Refusal: 403 in the words of the quota plugin.
    """
    now, was = usage(kind, obj), usage(kind, before) if before is not None else {}
    more = {name: amount - was.get(name, Decimal(0)) for name, amount in now.items()}
    metadata = obj["metadata"]
    for quota in store.all(_QUOTA, metadata["namespace"]):
        if not _concerns_it(quota, kind, obj):
            continue
        hard = {
            name: limit
            for name, limit in ((quota.get("spec") or {}).get("hard") or {}).items()
            if more.get(name, 0) > 0
        }
        name = quota["metadata"]["name"]
        if kind.name == "Pod" and before is None:
            _must_be_sized(quota, obj)
        used = used_in(store, quota, hard)
        over = sorted(
            each for each in hard if used[each] + more[each] > quantities.amount(hard[each])
        )
        if over:
            requested = ",".join(f"{n}={_written(n, more[n], hard[n])}" for n in over)
            taken = ",".join(f"{n}={_written(n, used[n], hard[n])}" for n in over)
            limited = ",".join(f"{n}={hard[n]}" for n in over)
            why = (
                f"exceeded quota: {name}, requested: {requested}, used: {taken}, limited: {limited}"
            )
            raise statuses.forbidden(kind, metadata["name"], why)


def _concerns_it(quota: Object, kind: Kind, obj: Object) -> bool:
    """Of the scopes that a quota can have, the one of pods that look to other namespaces."""
    scopes = ((quota.get("spec") or {}).get("scopeSelector") or {}).get("matchExpressions") or []
    if not any(each.get("scopeName") == "CrossNamespacePodAffinity" for each in scopes):
        return True
    return kind.name == "Pod" and any(
        "namespaceSelector" in term or term.get("namespaces")
        for side in ("podAffinity", "podAntiAffinity")
        for term in _terms(((obj.get("spec") or {}).get("affinity") or {}).get(side) or {})
    )


def _terms(side: Object) -> Iterator[Object]:
    yield from side.get("requiredDuringSchedulingIgnoredDuringExecution") or []
    for each in side.get("preferredDuringSchedulingIgnoredDuringExecution") or []:
        yield each.get("podAffinityTerm") or {}


def _must_be_sized(quota: Object, pod: Object) -> None:
    """With cpu or memory under quota, every container must say how much it wants; of disk, none."""
    missing = []
    for name in sorted((quota.get("spec") or {}).get("hard") or {}):
        side, _, resource = name.rpartition(".")
        if resource not in _REQUIRED or side not in ("", "requests", "limits"):
            continue
        unsized = [
            container["name"]
            for container in pod["spec"].get("containers") or []
            if resource not in ((container.get("resources") or {}).get(side or "requests") or {})
        ]
        if unsized:
            missing.append(f"{name} for: {','.join(unsized)}")
    if missing:
        why = f"failed quota: {quota['metadata']['name']}: must specify {'; '.join(missing)}"
        raise statuses.forbidden(kinds.by_name("Pod"), pod["metadata"]["name"], why)
