"""Who is in the Cognito user pool, for the audit: subjects only, no address and no name."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from chalicelib.gateways import aws
from chalicelib.gateways.pool_errors import asked

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

MOST = 60
"""Accounts that Cognito lists in one answer."""


class PoolSubjects:
    """Fits `chalicelib.ports.Subjects`. Raises Temporary and Permanent."""

    def __init__(self, pool_id: str, client: "CognitoIdentityProviderClient | None" = None) -> None:
        self._pool_id = pool_id
        self._client = client or aws.client("cognito-idp", read_timeout=8, attempts=6)

    def subjects(self) -> Iterator[str]:
        """What tokens call everybody who has an account, confirmed or not; page by page."""
        token: dict[str, str] = {}
        while True:
            page = self._list(Limit=MOST, **token)
            yield from filter(None, map(_subject, page.get("Users", [])))
            if "PaginationToken" not in page:
                return
            token = {"PaginationToken": page["PaginationToken"]}

    def knows(self, subject: str) -> bool:
        """Whether somebody of this subject has an account at this moment."""
        quoted = subject.replace("\\", "\\\\").replace('"', '\\"')
        return bool(self._list(Limit=1, Filter=f'sub = "{quoted}"').get("Users"))

    def _list(self, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - as boto3 has it
        whose = {"UserPoolId": self._pool_id, "AttributesToGet": ["sub"], **more}
        return asked("list_users", lambda: self._client.list_users(**whose), {})


def _subject(user: Mapping[str, Any]) -> str | None:
    return next((a["Value"] for a in user.get("Attributes", []) if a["Name"] == "sub"), None)
