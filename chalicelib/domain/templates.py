"""Reads an adopter's own objects for a plan, and names everything that is wrong with them at once.

A placeholder is `{{namespace}}`, `{{tenant}}`, `{{plan}}`, `{{app}}` or `{{entitlement.<name>}}`,
anywhere in a text. It is filled in after the YAML was read, so no value can change its structure.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import yaml

from chalicelib.domain import placeholders, strict_json, tenant
from chalicelib.domain.catalogue import Catalogue, Plan
from chalicelib.domain.errors import Misconfigured
from chalicelib.domain.kubernetes_names import (
    DNS_LABEL,
    LONGEST_LABEL,
    LONGEST_SUBDOMAIN,
    SUBDOMAIN,
)

KINDS = {
    "ConfigMap": "v1",
    "CronJob": "batch/v1",
    "DaemonSet": "apps/v1",
    "Deployment": "apps/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "Ingress": "networking.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "Secret": "v1",
    "Service": "v1",
    "ServiceAccount": "v1",
    "StatefulSet": "apps/v1",
}
"""What may be in a template. No PersistentVolumeClaim: what leaves a plan is deleted, and a
customer's data is not a plan's to take away. The claims of a StatefulSet outlive it."""

_LONGEST_NAME = {"CronJob": 52, "Service": LONGEST_LABEL}
"""Characters, where it is fewer than for most: a CronJob's Jobs add eleven to its name."""

_TEXTS = {"ConfigMap": ("data", "binaryData"), "Secret": ("data", "stringData")}
"""Fields that are maps of texts. An API server that refuses one quotes it."""

_LARGEST = 1024 * 1024
"""Bytes of an object as JSON. What is larger the store behind an API server refuses."""

_POD_AT = {
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(("DaemonSet", "Deployment", "StatefulSet"), ("spec", "template", "spec")),
}


def loaded(catalogue: Catalogue, read: Callable[[str], Mapping[str, str]]) -> Catalogue:
    """The catalogue with each plan's templates in it.

    Args:
        catalogue: whose plans may name a folder.
        read: the YAML files of a folder, name and text; empty if there is none.

    Raises:
        Misconfigured: every problem at once, each with its plan, file and object.
    """
    problems: list[str] = []
    plans = []
    for plan in catalogue.plans:
        if plan.folder is not None:
            files = read(plan.folder)
            if not files:
                problems.append(f"plans.{plan.id}.templates: there is no {plan.folder}/*.yaml")
            taken = tenant.own_names(catalogue, plan)
            templates, wrong = _read(files, plan, taken)
            problems.extend(f"plans.{plan.id}.templates: {plan.folder}/{each}" for each in wrong)
            plan = replace(plan, templates=templates)  # noqa: PLW2901 - the same plan, filled
        plans.append(plan)
    if problems:
        raise Misconfigured("; ".join(problems))
    return replace(catalogue, plans=tuple(plans))


def _read(
    files: Mapping[str, str], plan: Plan, taken: set[tuple[str, str]]
) -> tuple[tuple[Mapping[str, Any], ...], list[str]]:
    found, wrong = [], []
    for file, text in sorted(files.items()):
        try:
            documents = [each for each in yaml.safe_load_all(text) if each is not None]
        except (yaml.YAMLError, ValueError) as e:  # a month 13 is a ValueError
            wrong.append(f"{file}: not YAML: {' '.join(str(e).split())}")
            continue
        for document in documents:
            wrong.extend(f"{file}: {each}" for each in _problems(document, plan, taken))
            found.append(document)
    return tuple(found), wrong


