"""ValidatingAdmissionPolicies: the very CEL expressions of a policy, evaluated by a CEL library."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from celpy.adapter import json_to_cel
from celpy.evaluation import CELEvalError

from sandbox.kubernetes import cel, kinds, selectors, statuses
from sandbox.kubernetes.authorization import User
from sandbox.kubernetes.kinds import Kind, Object
from sandbox.kubernetes.store import Store

_POLICY = kinds.by_name("ValidatingAdmissionPolicy")
_BINDING = kinds.by_name("ValidatingAdmissionPolicyBinding")
_NAMESPACE = kinds.by_name("Namespace")
_CODES = {"Invalid": 422, "Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413}


@dataclass(frozen=True)
class Attempt:
    """A write on its way in, as policies see it; `before` and `after` are None where there is none.

    Attributes:
        operation: `CREATE`, `UPDATE` or `DELETE`.
        options: what a DELETE says besides.
    """

    user: User
    operation: str
    kind: Kind
    subresource: str
    namespace: str
    name: str
    after: Object | None
    before: Object | None
    namespace_object: Object | None
    dry_run: bool
    options: Mapping[str, Any] = field(default_factory=dict)
    _met: dict[str, bool] = field(default_factory=dict)

    @cached_property
    def request(self) -> Any:  # noqa: ANN401 - a CEL value
        """What was asked, and by whom: all that a condition of ours looks at.

        What is empty is left out: an expression that names it without `has` fails.
        """
        kind = self.kind
        within = self.name if kind == _NAMESPACE else self.namespace
        request: dict[str, Any] = {
            "operation": self.operation,
            "kind": {"group": kind.group, "version": kind.version, "kind": kind.name},
            "resource": {"group": kind.group, "version": kind.version, "resource": kind.plural},
            "dryRun": self.dry_run,
            "userInfo": {"username": self.user.name, "groups": list(self.user.groups)},
        }
        some: dict[str, Any] = {"subResource": self.subresource, "name": self.name}
        some |= {"namespace": within, "options": dict(self.options)}
        return json_to_cel(request | {name: value for name, value in some.items() if value})

    @cached_property
    def objects(self) -> dict[str, Any]:
        """The object before and after, and its namespace."""
        found = {
            "object": self.after, "oldObject": self.before, "namespaceObject": self.namespace_object
        }  # fmt: skip
        return {
            name: None if obj is None else json_to_cel(_plain(obj)) for name, obj in found.items()
        }

    def meets(self, condition: str) -> bool:
        """Whether a condition holds, which is often that of several policies.

        Raises:
            CELEvalError: it cannot be told.
        """
        if condition not in self._met:
            known = {"request": self.request} | (self.objects if "bject" in condition else {})
            self._met[condition] = bool(cel.evaluated(condition, known))
        return self._met[condition]


def _plain(obj: Object) -> Object:
    """Without managedFields: they are most of an object, and no expression of ours reads them."""
    metadata = {k: v for k, v in obj["metadata"].items() if k != "managedFields"}
    return {**obj, "metadata": metadata}


def check(store: Store, attempt: Attempt) -> None:
    """Refuse what a policy with a binding denies.

    Raises:
        Refusal: by the first validation that fails.
    """
    for binding in store.all(_BINDING):
        spec = binding.get("spec") or {}
        policy = store.get(_POLICY, "", spec.get("policyName", ""))
        if policy is None or "Deny" not in (spec.get("validationActions") or []):
            continue
        if not _matches(spec.get("matchResources") or {}, attempt):
            continue
        if not _matches(policy["spec"].get("matchConstraints") or {}, attempt):
            continue
        for message, reason in _all_denials(store, policy, spec, attempt):
            raise _refusal(policy, binding, attempt, message, reason)


def _all_denials(
    store: Store, policy: Object, binding: Object, attempt: Attempt
) -> Iterator[tuple[str, str]]:
    """A policy with parameters is asked once for each object that its binding selects."""
    kind = (policy["spec"].get("paramKind") or {}).get("kind")
    if kind is None:
        yield from _denials(policy, attempt, {})
        return
    chosen = (binding.get("paramRef") or {}).get("selector") or {}
    for each in store.all(kinds.by_name(kind)):
        if selectors.selects(chosen, each["metadata"].get("labels") or {}):
            yield from _denials(policy, attempt, {"params": json_to_cel(_plain(each))})


def _denials(
    policy: Object, attempt: Attempt, params: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    spec = policy["spec"]
    strict = spec.get("failurePolicy", "Fail") == "Fail"
    try:
        conditions = [each["expression"] for each in spec.get("matchConditions") or []]
        if not all(attempt.meets(expression) for expression in conditions):
            return
        known: dict[str, Any] = {"request": attempt.request, **params, **attempt.objects}
        variables = {each["name"]: each["expression"] for each in spec.get("variables") or []}
        known["variables"] = cel.Variables(variables, known)
        for each in spec.get("validations") or []:
            if not cel.evaluated(each["expression"], known):
                text = each.get("message") or f"failed expression: {each['expression'].strip()}"
                yield text, each.get("reason", "Invalid")
    except CELEvalError as e:
        if strict:
            yield f"an expression resulted in error: {e.args[0]}", "Invalid"


def _matches(wanted: Object, attempt: Attempt) -> bool:
    rules = wanted.get("resourceRules")
    if rules and not any(_rule_matches(rule, attempt) for rule in rules):
        return False
    if any(_rule_matches(rule, attempt) for rule in wanted.get("excludeResourceRules") or []):
        return False
    return _namespace_matches(wanted.get("namespaceSelector") or {}, attempt) and _object_matches(
        wanted.get("objectSelector") or {}, attempt
    )


def _rule_matches(rule: Object, attempt: Attempt) -> bool:
    kind, sub = attempt.kind, attempt.subresource
    names = {f"{kind.plural}/{sub}", f"*/{sub}", f"{kind.plural}/*", "*/*"} if sub else {
        kind.plural, "*", f"{kind.plural}/*", "*/*"
    }  # fmt: skip
    return bool(
        {kind.group, "*"} & set(rule.get("apiGroups") or [])
        and {kind.version, "*"} & set(rule.get("apiVersions") or [])
        and {attempt.operation, "*"} & set(rule.get("operations") or [])
        and names & set(rule.get("resources") or [])
        and (not rule.get("resourceNames") or attempt.name in rule["resourceNames"])
        and rule.get("scope", "*") in ("*", "Namespaced" if kind.namespaced else "Cluster")
    )


def _namespace_matches(selector: Object, attempt: Attempt) -> bool:
    """Cluster-scoped objects are never left out by it; a Namespace counts by its own labels.

    By those that it is to have, that is, unless it is deleted.
    """
    if not selector:
        return True
    if attempt.kind == _NAMESPACE:
        some = attempt.before if attempt.after is None else attempt.after
        return selectors.selects(selector, (some or {}).get("metadata", {}).get("labels") or {})
    if attempt.namespace_object is None:
        return not attempt.kind.namespaced
    labels = attempt.namespace_object["metadata"].get("labels") or {}
    return selectors.selects(selector, labels)


def _object_matches(selector: Object, attempt: Attempt) -> bool:
    return not selector or any(
        selectors.selects(selector, each["metadata"].get("labels") or {})
        for each in (attempt.before, attempt.after)
        if each is not None
    )


def _refusal(
    policy: Object, binding: Object, attempt: Attempt, message: str, reason: str
) -> statuses.Refusal:
    by = (
        f"ValidatingAdmissionPolicy '{policy['metadata']['name']}' "
        f"with binding '{binding['metadata']['name']}' denied request: {message}"
    )
    refusal = statuses.forbidden(attempt.kind, attempt.name, by, [{"message": by}])
    code = _CODES.get(reason, 422)
    return statuses.Refusal(code, refusal.message, reason, refusal.details)
