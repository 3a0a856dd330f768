"""HTTP to Stripe that survives the rotation of the key."""

from collections.abc import Callable, Mapping
from typing import Any

import stripe

UNAUTHORIZED = 401
FreshKey = Callable[[], str | None]
"""The key as it is now, when it may have been rotated; None when nothing new is known."""


class RotatedKeys(stripe.RequestsClient):
    """When Stripe refuses the key, looks whether there is another, and asks once more with it.

    Nothing was done by the refused request, so asking again repeats nothing.
    """

    def __init__(self, fresh_key: FreshKey, *, timeout: float) -> None:
        super().__init__(timeout=timeout)
        self._fresh_key = fresh_key

    def request(  # type: ignore[override] # the SDK's own subclass differs from its base, too
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,  # noqa: ANN401 - as the SDK has it
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One request, as the SDK asks for it."""
        answer = super().request(method, url, headers, post_data)
        if answer[1] != UNAUTHORIZED:
            return answer
        key = self._fresh_key()
        bearer = f"Bearer {key}"
        if key is None or headers is None or headers.get("Authorization") == bearer:
            return answer
        return super().request(method, url, {**headers, "Authorization": bearer}, post_data)
