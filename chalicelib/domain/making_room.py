"""Which of a tenant's objects is changed so that all fits a plan, and which gets its size back.

What runs is known by the pods themselves. A pod belongs to a workload if that one is there: one
that names somebody else as its owner is nobody's, and goes last, but goes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain import ending, pod_sizes, workloads
from chalicelib.domain.fitting import NOTHING, Amounts, Load, Turn, fitted, limits, total
from chalicelib.domain.labels import MANAGED_BY, Labels

Object = Mapping[str, Any]
Found = tuple[str, Object]

LOOKED_AT = (*workloads.STOPPABLE, "Job", "Pod")


@dataclass(frozen=True, slots=True)
class Step:
    """A merge patch of an object; without one it is deleted."""

    kind: str
    obj: Object
    patch: Object | None

    @property
    def name(self) -> str:
        """As messages have it."""
        return f"{self.kind} {self.obj['metadata']['name']}"


def to_fit(found: Sequence[Found], hard: Mapping[str, str], labels: Labels) -> list[Step]:
    """What makes room, until what runs is within a quota.

    A workload is given its new size; where it has that already, its pods are on their way out or
    nobody takes them there, and those beyond are deleted.
    """
    groups = _grouped(found)
    loads = [_as_it_runs(kind, obj, pods, labels) for kind, obj, pods in groups]
    sizes = fitted(loads, limits(hard))
    steps = []
    for load, (kind, obj, pods) in zip(loads, groups, strict=True):
        size = sizes[load.key]
        if size == len(pods):
            continue
        patch = None if load.turn is Turn.OURS else _smaller(kind, obj, size, len(pods), labels)
        if patch is not None:
            steps.append(Step(kind, obj, patch))
        else:
            steps += [Step("Pod", pod, None) for pod in _newest(pods)[: len(pods) - size]]
    return steps


def to_give_back(
    found: Sequence[Found], hard: Mapping[str, str], limit_range: Object, labels: Labels
) -> tuple[list[Step], bool]:
    """What grows again where a quota has room for it, and whether that is everything."""
    small, others = [], []
    for kind, obj, pods in _grouped(found):
        size = _remembered(kind, obj, labels)
        if size is None:
            others.append(_as_it_should_run(kind, obj, pods, limit_range))
        else:
            small.append((kind, obj, _load(kind, obj, size, limit_range), size))
    room = {name: limit - total(others, name) for name, limit in limits(hard).items()}
    sizes = fitted([load for _, _, load, _ in small], room)
    steps = [
        Step(kind, obj, patch)
        for kind, obj, load, size in small
        if (patch := _larger(kind, obj, sizes[load.key], size, labels)) is not None
    ]
    return steps, all(sizes[load.key] == size for _, _, load, size in small)


def _grouped(found: Sequence[Found]) -> list[tuple[str, Object, list[Object]]]:
    """Workloads with the pods that they run, and each other pod by itself; none that is ending."""
    own = workloads.with_a_size_of_their_own(found)
    kept = {id(obj) for _, obj in own}
    chief = {obj["metadata"]["uid"]: obj["metadata"]["uid"] for kind, obj in own if kind != "Pod"}
    for kind, obj in found:
        if kind == "ReplicaSet" and id(obj) not in kept:
            deployments = [uid for uid in workloads.owners(obj) if uid in chief]
            chief[obj["metadata"]["uid"]] = deployments[0]
    pods: dict[str, list[Object]] = {}
    alone: list[tuple[str, Object, list[Object]]] = []
    for kind, pod in found:
        if kind != "Pod" or ending.is_ending(pod):
            continue
        uid = next((chief[uid] for uid in workloads.owners(pod) if uid in chief), None)
        if uid is None or pod_sizes.has_ended(pod):
            alone.append((kind, pod, [pod]))
        else:
            pods.setdefault(uid, []).append(pod)
    running = [
        (kind, obj, pods.get(obj["metadata"]["uid"], []))
        for kind, obj in own
        if kind not in {"Pod", "CronJob"} and not ending.is_ending(obj)
    ]
    return running + alone + _left(pods, running)


def _left(
    pods: Mapping[str, list[Object]], running: Iterable[tuple[str, Object, list[Object]]]
) -> list[tuple[str, Object, list[Object]]]:
    """Pods of a workload that is being deleted are nobody's any more."""
    known = {obj["metadata"]["uid"] for _, obj, _ in running}
    return [("Pod", pod, [pod]) for uid, found in pods.items() if uid not in known for pod in found]


