"""HTTP to Stripe: the SDK's requests over urllib3, and on after a rotation of the key."""

from collections.abc import Callable, Mapping
from typing import Any

import stripe
from urllib3.exceptions import HTTPError, SSLError

from chalicelib.gateways.pools import pool_to

UNAUTHORIZED = 401
FreshKey = Callable[[], str | None]
"""The key as it is now, when it may have been rotated; None when nothing new is known."""


class StripeHttp(stripe.HTTPClient):
    """One pool of connections to Stripe; the SDK itself decides what is tried again, and when.

    When Stripe refuses the key, it looks whether there is another, and asks once more with it.
    Nothing was done by the refused request, so asking again repeats nothing.
    """

    name = "urllib3"

    def __init__(self, server: str, fresh_key: FreshKey, *, timeout: float) -> None:
        super().__init__()
        self._fresh_key = fresh_key
        self._pool = pool_to(server, ca_file=stripe.ca_bundle_path, timeout=timeout, retries=False)

    def request(  # type: ignore[override] # the SDK's own subclasses differ from their base, too
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,  # noqa: ANN401 - as the SDK has it
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One request, as the SDK asks for it.

        Raises:
            stripe.APIConnectionError: no answer came.
        """
        given = dict(headers or {})
        answer = self._answer(method, url, given, post_data)
        if answer[1] != UNAUTHORIZED:
            return answer
        key = self._fresh_key()
        bearer = f"Bearer {key}"
        if key is None or given.get("Authorization") == bearer:
            return answer
        return self._answer(method, url, {**given, "Authorization": bearer}, post_data)

    def _answer(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        packed = {"Accept-Encoding": "gzip, deflate", **headers}
        try:
            answer = self._pool.request(method, url, headers=packed, body=body)
        except (HTTPError, ValueError) as e:  # the other is a header that cannot be sent
            again = isinstance(e, HTTPError) and not isinstance(e, SSLError)
            raise stripe.APIConnectionError(  # type: ignore[no-untyped-call] # the SDK's
                type(e).__name__, should_retry=again
            ) from e
        return answer.data, answer.status, answer.headers

    def close(self) -> None:
        """Let go of every connection."""
        self._pool.clear()
