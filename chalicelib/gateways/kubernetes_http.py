"""Requests to an API server through the official client's ApiClient, and nothing else of it."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException
from urllib3 import Retry
from urllib3.exceptions import HTTPError

from chalicelib.domain.errors import Temporary

TIMEOUT = (3, 8)
"""Seconds to connect, and to read."""

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


class KubernetesHttp:
    """One connection pool to one API server."""

    def __init__(self, access: AccessProvider) -> None:
        self._access = access
        self._client: ApiClient | None = None
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
        try:
            answer = self._api(access).call_api(
                method,
                access.server + path,
                header_params=headers,
                body=body,
                _request_timeout=TIMEOUT,
            )
            raw = answer.response.data
        except (ApiException, HTTPError) as e:
            raise Temporary(f"the cluster does not answer: {type(e).__name__}") from e
        return Answer(status=answer.status, body=_json_object(raw))

    def _api(self, access: Access) -> ApiClient:
        built_for = (access.server, access.ca)
        if self._client is None or self._built_for != built_for:
            configuration = Configuration(host=access.server)
            configuration.ca_cert_data = access.ca
            configuration.connection_pool_maxsize = 12
            # Applying twice is the same as once, so a kept-alive connection that was closed
            # meanwhile is simply tried again, and so is what was put off with a time to come
            # again. Every other answer is ours to judge.
            configuration.retries = Retry(
                total=2,
                redirect=0,
                status_forcelist={HTTPStatus.TOO_MANY_REQUESTS},
                raise_on_status=False,
                allowed_methods=None,
                backoff_factor=0.05,
                retry_after_max=LONGEST_PAUSE,
            )
            self._client, self._built_for = ApiClient(configuration), built_for
        return self._client


def _json_object(raw: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
