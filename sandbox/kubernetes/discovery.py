"""What clients ask to learn what is served: versions, groups, resources."""

from functools import cache

from sandbox.kubernetes.kinds import GROUP_VERSIONS, KINDS, Kind, Object
from sandbox.kubernetes.requests import Answer, Request, as_json, as_text

_VERSION: Object = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.2",
    "gitCommit": "",
    "gitTreeState": "",
    "buildDate": "",
    "goVersion": "go1.26.6",
    "compiler": "gc",
    "platform": "linux/amd64",
}
_VERBS = ("create", "delete", "get", "list", "patch", "update", "watch")


def answer(request: Request) -> Answer | None:
    """The answer, if the path is one of these."""
    path = request.path.rstrip("/")
    if path in ("/healthz", "/livez", "/readyz"):
        return as_text(200, "ok")
    if path == "/api":
        where = {"clientCIDR": "0.0.0.0/0", "serverAddress": request.headers.get("host", "")}
        body = {"versions": ["v1"], "serverAddressByClientCIDRs": [where]}
        return as_json(200, {"kind": "APIVersions", **body})
    document = _documents().get(path)
    return as_json(200, document) if document else None


@cache
def _documents() -> dict[str, Object]:
    groups = [_group(*each) for each in sorted(GROUP_VERSIONS) if each[0]]
    found: dict[str, Object] = {
        "/version": _VERSION,
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups},
        # The core group's list is the one that carries no apiVersion.
        "/api/v1": {"kind": "APIResourceList", **_resources("", "v1")},
    }
    for each in groups:
        name, version = each["name"], each["preferredVersion"]["version"]
        head = {"kind": "APIResourceList", "apiVersion": "v1"}
        found[f"/apis/{name}"] = {"kind": "APIGroup", "apiVersion": "v1", **each}
        found[f"/apis/{name}/{version}"] = {**head, **_resources(name, version)}
    return found


def _group(name: str, version: str) -> Object:
    listed = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [listed], "preferredVersion": listed}


def _resources(group: str, version: str) -> Object:
    found = [kind for kind in KINDS if (kind.group, kind.version) == (group, version)]
    resources = [_resource(kind) for kind in sorted(found, key=lambda kind: kind.plural)]
    return {"groupVersion": f"{group}/{version}".lstrip("/"), "resources": resources}


def _resource(kind: Kind) -> Object:
    resource: Object = {
        "name": kind.plural,
        "singularName": kind.name.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.name,
        "verbs": list(_VERBS),
    }
    if kind.short:
        resource["shortNames"] = list(kind.short)
    if kind.storage_hash:
        resource["storageVersionHash"] = kind.storage_hash
    return resource
