"""Inside moto: whose account an address is, and taking a refresh token back.

moto answers 500 to ResendConfirmationCode and RevokeToken, and its public calls cannot tell from
a client's id what `accounts` must know. These are the few looks into its models that takes.
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


def _pool(client_id: str) -> Any:  # noqa: ANN401 - moto's own
    for backends in cognitoidp_backends.values():
        for backend in backends.values():
            for pool in backend.user_pools.values():
                if client_id in pool.clients:
                    return pool
    raise UnknownClientError(client_id)
