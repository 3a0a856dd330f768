"""Server-side apply: merge what is applied, prune what is no longer, refuse what is others'."""

from typing import Any

from sandbox.kubernetes import fields, managed, schema, statuses
from sandbox.kubernetes.fields import Fields
from sandbox.kubernetes.kinds import Kind, Object
from sandbox.kubernetes.managed import Manager, Share
from sandbox.kubernetes.schema import Type
from sandbox.kubernetes.statuses import Invalid

_METADATA: Fields = frozenset({("f:metadata",)})


def applied(  # noqa: PLR0913 - the parts of an apply request
    live: Object | None,
    config: Object,
    kind: Kind,
    manager: Manager,
    *,
    force: bool,
    now: str,
) -> Object:
    """The object after an apply, before defaults are filled in.

    Args:
        live: the object as stored; None if there is none yet.
        config: what is applied, already checked against the schema.
        kind: of both.
        manager: who applies.
        force: take fields from other managers instead of refusing.
        now: the time to write into managedFields.

    Raises:
        Refusal: 409 with every field that another manager owns with another value.
    """
    whole = schema.of(kind)
    wanted = managed.visible(config, kind, manager.subresource)
    mine = fields.owned(wanted, whole)
    base = live if live is not None else _identity(config)
    shared = managed.shares(base)
    if live is not None and not shared:
        shared = _before_first_apply(live, kind, now)
    merged = _merged(base, wanted, whole)
    merged = _pruned(merged, whole, shared, manager, mine)
    changed, removed = fields.difference(
        managed.visible(base, kind, manager.subresource),
        managed.visible(merged, kind, manager.subresource),
        whole,
    )
    conflicts = [
        (share.manager, path)
        for share in shared
        if share.manager != manager
        for path in sorted(share.owns & changed)
    ]
    if conflicts and not force:
        raise _conflict(conflicts)
    lost = removed | {path for _, path in conflicts}
    shared = managed.less(shared, lost, but=manager)
    return managed.put(merged, managed.written(shared, manager, mine, now))


def _identity(config: Object) -> Object:
    metadata = config["metadata"]
    kept = {name: metadata[name] for name in ("name", "namespace") if name in metadata}
    return {"apiVersion": config["apiVersion"], "kind": config["kind"], "metadata": kept}


def _before_first_apply(live: Object, kind: Kind, now: str) -> list[Share]:
    """Fields of an object that was never tracked belong to whoever came before."""
    owns = fields.owned(managed.visible(live, kind), schema.of(kind))
    manager = Manager("before-first-apply", "Update", kind.api_version)
    return [Share(manager, owns, now)] if owns else []


def _merged(live: Any, config: Any, kind: Type) -> Any:  # noqa: ANN401 - loose JSON
    if fields.is_leaf(config, kind) or fields.is_leaf(live, kind):
        return config
    if isinstance(config, list):
        return _merged_list(live, config, kind)
    result = dict(live)
    for name, value in config.items():
        found = kind.field(name)
        result[name] = (
            _merged(live[name], value, found) if name in live and found is not None else value
        )
    return result


def _merged_list(live: list[Any], config: list[Any], kind: Type) -> list[Any]:
    """Items in the order applied; those that only the live list has keep their places between."""
    left = {fields.element(kind, item): item for item in live}
    wanted = {fields.element(kind, item) for item in config}
    result = []
    for item in config:
        key = fields.element(kind, item)
        if key not in left:
            result.append(item)
            continue
        for earlier in list(left):
            if earlier == key:
                break
            if earlier not in wanted:
                result.append(left.pop(earlier))
        result.append(_merged(left.pop(key), item, kind.items))
    return result + [item for key, item in left.items() if key not in wanted]


def _pruned(
    merged: Object, whole: Type, shared: list[Share], manager: Manager, mine: Fields
) -> Object:
    """Without what this manager owned, owns no more, and nobody else owns."""
    others = frozenset[fields.Path]().union(
        *(share.owns for share in shared if share.manager != manager)
    )
    dropped = managed.own(shared, manager) - mine - others
    if not dropped:
        return merged
    keep = mine | others
    drop = fields.named_ancestors(dropped) - keep - _METADATA
    result: Object = fields.without(merged, whole, drop, keep)
    return result


def _conflict(conflicts: list[tuple[Manager, fields.Path]]) -> statuses.Refusal:
    causes = [
        Invalid(fields.shown(path), f"conflict with {manager}", "FieldManagerConflict")
        for manager, path in conflicts
    ]
    if len(conflicts) == 1:
        manager, path = conflicts[0]
        text = f"Apply failed with 1 conflict: conflict with {manager}: {fields.shown(path)}"
        return statuses.apply_conflict(text, causes)
    lines = []
    for manager in sorted({manager for manager, _ in conflicts}, key=str):
        lines.append(f"conflicts with {manager}:")
        lines += [f"- {fields.shown(path)}" for other, path in conflicts if other == manager]
    text = f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)
    return statuses.apply_conflict(text, causes)
