"""What hangs below an object: a service account's token, a workload's scale, a status."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe

from sandbox.kubernetes import admission, decoding, kinds, managed, protobuf, statuses
from sandbox.kubernetes.authorization import User, service_account
from sandbox.kubernetes.kinds import Object
from sandbox.kubernetes.managed import Manager
from sandbox.kubernetes.requests import Answer, Request, Target, as_json
from sandbox.kubernetes.store import Store

SCALED = ("deployments", "replicasets", "statefulsets")
_HOUR = 3600
_SHORTEST = 600
_MERGE = "application/merge-patch+json"

Issue = Callable[[str, User, float], None]
"""Takes a new token, whose it is, and until when (epoch seconds)."""


def served(target: Target) -> bool:
    """Whether there is such a thing here."""
    if target.subresource == "status":
        return target.kind.status
    if target.kind.name == "ServiceAccount":
        return target.subresource == "token"
    if target.kind.name == "Pod" and target.subresource == "binding":
        return True
    if target.subresource == "status":
        return target.kind.status
    return target.subresource == "scale" and target.kind.plural in SCALED


def token(request: Request, target: Target, found: Object, now: float, issue: Issue) -> Answer:
    """A TokenRequest: a token of this service account for a while.

    Raises:
        Refusal: 422 for less than ten minutes.
    """
    asked = request.either(protobuf.token_request)
    seconds = (asked.get("spec") or {}).get("expirationSeconds") or _HOUR
    if seconds < _SHORTEST:
        why = f"Invalid value: {seconds}: may not specify a duration less than 10 minutes"
        error = statuses.Invalid("spec.expirationSeconds", why)
        raise statuses.invalid(kinds.by_name("ServiceAccount"), target.name, [error])
    made = token_urlsafe(24)
    issue(made, service_account(target.namespace, found["metadata"]["name"]), now + seconds)
    until = datetime.fromtimestamp(now, UTC) + timedelta(seconds=seconds)
    body = {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"name": target.name, "namespace": target.namespace},
        "spec": {"expirationSeconds": seconds},
        "status": {"token": made, "expirationTimestamp": until.strftime("%Y-%m-%dT%H:%M:%SZ")},
    }
    return as_json(201, body)


def binding(store: Store, request: Request, target: Target, found: Object) -> Answer:
    """What a scheduler asks: a node runs the pod from now on.

    Raises:
        Refusal: 409, it runs on one already.
    """
    if found["spec"].get("nodeName"):
        node = found["spec"]["nodeName"]
        why = f'pod {target.name} is already assigned to node "{node}"'
        raise statuses.conflict(kinds.by_name("Pod"), target.name, why)
    node = str((request.json().get("target") or {}).get("name") or "")
    store.put(target.kind, {**found, "spec": {**found["spec"], "nodeName": node}})
    return as_json(201, statuses.success(target.kind, target.name, found["metadata"]["uid"]))


def scale(  # noqa: PLR0913, PLR0917 - the parts of a write
    store: Store, user: User, request: Request, target: Target, found: Object, now: str
) -> Answer:
    """Read or write how many replicas there are.

    Raises:
        Refusal: 405, 415, or what admission says.
    """
    if request.method == "GET":
        return as_json(200, _scale(found))
    if request.method not in ("PATCH", "PUT"):
        raise statuses.method_not_allowed()
    if request.content_type not in (_MERGE, "application/json"):
        raise statuses.unsupported_media_type()
    body = request.json()
    before = _scale(found)
    after = decoding.merged(before, body) if request.method == "PATCH" else body
    replicas = (after.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int) or isinstance(replicas, bool) or replicas < 0:
        raise statuses.bad_request("spec.replicas must be a whole number from 0")
    admission.check_policies(store, user, request, target, after, before)
    by = Manager(request.manager, "Update", target.kind.api_version, "scale")
    changed = {**found, "spec": {**found["spec"], "replicas": replicas}}
    if changed != found and not request.dry_run:
        changed = store.put(target.kind, managed.updated(found, changed, target.kind, by, now))
    return as_json(200, _scale(changed))


def _scale(found: Object) -> Object:
    metadata = found["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: metadata[name] for name in kept},
        "spec": {"replicas": found["spec"].get("replicas", 1)},
        "status": {"replicas": (found.get("status") or {}).get("replicas", 0)},
    }
