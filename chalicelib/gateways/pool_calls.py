"""Calls to Cognito: what its error codes mean, and the proof that a call comes from our API."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.domain.errors import (
    InvalidRequest,
    TooManyRequests,
    WeakPassword,
)
from chalicelib.gateways.pool_errors import Errors, asked

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

_ALWAYS: Errors = {
    "InvalidParameterException": InvalidRequest,
    "InvalidPasswordException": WeakPassword,
    "LimitExceededException": TooManyRequests,
    "TooManyFailedAttemptsException": TooManyRequests,
    "TooManyRequestsException": TooManyRequests,
}


@dataclass(frozen=True, slots=True)
class PoolCalls:
    """One pool, and one client of it. A client without a secret can be called by anybody."""

    client: "CognitoIdentityProviderClient"
    client_id: str
    client_secret: str | None
    pool_id: str

    def public(self, name: str, errors: Errors, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - as boto3 has it
        """A call in the name of our client; `{}` where nothing is to be said of its failure."""
        return self._call(name, errors, {"ClientId": self.client_id, **arguments})

    def admin(self, name: str, errors: Errors, username: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401
        """A call by the function's own rights, about one user: by name or by address."""
        whom = {"UserPoolId": self.pool_id, "Username": username}
        return self._call(name, errors, {**whom, **arguments})

    def secret(self) -> dict[str, str]:
        """The client's secret as it is, where a call knows no user."""
        return {"ClientSecret": self.client_secret} if self.client_secret else {}

    def proof(self, username: str) -> str | None:
        """The proof that whoever names this user has the client's secret; None without one."""
        if not self.client_secret:
            return None
        message = f"{username}{self.client_id}".encode()
        digest = hmac.digest(self.client_secret.encode(), message, "sha256")
        return base64.b64encode(digest).decode()

    def _call(self, name: str, errors: Errors, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return asked(name, lambda: getattr(self.client, name)(**arguments), {**_ALWAYS, **errors})
