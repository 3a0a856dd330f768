"""Requests to an API server, over a pool of kept connections."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from chalicelib.domain.errors import Temporary
from chalicelib.gateways.pools import pool_to

TIMEOUT = Timeout(connect=3, read=8)
"""In seconds."""

LONGEST_PAUSE = 2
"""Seconds to pause at most when the server says when to come again; then it is an outage."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the API server is and how to get in; `ca` is PEM text, None for a plain address."""

    server: str
    ca: str | None
    token: str


_PASSING = re.compile(
    r"etcdserver|rpc error|deadline exceeded|timed? ?out|unavailable"
    r"|connection (refused|reset|lost)",
    re.IGNORECASE,
)
"""What is behind an API server and not in a request: its store, its network, its extensions."""

AccessProvider = Callable[[], Access]
"""Asked before every request, so that a token can be renewed in between."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `body` is empty when it was not a JSON object."""

    status: int
    body: Mapping[str, Any]

    @property
    def tells_of_passing_trouble(self) -> bool:
        """Whether the message is of what will be over: a 500 of etcd's comes without a reason."""
        return bool(_PASSING.search(str(self.body.get("message", ""))))


def fixed(server: str, ca: str | None, token: str) -> AccessProvider:
    """Access that never changes: a service account's token, by settings."""
    access = Access(server.rstrip("/"), ca, token)
    return lambda: access


class FromFile:
    """Access by a token that somebody renews in a file, as Kubernetes does with a projected one.

    It is read again when the file has changed.
    """

    def __init__(self, server: str, ca: str | None, path: Path) -> None:
        self._server, self._ca, self._path = server.rstrip("/"), ca, path
        self._read_at: int | None = None
        self._token = ""

    def __call__(self) -> Access:
        """As of now.

        Raises:
            Temporary: there is no such file; whoever renews it puts another in its place.
        """
        try:
            changed_at = self._path.stat().st_mtime_ns
            if changed_at != self._read_at:
                self._token, self._read_at = self._path.read_text().strip(), changed_at
        except OSError as e:
            raise Temporary(f"the cluster's token cannot be read: {type(e).__name__}") from e
        return Access(self._server, self._ca, self._token)


class KubernetesHttp:
    """One connection pool to one API server; threads may share it."""

    def __init__(self, access: AccessProvider) -> None:
        self._access = access
        self._pool: PoolManager | None = None
        self._built_for: tuple[str, str | None] | None = None

    def access(self) -> Access:
        """Where the API server is and how to get in, as of now."""
        return self._access()

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> Answer:
        """One request, one answer, whatever its status.

        Raises:
            Temporary: no answer came.
        """
        access = self._access()
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {access.token}",
            "Content-Type": content_type,
            "User-Agent": "arm-engine",
        }
        sent = None if body is None else json.dumps(body)
        try:
            answer = self._connections(access).request(
                method, access.server + path, headers=headers, body=sent
            )
        except HTTPError as e:
            raise Temporary(f"the cluster does not answer: {type(e).__name__}") from e
        return Answer(status=answer.status, body=_json_object(answer.data))

    def _connections(self, access: Access) -> PoolManager:
        built_for = (access.server, access.ca)
        if self._pool is None or self._built_for != built_for:
            self._pool, self._built_for = _pool_for(access), built_for
        return self._pool


def _pool_for(access: Access) -> PoolManager:
    # Applying twice is the same as once, so a kept-alive connection that was closed meanwhile is
    # simply tried again, and so is what was put off with a time to come again. Every other answer
    # is ours to judge, and nobody is sent elsewhere with our token.
    retries = Retry(
        total=2,
        redirect=0,
        status_forcelist={HTTPStatus.TOO_MANY_REQUESTS},
        raise_on_status=False,
        allowed_methods=None,
        backoff_factor=0.05,
        retry_after_max=LONGEST_PAUSE,
    )
    return pool_to(access.server, ca_data=access.ca, timeout=TIMEOUT, retries=retries)


def _json_object(raw: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