def _as_it_runs(kind: str, obj: Object, pods: Sequence[Object], labels: Labels) -> Load:
    ours = (obj["metadata"].get("labels") or {}).get(MANAGED_BY) == labels.app
    turn = Turn.OURS if ours else Turn.WORKLOAD
    if kind == "Pod":
        turn = Turn.ENDED if pod_sizes.has_ended(obj) else Turn.POD
    each: dict[str, Any] = {}
    for used in map(pod_sizes.of_pod, pods):
        each = {
            name: max(used.get(name, NOTHING), each.get(name, NOTHING)) for name in (*each, *used)
        }
    divisible = kind in workloads.SIZED or ours
    return Load(_key(kind, obj), _created(obj), len(pods), each, turn, divisible=divisible)


def _as_it_should_run(kind: str, obj: Object, pods: Sequence[Object], limit_range: Object) -> Load:
    """What counts on room of its own: a workload's size, or the pods that are there."""
    if kind in workloads.SIZED:
        return _load(kind, obj, obj["spec"].get("replicas", 1), limit_range)
    each = pod_sizes.of_pod(pods[0]) if pods else {}
    return Load(_key(kind, obj), _created(obj), len(pods), each)


def _load(kind: str, obj: Object, size: int, limit_range: Object) -> Load:
    each: Amounts = pod_sizes.of_spec(obj["spec"]["template"]["spec"], limit_range)
    divisible = kind in workloads.SIZED
    least = min(obj["spec"].get("replicas", 1), size) if divisible else 0
    return Load(_key(kind, obj), _created(obj), size, each, least=least, divisible=divisible)


def _smaller(kind: str, obj: Object, size: int, now: int, labels: Labels) -> Object | None:
    """The patch that makes a workload smaller; None where that is done, or there is none."""
    before = workloads.annotations(obj).get(labels.unfitted_size)
    match kind:
        case "DaemonSet":
            note = {labels.unfitted_size: before or str(now)}
            return workloads.on_no_node(obj, labels.fitted, note)
        case "Job":
            if obj["spec"].get("suspend"):
                return None
            parallel = str(obj["spec"].get("parallelism", 1))
            note = {labels.unfitted_size: before or parallel}
            return workloads.patch(obj, {"suspend": True}, note)
        case "Deployment" | "StatefulSet" | "ReplicaSet":
            wants = obj["spec"].get("replicas", 1)
            if wants <= size:
                return None
            return workloads.sized(obj, size, {labels.unfitted_size: before or str(wants)}, labels)
    return None


def _remembered(kind: str, obj: Object, labels: Labels) -> int | None:
    noted = workloads.annotations(obj).get(labels.unfitted_size)
    return None if kind == "Pod" or noted is None else workloads.remembered_size(noted)


def _larger(kind: str, obj: Object, size: int, whole: int, labels: Labels) -> Object | None:
    """The patch that makes a workload larger; None where there is no room for more of it."""
    note = {labels.unfitted_size: None if size >= whole else str(whole)}
    match kind:
        case "DaemonSet" if size:
            return workloads.on_nodes_again(obj, labels.fitted, note)
        case "Job" if size:
            return workloads.patch(obj, {"suspend": False}, note)
        case "Deployment" | "StatefulSet" | "ReplicaSet":
            wants = obj["spec"].get("replicas", 1)
            if size > wants or size >= whole:
                return workloads.sized(obj, max(size, wants), note, labels)
    return None


def _newest(pods: Iterable[Object]) -> list[Object]:
    return sorted(pods, key=lambda pod: (_created(pod), pod["metadata"]["name"]), reverse=True)


def _created(obj: Object) -> str:
    return str(obj["metadata"]["creationTimestamp"])


def _key(kind: str, obj: Object) -> str:
    return f"{kind}/{obj['metadata']['name']}"