def _problems(document: object, plan: Plan, taken: set[tuple[str, str]]) -> Iterator[str]:
    if not isinstance(document, dict):
        yield "a document that is no object"
        return
    kind, metadata = str(document.get("kind")), document.get("metadata")
    if kind not in KINDS:
        yield f"kind {kind}: must be one of {', '.join(KINDS)}"
        return
    name = metadata.get("name") if isinstance(metadata, dict) else None
    look = DNS_LABEL if kind == "Service" else SUBDOMAIN
    if not isinstance(metadata, dict) or not (isinstance(name, str) and look.fullmatch(name)):
        yield f"{kind}: metadata.name must look like {look.pattern}, not {name!r}"
        return
    if wrong := list(strict_json.unfit(document)):
        yield from (f"{kind} {name}: {each}" for each in wrong)
        return
    yield from (f"{kind} {name}: {each}" for each in _faults(document, kind, metadata, plan))
    if (kind, name) in taken:
        yield f"{kind} {name}: there is already an object of this kind and name"
    taken.add((kind, name))


def _faults(
    document: Mapping[str, Any], kind: str, metadata: Mapping[str, Any], plan: Plan
) -> Iterator[str]:
    if document.get("apiVersion") != KINDS[kind]:
        yield f"apiVersion must be {KINDS[kind]}, not {document.get('apiVersion')!r}"
    longest = _LONGEST_NAME.get(kind, LONGEST_SUBDOMAIN)
    if len(metadata["name"]) > longest:
        yield f"metadata.name must have at most {longest} characters"
    yield from _no_texts(document, kind)
    size = len(json.dumps(document, default=str).encode())
    if size > _LARGEST:
        yield f"it has {size} bytes as JSON; the cluster takes no object of more than {_LARGEST}"
    if "namespace" in metadata:
        yield "metadata.namespace must not be given: it is the tenant's"
    if "status" in document:
        yield "status is not a template's to set"
    if kind in _POD_AT and not isinstance(_at(document, _POD_AT[kind]), dict):
        yield f"{'.'.join(_POD_AT[kind])} is missing"
    yield from _refused_by_the_cluster(document, kind)
    known = {*placeholders.ALWAYS, *(f"entitlement.{each}" for each in plan.entitlements)}
    unknown = sorted(placeholders.named_in(document) - known)
    if unknown:
        yield f"unknown placeholder {', '.join(unknown)}: known are {', '.join(sorted(known))}"


def _no_texts(document: Mapping[str, Any], kind: str) -> Iterator[str]:
    for field in _TEXTS.get(kind, ()):
        yield from strict_json.not_texts(document.get(field), field)
    if kind in _POD_AT:
        path = (*_POD_AT[kind], "nodeSelector")
        yield from strict_json.not_texts(_at(document, path), ".".join(path))
    for at, metadata in _all_metadata(document, ""):
        for field in ("labels", "annotations"):
            yield from strict_json.not_texts(metadata.get(field), f"{at}.{field}")


def _all_metadata(value: Any, at: str) -> Iterator[tuple[str, Mapping[str, Any]]]:  # noqa: ANN401 - YAML of any shape
    """An object's own metadata, and that of what it makes (pods, jobs, claims)."""
    items = enumerate(value) if isinstance(value, list) else ()
    for key, item in value.items() if isinstance(value, dict) else items:
        there = f"{at}[{key}]" if isinstance(value, list) else f"{at}.{key}".removeprefix(".")
        if key == "metadata" and isinstance(item, dict):
            yield there, item
        else:
            yield from _all_metadata(item, there)


def _refused_by_the_cluster(document: Mapping[str, Any], kind: str) -> Iterator[str]:
    """What the admission policies of infra/cluster.yaml would refuse, tenant by tenant."""
    named = _at(document, (*_POD_AT[kind], "priorityClassName")) if kind in _POD_AT else None
    if isinstance(named, str) and named.startswith("system-"):
        yield f"priorityClassName must not be {named}: its pods would push out everybody's"
    if kind != "Service":
        return
    if _at(document, ("spec", "externalIPs")):
        yield "spec.externalIPs must not be given: traffic of others would be taken over"
    if _at(document, ("spec", "type")) == "ExternalName":
        yield "spec.type must not be ExternalName: a tenant would reach inside addresses by it"


def _at(value: Any, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - YAML of any shape
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value
