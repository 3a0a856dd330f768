"""Inside moto: whose account an address is, and taking refresh tokens back.

moto answers 500 to ResendConfirmationCode and RevokeToken, knows no GetTokensFromRefreshToken, and
its public calls cannot tell from a client's id what `accounts` must know. These are the few looks
into its models that takes.
"""

from typing import Any

from moto.cognitoidp.models import UserStatus, cognitoidp_backends


class UnknownClientError(Exception):
    """No pool has a client of that id."""


def status(client_id: str, username: str) -> str | None:
    """`UNCONFIRMED`, `CONFIRMED`, …; None when there is nobody of that name."""
    user = _pool(client_id)._get_user(username)  # noqa: SLF001 - knows e-mail addresses as names
    return str(UserStatus(user.status).value) if user else None


def check_password(client_id: str, password: str) -> None:
    """Hold a password against the pool's policy.

    Raises:
        moto.core.exceptions.JsonRESTError: it is not good enough, by the pool's own check.
    """
    pool = _pool(client_id)
    pool.backend._validate_password(pool.id, password)  # noqa: SLF001 - only used at sign-up


def revoke(client_id: str, refresh_token: str) -> None:
    """Make a refresh token worthless; one that is unknown already is."""
    tokens = _pool(client_id).refresh_tokens
    if refresh_token in tokens:
        tokens[refresh_token] = None


def renewed(client_id: str, refresh_token: str) -> dict[str, Any] | None:
    """New tokens for a refresh token; None when it is good for nothing."""
    pool = _pool(client_id)
    owner = pool.refresh_tokens.get(refresh_token)
    user = pool._get_user(owner[1]) if owner and owner[0] == client_id else None  # noqa: SLF001
    if user is None or not user.enabled:
        return None
    access, id_token, seconds = pool.create_tokens_from_refresh_token(refresh_token)
    return {"AccessToken": access, "IdToken": id_token, "ExpiresIn": seconds, "TokenType": "Bearer"}


def sign_out(pool_id: str, username: str) -> None:
    """Take back all of somebody's refresh tokens, whichever name they logged in by."""
    for backends in cognitoidp_backends.values():
        for backend in backends.values():
            pool = backend.user_pools.get(pool_id)
            user = pool._get_user(username) if pool else None  # noqa: SLF001 - as above
            if pool and user:
                for name in (user.username, str(user.attribute_lookup.get("email"))):
                    pool.sign_out(name)


def secret(client_id: str) -> str | None:
    """The secret of a client that has one."""
    client = _pool(client_id).clients[client_id]
    return str(client.secret) if client.generate_secret else None


def _pool(client_id: str) -> Any:  # noqa: ANN401 - moto's own
    for backends in cognitoidp_backends.values():
        for backend in backends.values():
            for pool in backend.user_pools.values():
                if client_id in pool.clients:
                    return pool
    raise UnknownClientError(client_id)
