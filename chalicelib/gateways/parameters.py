"""Secrets and settings from SSM: fetched once per container, and again in case they changed."""

import time
from collections.abc import Mapping

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import Temporary
from chalicelib.gateways import aws

TIME_TO_LIVE = 300
"""Seconds after which a value is fetched anew."""

AGAIN = 5
"""Seconds between two fetches before that time: whoever sends wrong signatures causes them."""

Pairs = tuple[tuple[str, str], ...]


class Parameters:
    """The parameters below one path, by the last part of their names."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._client = aws.client("ssm", attempts=3)
        self._values: Mapping[str, str] = {}
        self._fetched_at: float | None = None
        self._again_at: float | None = None

    def get(self, name: str) -> str | None:
        """One value.

        Raises:
            Temporary: nothing was ever fetched, and SSM does not answer.
        """
        return self._known().get(name)

    def settings(self, *, without: frozenset[str]) -> Pairs:
        """All but some, named as the environment names settings; the same ones compare equal.

        Raises:
            Temporary: as above.
        """
        known = self._known()
        return tuple((n.upper(), v) for n, v in sorted(known.items()) if n not in without)

    def fetch_again(self) -> bool:
        """Fetch now, though not twice within seconds; whether anything is different."""
        now = time.monotonic()
        if self._again_at is not None and now - self._again_at < AGAIN:
            return False
        self._again_at = now
        before = self._values
        try:
            self._values = self._fetch()
        except (BotoCoreError, ClientError):
            return False
        self._fetched_at = now
        return self._values != before

    def _known(self) -> Mapping[str, str]:
        """What is below the path; a fetch that fails leaves the last known in use."""
        now = time.monotonic()
        if self._fetched_at is None or now - self._fetched_at > TIME_TO_LIVE:
            try:
                self._values = self._fetch()
            except (BotoCoreError, ClientError) as e:
                if self._fetched_at is None:
                    raise Temporary(f"SSM does not answer: {type(e).__name__}") from e
            self._fetched_at = now
        return self._values

    def _fetch(self) -> Mapping[str, str]:
        pages = self._client.get_paginator("get_parameters_by_path").paginate(
            Path=self._path, WithDecryption=True
        )
        return {
            p["Name"].rsplit("/", 1)[-1]: p["Value"] for page in pages for p in page["Parameters"]
        }
