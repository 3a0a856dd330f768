"""The SDK's transport straight into the stand-in: the real gateway without a socket."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe

from sandbox.stripe.state import Stripe


class InMemory(stripe.HTTPClient):
    """Give it to `stripe.StripeClient` or to `StripeApi` as `http_client`. It never retries."""

    name = "in-memory"

    def __init__(self, account: Stripe) -> None:
        super().__init__()
        self._account = account

    def request_with_retries(  # noqa: D102 - the SDK's
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: Any = None,  # noqa: ANN401 - the SDK's
        max_network_retries: int | None = None,  # noqa: ARG002 - nothing gets lost on its way here
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Any]:
        return self.request(method, url, headers, post_data)

    def request(  # noqa: D102 - the SDK's
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,  # noqa: ANN401 - the SDK's
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Any]:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        pairs += parse_qsl(post_data or "", keep_blank_values=True)
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        answer = self._account.call(method.upper(), parts.path, pairs, lowered)
        return answer.text(), answer.status, answer.headers

    def close(self) -> None:
        """Nothing is open."""
