"""A request taken apart: which verb, on what; and what goes back."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from sandbox.kubernetes import kinds, statuses
from sandbox.kubernetes.kinds import Kind, Object

PROTOBUF = "application/vnd.kubernetes.protobuf"
_WITH_SUBRESOURCE = 2
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Answer(NamedTuple):
    """What goes back."""

    status: int
    content_type: str
    body: bytes
    stream: Iterator[bytes] | None = None
    """A watch: what comes in place of a body, bit by bit."""

    @property
    def json(self) -> Any:  # noqa: ANN401 - loose JSON
        """The body, read."""
        return json.loads(self.body)


def as_json(status: int, body: Any) -> Answer:  # noqa: ANN401 - loose JSON
    """An answer with a JSON body."""
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return Answer(status, "application/json", text.encode() + b"\n")


def as_text(status: int, text: str) -> Answer:
    """An answer in plain text."""
    return Answer(status, "text/plain; charset=utf-8", text.encode())


@dataclass(frozen=True, slots=True)
class Target:
    """What a path under /api or /apis stands for."""

    kind: Kind
    namespace: str
    """Empty for the cluster's own objects and for lists across namespaces."""
    name: str
    subresource: str = ""

    @property
    def scope(self) -> str:
        """The namespace as authorization sees it; a namespace lies within itself."""
        return self.name if self.kind.name == "Namespace" else self.namespace


@dataclass(frozen=True, slots=True)
class Request:
    """One request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def content_type(self) -> str:
        """Without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip()

    @property
    def manager(self) -> str:
        """Who owns what is written: `fieldManager`, else the client's name as it gives it."""
        agent = self.headers.get("user-agent", "unknown")
        return self.query.get("fieldManager") or agent.partition("/")[0]

    @property
    def dry_run(self) -> bool:
        """Whether nothing may be kept."""
        return self.query.get("dryRun") == "All"

    @property
    def watches(self) -> bool:
        """Whether a list is to be followed."""
        return self.query.get("watch") in ("1", "true")

    def verb(self, target: Target) -> str:
        """The verb as authorization names it."""
        if self.method == "GET" and self.watches:
            return "watch"
        if self.method == "GET":
            return "get" if target.name else "list"
        if self.method == "DELETE" and not target.name:
            return "deletecollection"
        return _VERBS.get(self.method, self.method.lower())

    def either(self, by_protobuf: Callable[[bytes], Object]) -> Object:
        """The body as an object, from JSON or as kubectl sends a few kinds.

        Raises:
            Refusal: 400, it is none.
        """
        if self.content_type != PROTOBUF:
            return self.json()
        try:
            return by_protobuf(self.body)
        except ValueError as e:
            raise statuses.bad_request(f"the body is not protobuf: {e}") from e

    def loose_json(self) -> Any:  # noqa: ANN401 - loose JSON
        """The body, whatever it is.

        Raises:
            Refusal: 400, it is no JSON.
        """
        try:
            return json.loads(self.body)
        except ValueError as e:
            raise statuses.bad_request(f"the body is not JSON: {e}") from e

    def json(self) -> Object:
        """The body as an object.

        Raises:
            Refusal: 400, it is none.
        """
        body = self.loose_json()
        if not isinstance(body, dict):
            raise statuses.bad_request("the body is not an object")
        return body


def parse(
    method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Request:
    """A request from what came over the wire; `target` is the path with its query."""
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    lowered = {name.lower(): value for name, value in (headers or {}).items()}
    return Request(method.upper(), unquote(parts.path), query, lowered, body)


def target_of(path: str) -> Target | None:
    """What a path stands for; None if it lies outside every group that is served.

    Raises:
        Refusal: 404 for an unknown resource of a known group.
    """
    match path.strip("/").split("/"):
        case ["api", version, *rest] if rest:
            group = ""
        case ["apis", group, version, *rest] if rest:
            pass
        case _:
            return None
    if (group, version) not in kinds.GROUP_VERSIONS:
        return None
    match rest:
        case ["namespaces", name, "status"] if not group:
            return Target(kinds.by_name("Namespace"), "", name, "status")
        case ["namespaces", namespace, plural, *name] if len(name) <= _WITH_SUBRESOURCE:
            kind = kinds.by_resource(group, version, plural)
            if kind is not None and kind.namespaced:
                return Target(kind, namespace, "".join(name[:1]), "".join(name[1:]))
        case [plural, *name] if len(name) <= 1:
            kind = kinds.by_resource(group, version, plural)
            if kind is not None and not (kind.namespaced and name):
                return Target(kind, "", "".join(name))
    raise statuses.no_such_resource()
