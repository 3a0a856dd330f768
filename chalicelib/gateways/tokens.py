"""Verifies the ID token of whoever is signed in, by an algorithm of our choice, never its own."""

from typing import Any

import jwt

from chalicelib.domain.errors import Unauthenticated
from chalicelib.domain.record import User
from chalicelib.domain.texts import has_control_characters, is_storable
from chalicelib.gateways.signing_keys import SigningKeys

LEEWAY = 5
"""Seconds that clocks may differ."""

REQUIRED = ["exp", "iss", "aud", "sub"]


class Tokens:
    """RS256 by the pool's public keys (fetched, cached), or HS256 by a shared secret."""

    def __init__(
        self, *, issuer: str, audience: str, jwks_url: str | None = None, secret: str | None = None
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._secret = secret
        self._keys = None if secret or not jwks_url else SigningKeys(jwks_url)

    def user(self, token: str) -> User:
        """Whose token this is.

        Raises:
            Unauthenticated: expired, forged, for somebody else, or not an ID token.
            Temporary: the public keys could not be fetched, so it cannot be told.
        """
        try:
            claims = self._claims(token)
        except (jwt.PyJWTError, ValueError, TypeError) as e:
            raise Unauthenticated("Your session has expired. Please log in again.") from e
        use = claims.get("token_use")
        if use != "id" and not (use is None and self._secret):
            raise Unauthenticated("Please log in again: this is not an ID token.")
        subject = _text(claims["sub"])
        if subject is None:
            raise Unauthenticated
        since = _moment(claims)
        return User(issuer=self._issuer, subject=subject, email=_email(claims), since=since)

    def _claims(self, token: str) -> dict[str, Any]:
        key: Any = self._secret
        algorithm = "HS256"
        if self._keys:
            key, algorithm = self._keys.of(token), "RS256"
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=self._audience,
            issuer=self._issuer,
            leeway=LEEWAY,
            options={"require": REQUIRED},
        )
        return claims


def _email(claims: dict[str, Any]) -> str | None:
    """The address, unless it is none, or the issuer says that nobody has shown it to be theirs.

    Cognito sends either a boolean or its text; other issuers say nothing of it.
    """
    verified = claims.get("email_verified", True)
    address = _text(claims.get("email")) if verified is True or verified == "true" else None
    return None if address and has_control_characters(address) else address


def _moment(claims: dict[str, Any]) -> int | None:
    """When somebody logged in: a token that was renewed says when that was, and when it was made.

    None where neither is said: then it may have been at any time.
    """
    for name in ("auth_time", "iat"):
        said = claims.get(name)
        if isinstance(said, int | float) and not isinstance(said, bool):
            return int(said)
    return None


def _text(claim: object) -> str | None:
    """A text that can be stored, and is not empty."""
    return claim if isinstance(claim, str) and claim and is_storable(claim) else None
