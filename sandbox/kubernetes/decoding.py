"""From a request's body to the object it means; the 400s, and the 500s of an apply."""

import json
from typing import Any

import yaml

from sandbox.kubernetes import quantities, schema, statuses
from sandbox.kubernetes.kinds import Kind, Object
from sandbox.kubernetes.requests import Request, Target

_SERVERS_OWN = (
    "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
    "deletionGracePeriodSeconds", "managedFields",
)  # fmt: skip


def config_to_apply(request: Request, target: Target) -> Object:
    """The body of a server-side apply.

    Raises:
        Refusal: 422 without a fieldManager, 400 for what is not this object, and as the real one
            does 500, without a reason, for a field that its kind does not have.
    """
    if not request.query.get("fieldManager"):
        why = "Required value: is required for apply patch"
        error = statuses.Invalid("fieldManager", why, "FieldValueRequired")
        raise statuses.invalid_options("PatchOptions", [error])
    config = _placed(_yaml(request.body), target, target.name)
    if "managedFields" in config["metadata"]:
        raise statuses.bad_request("metadata.managedFields must be nil")
    lines = schema.undeclared(config, schema.of(target.kind))
    if lines:
        text = lines[0] if len(lines) == 1 else "errors:\n  " + "\n  ".join(lines)
        raise statuses.internal(f"failed to create typed patch object ({_where(target)}): {text}")
    return config


def converted(target: Target, merged: Object) -> Object:
    """What came of an apply, in the kind's own form.

    Raises:
        Refusal: 500 without a reason for a quantity that cannot be read.
    """
    whole = schema.of(target.kind)
    if schema.has_bad_quantity(merged, whole):
        raise statuses.internal(
            f"failed to convert new object ({_where(target)}) to proper version: unable to "
            f"convert unstructured object to {target.kind.gvk}: {quantities.REFUSAL}"
        )
    obj: Object = schema.pruned(merged, whole)
    return obj


def decoded(target: Target, config: Object, name: str) -> Object:
    """The body of a plain write: what the kind does not have, and what is the server's, falls away.

    Raises:
        Refusal: 400.
    """
    kind, whole = target.kind, schema.of(target.kind)
    config = _placed(config, target, name)
    for field in _SERVERS_OWN:
        config["metadata"].pop(field, None)
    if kind.status:
        config.pop("status", None)
    if schema.has_bad_quantity(config, whole):
        raise statuses.undecodable(kind, quantities.REFUSAL)
    obj: Object = schema.pruned(config, whole)
    if misfits := schema.undeclared(obj, whole):
        raise statuses.undecodable(kind, "; ".join(misfits))
    return obj


def with_servers_own(obj: Object, live: Object) -> Object:
    """The object with what only the server writes, as it was."""
    kept = {name: v for name, v in live["metadata"].items() if name in _SERVERS_OWN}
    status = {"status": live["status"]} if "status" in live else {}
    return {**obj, **status, "metadata": {**obj["metadata"], **kept}}


def merged(live: Any, patch: Any) -> Any:  # noqa: ANN401 - loose JSON
    """A JSON merge patch: null removes, objects merge, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(live) if isinstance(live, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def metadata_of(config: Object) -> Object:
    """The body's metadata, empty if there is none.

    Raises:
        Refusal: 400, it is no object.
    """
    metadata = config.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise statuses.bad_request("metadata is not an object")
    return metadata


def _yaml(text: bytes) -> Object:
    try:
        config = json.loads(text)  # all of JSON is YAML, and this is 50 times as fast
    except ValueError:
        try:
            config = yaml.safe_load(text)
        except (yaml.YAMLError, UnicodeDecodeError) as e:
            raise statuses.bad_request(f"error decoding YAML: {e}") from e
    if not isinstance(config, dict):
        raise statuses.bad_request("error decoding YAML: not an object")
    return config


def _placed(config: Object, target: Target, name: str) -> Object:
    """The body with the name and the namespace of the path, with which it has to agree."""
    _check_kind(target.kind, config)
    metadata = metadata_of(config)
    place = {"namespace": target.namespace} if target.kind.namespaced else {}
    for field, wanted in (("name", name), *place.items()):
        if metadata.get(field, wanted) != wanted:
            raise statuses.bad_request(
                f"the {field} of the object ({metadata[field]}) does not match "
                f"the {field} on the URL ({wanted})"
            )
    return {**config, "metadata": {**metadata, "name": name, **place}}


def _check_kind(kind: Kind, config: Object) -> None:
    version, name = str(config.get("apiVersion", "")), config.get("kind", "")
    if (version, name) != (kind.api_version, kind.name):
        group, _, version = version.rpartition("/")
        raise statuses.bad_request(f"invalid object type: {group}/{version}, Kind={name}")


def _where(target: Target) -> str:
    return f"{target.namespace}/{target.name}; {target.kind.gvk}"
