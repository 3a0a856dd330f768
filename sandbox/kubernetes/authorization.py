"""Who asks, and what they may do: each user comes with the rules that are bound to them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.kubernetes import kinds, statuses
from sandbox.kubernetes.kinds import Object
from sandbox.kubernetes.requests import Request, Target

EVERYTHING: Object = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
_EVERYBODYS = ("/version", "/healthz", "/livez", "/readyz")
_ROLE = kinds.by_name("Role")


@dataclass(frozen=True, slots=True)
class User:
    """Who asks, and the rules (as in a ClusterRole) that hold for them everywhere."""

    name: str
    groups: tuple[str, ...] = ("system:authenticated",)
    rules: tuple[Object, ...] = ()

    def may(self, verb: str, group: str, resource: str) -> bool:
        """Whether a rule allows it."""
        return any(
            _in(verb, rule["verbs"])
            and _in(group, rule["apiGroups"])
            and _in(resource, rule["resources"])
            for rule in self.rules
        )


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
ADMIN = User("sandbox-admin", ("system:masters", "system:authenticated"), (EVERYTHING,))


def _in(value: str, allowed: Sequence[str]) -> bool:
    return value in allowed or "*" in allowed


def check(user: User, request: Request, target: Target) -> None:
    """Refuse what the user may not do.

    Raises:
        Refusal: 403 in the words of RBAC.
    """
    kind, verb = target.kind, request.verb(target)
    if user.may(verb, kind.group, kind.plural):
        return
    where = f'in the namespace "{target.scope}"' if target.scope else "at the cluster scope"
    why = (
        f'User "{user.name}" cannot {verb} resource "{kind.plural}" '
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


def check_grant(user: User, role: Object) -> None:
    """Refuse a role that grants what its author does not hold, unless they may escalate.

    Raises:
        Refusal: 403 with everything that is not held.
    """
    if user.may("escalate", _ROLE.group, _ROLE.plural):
        return
    missing = _not_held(user, role.get("rules") or [])
    if missing:
        why = (
            f'user "{user.name}" (groups={_quoted(user.groups)}) is attempting to grant '
            "RBAC permissions not currently held:\n" + "\n".join(missing)
        )
        raise statuses.forbidden(_ROLE, role["metadata"]["name"], why)


def _not_held(user: User, rules: Sequence[Object]) -> list[str]:
    missing: dict[tuple[str, str], list[str]] = {}
    for rule in rules:
        for group in rule.get("apiGroups") or []:
            for resource in rule.get("resources") or []:
                for verb in rule.get("verbs") or []:
                    if not user.may(verb, group, resource):
                        missing.setdefault((group, resource), []).append(verb)
    return sorted(
        f"{{APIGroups:{_quoted([group])}, Resources:{_quoted([resource])}, Verbs:{_quoted(verbs)}}}"
        for (group, resource), verbs in missing.items()
    )


def _quoted(values: Sequence[str]) -> str:
    """As Go's `%q` writes a list of strings."""
    return "[" + " ".join(f'"{value}"' for value in dict.fromkeys(values)) + "]"
