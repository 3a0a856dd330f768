"""What an administrator would have applied to a new cluster: `infra/cluster.yaml`."""

import json
from pathlib import Path

import yaml

from sandbox.kubernetes import kinds
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.kinds import Object
from sandbox.kubernetes.requests import parse

FILE = Path(__file__).parents[2] / "infra" / "cluster.yaml"
WORKER = ("arm-engine", "worker")
"""Namespace and name of the worker's service account."""


def objects() -> list[Object]:
    """The objects of the file, in its order."""
    return list(yaml.safe_load_all(FILE.read_text("utf-8")))


def path_of(obj: Object) -> str:
    """Where an object is applied."""
    kind, metadata = kinds.by_name(obj["kind"]), obj["metadata"]
    base = f"/apis/{kind.api_version}" if kind.group else "/api/v1"
    place = f"/namespaces/{metadata['namespace']}" if kind.namespaced else ""
    return f"{base}{place}/{kind.plural}/{metadata['name']}"


def apply(cluster: Cluster, token: str) -> None:
    """Apply them with an administrator's token.

    Raises:
        RuntimeError: the cluster refuses one.
    """
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/apply-patch+yaml"}
    for obj in objects():
        path = f"{path_of(obj)}?fieldManager=kubectl"
        answer = cluster.handle(parse("PATCH", path, headers, json.dumps(obj).encode()))
        if answer.status not in (200, 201):
            raise RuntimeError(f"{path}: {answer.status} {answer.body.decode()}")
