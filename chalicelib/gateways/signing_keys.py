"""The issuer's public keys: fetched, kept for five minutes, looked for anew when one is missing.

A key that is not there may be a new one, or made up. A valid token is never told that it is not;
whoever makes up keys has us ask the issuer once in five seconds, and not more often.
"""

import time
from typing import Any

import jwt

from chalicelib.domain.errors import Temporary

LOOK_EVERY = 5
"""Seconds between two looks for a key that is missing."""

SETTLED = 30
"""Seconds after which an issuer's key is among its keys, wherever they are read from."""


class SigningKeys:
    """Raises Temporary when the keys cannot be read, or when it is too early to ask again."""

    def __init__(self, url: str) -> None:
        self._client = _Client(url, timeout=5, cooldown_duration=0)
        self._looked_at: float | None = None

    def of(self, token: str) -> jwt.PyJWK:
        """The key that a token says it was signed with.

        Raises:
            jwt.PyJWTError: it names none, or none that the issuer has.
            Temporary: it cannot be told yet.
        """
        kid = jwt.get_unverified_header(token).get("kid")
        if not isinstance(kid, str):
            raise jwt.InvalidTokenError("it names no key")
        known = self._keys()
        found = self._client.match_kid(known, kid)
        if found:
            return found
        if self._was_there(token) or any(_signed(token, key) for key in known):
            raise jwt.InvalidTokenError("it names a key that the issuer does not have")
        now = time.monotonic()
        if self._looked_at is not None and now - self._looked_at < LOOK_EVERY:
            raise Temporary("a token names a new key, and the issuer was just asked for its keys")
        self._looked_at = now
        found = self._client.match_kid(self._keys(refresh=True), kid)
        if found is None:
            raise jwt.InvalidTokenError("it names a key that the issuer does not have")
        return found

    def _keys(self, *, refresh: bool = False) -> list[jwt.PyJWK]:
        """All of them. Unknown is the token's fault, unread ours."""
        try:
            return self._client.get_signing_keys(refresh=refresh)
        except (jwt.PyJWTError, OSError, ValueError) as e:
            raise Temporary("the token issuer's keys cannot be fetched or read") from e

    def _was_there(self, token: str) -> bool:
        """Whether the keys were read well after this token says it was made."""
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        made = claims.get("iat")
        return isinstance(made, int | float) and made + SETTLED < self._client.fetched_at


class _Client(jwt.PyJWKClient):
    """Knows when it last fetched (epoch seconds)."""

    fetched_at = 0.0

    def fetch_data(self) -> Any:  # noqa: ANN401 - as it has it
        before = time.time()
        data = super().fetch_data()
        self.fetched_at = before
        return data


def _signed(token: str, key: jwt.PyJWK) -> bool:
    """Whether a key of the issuer's signed this: then the name of another is no news of one."""
    try:
        jwt.PyJWS().decode(token, key, algorithms=["RS256"])
    except jwt.PyJWTError:
        return False
    return True
