"""OpenAPI v3, as far as kubectl reads it before an apply: what the server validates itself."""

from sandbox.kubernetes.kinds import GROUP_VERSIONS, KINDS, Kind, Object
from sandbox.kubernetes.requests import Answer, as_json

PATH = "/openapi/v3"


def answer(path: str) -> Answer | None:
    """The index, or the document of one group and version."""
    by_path = {_base(*each): each for each in GROUP_VERSIONS}
    if path == PATH:
        paths = {p: {"serverRelativeURL": f"{PATH}/{p}"} for p in sorted(by_path)}
        return as_json(200, {"paths": paths})
    found = by_path.get(path.removeprefix(f"{PATH}/"))
    return as_json(200, _document(*found)) if found else None


def _base(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _document(group: str, version: str) -> Object:
    kinds = [kind for kind in KINDS if (kind.group, kind.version) == (group, version)]
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.36.2"},
        "paths": {_path(kind): {"patch": _patch(kind)} for kind in kinds},
    }


def _path(kind: Kind) -> str:
    place = "/namespaces/{namespace}" if kind.namespaced else ""
    return f"/{_base(kind.group, kind.version)}{place}/{kind.plural}/{{name}}"


def _patch(kind: Kind) -> Object:
    gvk = {"group": kind.group, "kind": kind.name, "version": kind.version}
    return {
        "parameters": [{"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}],
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-group-version-kind": gvk,
    }
