"""The user pool as an administrator sees it: who has an address, and removing an account."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

from chalicelib.gateways.pool_errors import asked

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient


@dataclass(frozen=True, slots=True)
class Account:
    """An account; `subject` is what its tokens call it."""

    username: str
    subject: str
    attributes: Mapping[str, str]
    status: str
    created: str


class Pool:
    """Raises Temporary and Permanent."""

    def __init__(self, pool_id: str, client: "CognitoIdentityProviderClient | None" = None) -> None:
        self._pool_id = pool_id
        self._client: CognitoIdentityProviderClient = client or boto3.client("cognito-idp")

    @classmethod
    def of_issuer(cls, issuer: str) -> "Pool | None":
        """The pool that issues our tokens; None when somebody else does."""
        host, _, pool_id = issuer.rpartition("/")
        ours = host.startswith("https://cognito-idp.") and pool_id
        return cls(pool_id) if ours else None

    def by_email(self, email: str) -> Account | None:
        """Whose address this is."""
        return self._one("email", email)

    def by_subject(self, subject: str) -> Account | None:
        """Whom tokens call so."""
        return self._one("sub", subject)

    def shut(self, account: Account) -> None:
        """Let nobody sign in to an account, nor go on by a refresh token; it stays as it is."""
        self._call("admin_disable_user", Username=account.username)
        self._call("admin_user_global_sign_out", Username=account.username)

    def delete(self, account: Account) -> None:
        """Delete an account; one that is gone already is fine."""
        self._call("admin_delete_user", Username=account.username)

    def _one(self, attribute: str, value: str) -> Account | None:
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        found = self._call("list_users", Filter=f'{attribute} = "{quoted}"', Limit=1)
        return next((_account(user) for user in found.get("Users", [])), None)

    def _call(self, name: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - as boto3 has it
        call = getattr(self._client, name)
        gone = {"UserNotFoundException": None}
        return asked(name, lambda: call(UserPoolId=self._pool_id, **arguments), gone)


def _account(user: Mapping[str, Any]) -> Account:
    attributes = {a["Name"]: a["Value"] for a in user.get("Attributes", [])}
    return Account(
        username=str(user["Username"]),
        subject=attributes.get("sub", ""),
        attributes=attributes,
        status=str(user.get("UserStatus", "")),
        created=user["UserCreateDate"].isoformat() if user.get("UserCreateDate") else "",
    )
