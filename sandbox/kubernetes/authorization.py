"""Who asks, and what they may do: by the roles that are bound to them, as RBAC has it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sandbox.kubernetes import kinds, statuses
from sandbox.kubernetes.kinds import Object
from sandbox.kubernetes.requests import Request, Target
from sandbox.kubernetes.store import Store

EVERYTHING: Object = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
_EVERYBODYS = ("/version", "/healthz", "/livez", "/readyz")
_ROLE = kinds.by_name("Role")
_CLUSTER_ROLE = kinds.by_name("ClusterRole")
_BINDING = kinds.by_name("RoleBinding")
_CLUSTER_BINDING = kinds.by_name("ClusterRoleBinding")


@dataclass(frozen=True, slots=True)
class User:
    """Who asks, and rules (as in a ClusterRole) that hold for them besides what is bound."""

    name: str
    groups: tuple[str, ...] = ("system:authenticated",)
    rules: tuple[Object, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to do; `resource` with its subresource, as `deployments/scale`."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    def allowed_by(self, rule: Object) -> bool:
        """Whether a rule says so."""
        names = rule.get("resourceNames") or []
        return (
            _in(self.verb, rule.get("verbs") or [])
            and _in(self.group, rule.get("apiGroups") or [])
            and (
                _in(self.resource, rule.get("resources") or [])
                or f"*/{self.resource.partition('/')[2]}" in (rule.get("resources") or [])
            )
            and (not names or self.name in names)
        )


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
ADMIN = User("sandbox-admin", ("system:masters", "system:authenticated"), (EVERYTHING,))


def service_account(namespace: str, name: str) -> User:
    """A service account as a user."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return User(f"system:serviceaccount:{namespace}:{name}", (*groups, "system:authenticated"))


def reason(store: Store, user: User, asked: Asked) -> str | None:
    """Why it is allowed; None if it is not."""
    for why, rule in _rules(store, user, asked.namespace):
        if asked.allowed_by(rule):
            return why
    return None


def check(store: Store, user: User, request: Request, target: Target, verb: str = "") -> None:
    """Refuse what the user may not do.

    Raises:
        Refusal: 403 in the words of RBAC.
    """
    kind, verb = target.kind, verb or request.verb(target)
    resource = f"{kind.plural}/{target.subresource}" if target.subresource else kind.plural
    asked = Asked(verb, kind.group, resource, target.scope, target.name)
    if reason(store, user, asked) is not None:
        return
    where = f'in the namespace "{target.scope}"' if target.scope else "at the cluster scope"
    why = (
        f'User "{user.name}" cannot {verb} resource "{resource}" '
        f'in API group "{kind.group}" {where}'
    )
    raise statuses.forbidden(kind, target.name, why)


def check_path(user: User, request: Request) -> None:
    """Refuse discovery to those who are nobody.

    Raises:
        Refusal: 403.
    """
    if user == ANONYMOUS and request.path not in _EVERYBODYS:
        raise statuses.forbidden_path(user.name, request.method.lower(), request.path)


def check_unserved(user: User, request: Request) -> None:
    """Refuse what is not served here to whoever has no right to everything, as it would be there.

    Raises:
        Refusal: 403.
    """
    if EVERYTHING not in user.rules:
        raise statuses.forbidden_path(user.name, request.method.lower(), request.path)


def check_grant(store: Store, user: User, kind: kinds.Kind, obj: Object) -> None:
    """Refuse a role or a binding that grants what its author does not hold.

    Whoever may `escalate` that role, or `bind` the role that is bound, need not hold it.

    Raises:
        Refusal: 403 with everything that is not held; 404 for a role that is not there.
    """
    namespace, name = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
    if kind in (_ROLE, _CLUSTER_ROLE):
        asked = Asked("escalate", kind.group, kind.plural, namespace, name)
        rules = obj.get("rules") or []
    else:
        ref = obj["roleRef"]
        role = _CLUSTER_ROLE if ref["kind"] == "ClusterRole" else _ROLE
        asked = Asked("bind", kind.group, role.plural, namespace, ref["name"])
        rules = []
    if reason(store, user, asked) is not None:
        return
    if kind in (_BINDING, _CLUSTER_BINDING):
        found = store.get(role, namespace if role == _ROLE else "", ref["name"])
        if found is None:
            raise statuses.not_found(role, ref["name"])
        rules = found.get("rules") or []
    missing = _not_held(store, user, namespace, rules)
    if missing:
        why = (
            f'user "{user.name}" (groups={_quoted(user.groups)}) is attempting to grant '
            "RBAC permissions not currently held:\n" + "\n".join(missing)
        )
        raise statuses.forbidden(kind, name, why)


def _rules(store: Store, user: User, namespace: str) -> Iterator[tuple[str, Object]]:
    """Every rule that holds for a user in a namespace, and by which binding."""
    for rule in user.rules:
        yield "", rule
    for kind, place in ((_CLUSTER_BINDING, ""), (_BINDING, namespace)):
        if kind == _BINDING and not namespace:
            return
        for binding in store.all(kind, place):
            subject = next((s for s in binding.get("subjects") or [] if _is(user, s, place)), None)
            if subject is None:
                continue
            ref = binding["roleRef"]
            role = _CLUSTER_ROLE if ref["kind"] == "ClusterRole" else _ROLE
            found = store.get(role, "" if role == _CLUSTER_ROLE else place, ref["name"]) or {}
            named = f"{place}/{binding['metadata']['name']}".lstrip("/")
            why = (
                f'RBAC: allowed by {kind.name} "{named}" of {ref["kind"]} "{ref["name"]}" '
                f'to {subject["kind"]} "{_shown(subject, place)}"'
            )
            for rule in found.get("rules") or []:
                yield why, rule


def _is(user: User, subject: Object, namespace: str) -> bool:
    match subject["kind"]:
        case "User":
            return bool(subject["name"] == user.name)
        case "Group":
            return subject["name"] in user.groups
        case _:
            place = subject.get("namespace") or namespace
            return user.name == service_account(place, subject["name"]).name


def _shown(subject: Object, namespace: str) -> str:
    name = str(subject["name"])
    if subject["kind"] != "ServiceAccount":
        return name
    return f"{name}/{subject.get('namespace') or namespace}"


def _in(value: str, allowed: Sequence[str]) -> bool:
    return value in allowed or "*" in allowed


def _not_held(store: Store, user: User, namespace: str, rules: Sequence[Object]) -> list[str]:
    held = [rule for _, rule in _rules(store, user, namespace)]
    missing: dict[tuple[str, str], list[str]] = {}
    for rule in rules:
        for group in rule.get("apiGroups") or []:
            for resource in rule.get("resources") or []:
                for verb in rule.get("verbs") or []:
                    wanted = Asked(verb, group, resource, namespace)
                    names = [replace(wanted, name=n) for n in rule.get("resourceNames") or []]
                    if not all(any(n.allowed_by(r) for r in held) for n in names or [wanted]):
                        missing.setdefault((group, resource), []).append(verb)
    return sorted(
        f"{{APIGroups:{_quoted([group])}, Resources:{_quoted([resource])}, Verbs:{_quoted(verbs)}}}"
        for (group, resource), verbs in missing.items()
    )


def _quoted(values: Sequence[str]) -> str:
    """As Go's `%q` writes a list of strings."""
    return "[" + " ".join(f'"{value}"' for value in dict.fromkeys(values)) + "]"
