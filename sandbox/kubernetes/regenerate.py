"""Makes `schemas.json` anew: `python -m sandbox.kubernetes.regenerate`.

Which fields exist, and of what type, is read off the official client's models. How they merge is
not written there, so that is the table below (the API's own `x-kubernetes-list-type`,
`-list-map-keys` and `-map-type` markers).
"""

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from sandbox.kubernetes.kinds import KINDS

TARGET = Path(__file__).with_name("schemas.json")

_ROOTS = tuple(kind.model for kind in KINDS)

_LISTS = {  # type.field -> keys of the items, or "set"; every other list is replaced whole
    "V1PodSpec.containers": "name",
    "V1PodSpec.initContainers": "name",
    "V1PodSpec.ephemeralContainers": "name",
    "V1PodSpec.volumes": "name",
    "V1PodSpec.imagePullSecrets": "name",
    "V1PodSpec.hostAliases": "ip",
    "V1PodSpec.topologySpreadConstraints": "topologyKey,whenUnsatisfiable",
    "V1PodSpec.schedulingGates": "name",
    "V1PodSpec.resourceClaims": "name",
    "V1Container.ports": "containerPort,protocol",
    "V1Container.env": "name",
    "V1Container.volumeMounts": "mountPath",
    "V1Container.volumeDevices": "devicePath",
    "V1EphemeralContainer.ports": "containerPort,protocol",
    "V1EphemeralContainer.env": "name",
    "V1EphemeralContainer.volumeMounts": "mountPath",
    "V1ResourceRequirements.claims": "name",
    "V1ServiceSpec.ports": "port,protocol",
    "V1ServiceAccount.secrets": "name",
    "V1ObjectMeta.ownerReferences": "uid",
    "V1ObjectMeta.finalizers": "set",
    "V1ValidatingAdmissionPolicySpec.matchConditions": "name",
    "V1ValidatingAdmissionPolicySpec.variables": "name",
}
_ATOMIC_MAPS = {"V1ServiceSpec.selector", "V1PodSpec.nodeSelector"}
_ATOMIC_STRUCTS = {
    "V1LabelSelector", "V1RoleRef", "V1ScopeSelector", "V1ObjectReference",
    "V1LocalObjectReference", "V1SecretKeySelector", "V1ConfigMapKeySelector",
    "V1ObjectFieldSelector", "V1ResourceFieldSelector", "V1NodeSelector", "V1NodeSelectorTerm",
    "V1TypedLocalObjectReference",
}  # fmt: skip
_QUANTITIES = {
    "V1ResourceQuotaSpec.hard",
    "V1ResourceQuotaStatus.hard",
    "V1ResourceQuotaStatus.used",
    "V1LimitRangeItem.default",
    "V1LimitRangeItem.defaultRequest",
    "V1LimitRangeItem.max",
    "V1LimitRangeItem.maxLimitRequestRatio",
    "V1LimitRangeItem.min",
    "V1ResourceRequirements.limits",
    "V1ResourceRequirements.requests",
    "V1VolumeResourceRequirements.limits",
    "V1VolumeResourceRequirements.requests",
    "V1PersistentVolumeClaimStatus.capacity",
    "V1PodSpec.overhead",
    "V1EmptyDirVolumeSource.sizeLimit",
}
_PLAIN = {"str": "string", "int": "integer", "bool": "boolean", "float": "number"}
_PLAIN |= {"bytes": "string", "datetime": "string", "object": "any"}


def schemas() -> dict[str, dict[str, str]]:
    """Every type that the roots reach: its fields and each field's type, in `schema`'s notation."""
    models = import_module("kubernetes.client.models")
    found: dict[str, dict[str, str]] = {}
    todo = list(_ROOTS)
    while todo:
        name = todo.pop()
        if name in found:
            continue
        model: Any = getattr(models, name)
        found[name] = {
            model.attribute_map[attribute]: _type(f"{name}.{model.attribute_map[attribute]}", kind)
            for attribute, kind in sorted(model.openapi_types.items())
        }
        todo.extend(re.findall(r"&(\w+)", " ".join(found[name].values())))
    return dict(sorted(found.items()))


def _type(field: str, python: str) -> str:
    plain = "quantity" if field in _QUANTITIES else _PLAIN.get(python)
    if inner := re.fullmatch(r"List\[(.+)\]", python):
        by = _LISTS.get(field)
        if by is None and inner[1] in {"V1Condition", *_conditions(inner[1])}:
            by = "type"
        return f"[{by or ''}]{_type(field, inner[1])}"
    if inner := re.fullmatch(r"Dict\[str, (.+)\]", python):
        return f"{'{!}' if field in _ATOMIC_MAPS else '{}'}{_type(field, inner[1])}"
    if plain is not None:
        return plain
    return f"{'!' if python in _ATOMIC_STRUCTS else ''}&{python}"


def _conditions(name: str) -> set[str]:
    return {name} if name.endswith("Condition") and name != "V1MatchCondition" else set()


if __name__ == "__main__":
    TARGET.write_text(json.dumps(schemas(), indent=0, separators=(",", ":")) + "\n")
