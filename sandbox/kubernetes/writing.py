"""POST, PUT and PATCH: from the request to the object that is stored."""

from random import choice
from uuid import uuid4

from sandbox.kubernetes import (
    admission,
    apply,
    authorization,
    decoding,
    defaults,
    managed,
    patching,
    schema,
    sizes,
    statuses,
    validation,
)
from sandbox.kubernetes.authorization import User
from sandbox.kubernetes.kinds import Kind, Object
from sandbox.kubernetes.managed import Manager
from sandbox.kubernetes.requests import Request, Target
from sandbox.kubernetes.store import Store

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_APPLY = "application/apply-patch+yaml"
_PATCHES = ("application/merge-patch+json", patching.JSON_PATCH, patching.STRATEGIC)
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
        name = name or _generated(config)
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
    sizes.check(wanted)
    if live is not None and wanted == live:
        return 200, live
    if not request.dry_run:
        wanted = store.put(kind, wanted)
    return (201 if live is None else 200), wanted


def write_status(  # noqa: PLR0913, PLR0917 - the parts of a write
    store: Store, user: User, request: Request, target: Target, live: Object, now: str
) -> Object:
    """What a write below `status` leaves: the spec as it was, whatever else is sent.

    Labels and annotations are written with it, as the real one does.

    Raises:
        Refusal: whatever is wrong with it.
    """
    kind = target.kind
    if request.method == "PATCH":
        sent = patched(request, kind, live)
    elif request.content_type == _JSON:
        sent = request.json()
    else:
        raise statuses.unsupported_media_type()
    sent = decoding.with_servers_own(sent, {**live, "status": sent.get("status", {})})
    after = {**live, "metadata": sent["metadata"], "status": sent.get("status") or {}}
    admission.check_policies(store, user, request, target, after, live)
    validation.check(kind, after, live)
    by = Manager(request.manager, "Update", kind.api_version, "status")
    after = managed.updated(live, after, kind, by, now)
    return after if request.dry_run or after == live else store.put(kind, after)


def _generated(config: Object) -> str:
    """A name that the server makes up, where one is to begin with something."""
    begins = str(decoding.metadata_of(config).get("generateName", ""))
    return begins and f"{begins}{''.join(choice(_LETTERS) for _ in range(5))}"  # noqa: S311 - a name


def _body(request: Request, target: Target) -> Object:
    if request.method == "PATCH" and request.content_type == _APPLY:
        return decoding.config_to_apply(request, target)
    if request.method == "PATCH" and request.content_type in _PATCHES:
        return {}  # what is patched is not known before what is there
    if request.content_type != _JSON or request.method == "PATCH":
        raise statuses.unsupported_media_type()  # a newer kubectl would create by protobuf
    return request.json()


def patched(request: Request, kind: Kind, live: Object) -> Object:
    """What a patch of any kind makes of an object.

    Raises:
        Refusal: 400, 415 or 422.
    """
    match request.content_type:
        case patching.JSON_PATCH:
            after = patching.by_operations(live, request.loose_json())
        case patching.STRATEGIC:
            after = patching.strategic(live, request.json(), schema.of(kind))
        case "application/merge-patch+json":
            after = decoding.merged(live, request.json())
        case _:
            raise statuses.unsupported_media_type()
    if not isinstance(after, dict):
        raise statuses.bad_request("what the patch makes is no object")
    return after


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
    after = patched(request, kind, live) if request.method == "PATCH" else body
    version = decoding.metadata_of(after).get("resourceVersion")
    if version not in (None, live["metadata"]["resourceVersion"]):
        why = (
            "the object has been modified; please apply your changes to the latest version "
            "and try again"
        )
        raise statuses.conflict(kind, target.name, why)
    uid, has = decoding.metadata_of(after).get("uid"), live["metadata"]["uid"]
    if uid not in (None, has) and request.method == "PATCH":
        why = f'Invalid value: "{uid}": field is immutable'
        raise statuses.invalid(kind, target.name, [statuses.Invalid("metadata.uid", why)])
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
