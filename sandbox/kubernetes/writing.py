"""POST, PUT and PATCH: from the request to the object that is stored."""

from uuid import uuid4

from sandbox.kubernetes import (
    admission,
    apply,
    authorization,
    decoding,
    defaults,
    managed,
    statuses,
    validation,
)
from sandbox.kubernetes.authorization import User
from sandbox.kubernetes.kinds import Kind, Object
from sandbox.kubernetes.managed import Manager
from sandbox.kubernetes.requests import Request, Target
from sandbox.kubernetes.store import Store

_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_JSON = "application/json"


def new(kind: Kind, config: Object, now: str, manager: str) -> Object:
    """A new object as a plain create makes it, before admission."""
    obj = defaults.filled(kind, config)
    empty = {"apiVersion": config["apiVersion"], "kind": config["kind"], "metadata": {}}
    by = Manager(manager, "Update", kind.api_version)
    return _born(kind, managed.updated(empty, obj, kind, by, now), now)


def write(
    store: Store, user: User, request: Request, target: Target, now: str
) -> tuple[int, Object]:
    """The status and the object to answer with; what does not change is not stored anew.

    Raises:
        Refusal: whatever is wrong with it.
    """
    kind, config = target.kind, _body(request, target)
    name = target.name or str(decoding.metadata_of(config).get("name", ""))
    live = store.get(kind, target.namespace, name)
    admission.check_namespace(store, kind, target.namespace, name, creating=live is None)
    if request.method == "POST":
        if live is not None:
            raise statuses.already_exists(kind, name)
        wanted = new(kind, decoding.decoded(target, config, name), now, request.manager)
    elif request.content_type == _APPLY:  # which only a PATCH can be
        if live is None:
            authorization.check(store, user, request, target, "create")
        wanted = _applied(request, target, live, config, now)
    elif live is None:
        raise statuses.not_found(kind, name)
    else:
        wanted = _updated(request, target, live, config, now)
    wanted = admission.admitted(store, kind, _counted(kind, wanted, live), live)
    validation.check(kind, wanted, live)
    admission.check_grants(store, user, kind, wanted, live)
    admission.check_policies(store, user, request, target, wanted, live)
    admission.check_quota(store, kind, wanted, live)
    if live is not None and wanted == live:
        return 200, live
    if not request.dry_run:
        wanted = store.put(kind, wanted)
    return (201 if live is None else 200), wanted


def _body(request: Request, target: Target) -> Object:
    if request.method == "PATCH" and request.content_type == _APPLY:
        return decoding.config_to_apply(request, target)
    if request.content_type != (_MERGE if request.method == "PATCH" else _JSON):
        raise statuses.unsupported_media_type()  # a newer kubectl would create by protobuf
    return request.json()


def _applied(
    request: Request, target: Target, live: Object | None, config: Object, now: str
) -> Object:
    kind = target.kind
    by = Manager(request.manager, "Apply", kind.api_version)
    force = request.query.get("force") in ("1", "true")
    merged = apply.applied(live, config, kind, by, force=force, now=now)
    wanted = defaults.filled(kind, decoding.converted(target, merged))
    return _born(kind, wanted, now) if live is None else wanted


def _updated(request: Request, target: Target, live: Object, body: Object, now: str) -> Object:
    kind = target.kind
    after = decoding.merged(live, body) if request.method == "PATCH" else body
    version = decoding.metadata_of(after).get("resourceVersion")
    if version not in (None, live["metadata"]["resourceVersion"]):
        why = (
            "the object has been modified; please apply your changes to the latest version "
            "and try again"
        )
        raise statuses.conflict(kind, target.name, why)
    uid, has = decoding.metadata_of(after).get("uid"), live["metadata"]["uid"]
    if uid not in (None, has):
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {has}"
        raise statuses.conflict(kind, target.name, why)
    obj = decoding.decoded(target, after, target.name)
    obj = defaults.filled(kind, decoding.with_servers_own(obj, live))
    by = Manager(request.manager, "Update", kind.api_version)
    return managed.updated(live, obj, kind, by, now)


def _born(kind: Kind, obj: Object, now: str) -> Object:
    metadata = {**obj["metadata"], "uid": str(uuid4()), "creationTimestamp": now}
    return defaults.started(kind, {**obj, "metadata": metadata})


def _counted(kind: Kind, obj: Object, live: Object | None) -> Object:
    """With its generation, which counts the changes of its spec."""
    if not kind.counts_generations:
        return obj
    generation = 1
    if live is not None:
        changed = obj.get("spec") != live.get("spec")
        generation = live["metadata"]["generation"] + changed
    return {**obj, "metadata": {**obj["metadata"], "generation": generation}}
