"""Secrets from SSM: fetched once per container, and again when they may have been rotated."""

import time
from collections.abc import Mapping

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import Temporary

TIME_TO_LIVE = 300
"""Seconds after which a value is fetched anew."""


class Parameters:
    """The parameters below one path, by the last part of their names."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._client = boto3.client(
            "ssm", config=Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard"})
        )
        self._values: Mapping[str, str] = {}
        self._fetched_at: float | None = None

    def get(self, name: str) -> str | None:
        """One value; a fetch that fails leaves the last known ones in use.

        Raises:
            Temporary: nothing was ever fetched, and SSM does not answer.
        """
        now = time.monotonic()
        if self._fetched_at is None or now - self._fetched_at > TIME_TO_LIVE:
            try:
                self._values = self._fetch()
            except (BotoCoreError, ClientError) as e:
                if self._fetched_at is None:
                    raise Temporary(f"SSM does not answer: {type(e).__name__}") from e
            self._fetched_at = now
        return self._values.get(name)

    def _fetch(self) -> Mapping[str, str]:
        pages = self._client.get_paginator("get_parameters_by_path").paginate(
            Path=self._path, WithDecryption=True
        )
        return {
            p["Name"].rsplit("/", 1)[-1]: p["Value"] for page in pages for p in page["Parameters"]
        }
