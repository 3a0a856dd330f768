"""A stage's parameters in SSM, as whoever deploys writes them; `chalicelib` only reads them."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_ssm import SSMClient

STRIPE_KEY = "stripe_secret_key"
WEBHOOK_SECRET = "stripe_webhook_secret"  # noqa: S105 - a name
SITE_URL = "site_url"


class Parameters:
    """The parameters below one path."""

    def __init__(self, session: "boto3.Session", path: str) -> None:
        self._session = session
        self._path = path

    @cached_property
    def _ssm(self) -> "SSMClient":
        return self._session.client("ssm")

    def all(self) -> Mapping[str, str]:
        """Every value by the last part of its name; secrets in clear."""
        pages = self._ssm.get_paginator("get_parameters_by_path").paginate(
            Path=self._path, WithDecryption=True
        )
        return {
            p["Name"].rsplit("/", 1)[-1]: p["Value"] for page in pages for p in page["Parameters"]
        }

    def get(self, name: str) -> str | None:
        """One value."""
        return self.all().get(name)

    def put_secret(self, name: str, value: str) -> None:
        """Store a secret, encrypted; running functions take it up by themselves."""
        self._ssm.put_parameter(
            Name=f"{self._path}/{name}", Value=value, Type="SecureString", Overwrite=True
        )

    def delete(self, name: str) -> None:
        """Remove one, if it is there."""
        self._ssm.delete_parameters(Names=[f"{self._path}/{name}"])
