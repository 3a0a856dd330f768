"""Refusals: the `Status` bodies of a real API server, word for word."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.kubernetes.kinds import Kind, Object


@dataclass(frozen=True)
class Invalid:
    """One thing wrong with one field."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"


class Refusal(Exception):
    """A request that gets a Status instead of an object."""

    def __init__(
        self,
        code: int,
        message: str,
        reason: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.details = details

    @property
    def body(self) -> Object:
        """The Status."""
        status: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason is not None:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = dict(self.details)
        status["code"] = self.code
        return status


def _details(
    kind: Kind, name: str, causes: Sequence[Mapping[str, str]] = (), *, as_kind: bool = False
) -> Object:
    details: Object = {"kind": kind.name if as_kind else kind.plural}
    if name:
        details["name"] = name
    if kind.group:
        details["group"] = kind.group
    if causes:
        details["causes"] = [dict(cause) for cause in causes]
    return details


def _subject(kind: Kind, name: str) -> str:
    return f'{kind.resource} "{name}"' if name else kind.resource


def not_found(kind: Kind, name: str) -> Refusal:
    """There is no such object."""
    return Refusal(404, f'{kind.resource} "{name}" not found', "NotFound", _details(kind, name))


def no_such_resource() -> Refusal:
    """There is no such resource in a group that exists."""
    message = "the server could not find the requested resource"
    return Refusal(404, message, "NotFound", {})


def already_exists(kind: Kind, name: str) -> Refusal:
    """A POST of a name that is taken."""
    message = f'{kind.resource} "{name}" already exists'
    return Refusal(409, message, "AlreadyExists", _details(kind, name))


def conflict(kind: Kind, name: str, why: str) -> Refusal:
    """An optimistic lock or a precondition that did not hold."""
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return Refusal(409, message, "Conflict", _details(kind, name))


def apply_conflict(message: str, causes: Iterable[Invalid]) -> Refusal:
    """Fields of a server-side apply that belong to others."""
    listed = [{"reason": c.reason, "message": c.message, "field": c.field} for c in causes]
    return Refusal(409, message, "Conflict", {"causes": listed})


def forbidden(kind: Kind, name: str, why: str, causes: Sequence[Mapping[str, str]] = ()) -> Refusal:
    """Refused by authorization or by admission."""
    message = f"{_subject(kind, name)} is forbidden: {why}"
    return Refusal(403, message, "Forbidden", _details(kind, name, causes))


def forbidden_path(user: str, verb: str, path: str) -> Refusal:
    """A path outside the API that this user may not ask."""
    message = f'forbidden: User "{user}" cannot {verb} path "{path}"'
    return Refusal(403, message, "Forbidden", {})


def unauthorized() -> Refusal:
    """A credential that is not known."""
    return Refusal(401, "Unauthorized", "Unauthorized")


def invalid(kind: Kind, name: str, errors: Sequence[Invalid]) -> Refusal:
    """A well-formed object with values that are not allowed."""
    causes = [{"reason": e.reason, "message": e.message, "field": e.field} for e in errors]
    details = _details(kind, name, causes, as_kind=True)
    message = f'{kind.qualified} "{name}" is invalid: {_joined(errors)}'
    return Refusal(422, message, "Invalid", details)


def invalid_options(options: str, errors: Sequence[Invalid]) -> Refusal:
    """Query parameters that are not allowed."""
    causes = [{"reason": e.reason, "message": e.message, "field": e.field} for e in errors]
    details = {"group": "meta.k8s.io", "kind": options, "causes": causes}
    message = f'{options}.meta.k8s.io "" is invalid: {_joined(errors)}'
    return Refusal(422, message, "Invalid", details)


def _joined(errors: Sequence[Invalid]) -> str:
    lines = list(dict.fromkeys(f"{error.field}: {error.message}" for error in errors))
    return lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"


def bad_request(message: str) -> Refusal:
    """A request that makes no sense."""
    return Refusal(400, message, "BadRequest")


def undecodable(kind: Kind, why: str) -> Refusal:
    """A body (of anything but an apply) that does not decode into its kind."""
    return bad_request(
        f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}: {why}'
    )


def internal(message: str) -> Refusal:
    """What the real one answers with 500 and no reason, permanent or not."""
    return Refusal(500, message)


def unsupported_media_type() -> Refusal:
    """A content type that is none of the known ones."""
    return Refusal(415, "415: Unsupported Media Type", "UnsupportedMediaType", {})


def method_not_allowed() -> Refusal:
    """A verb that the resource does not have."""
    message = "the server does not allow this method on the requested resource"
    return Refusal(405, message, "MethodNotAllowed", {})


def gone(message: str) -> Refusal:
    """A resourceVersion that is no longer remembered."""
    return Refusal(410, message, "Expired")


def success(kind: Kind, name: str, uid: str) -> Object:
    """What a DELETE answers for kinds that are not sent back."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {**_details(kind, name), "uid": uid},
    }
