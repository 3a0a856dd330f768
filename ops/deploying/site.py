"""The pages, to where the CDN reads them."""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from uuid import uuid4

from ops import pages
from ops.deploying.step import Say, Shop, StepFailed
from ops.stacks import Stacks

_AT_ONCE = 1000
"""Objects that S3 deletes by one call."""


class Site:
    """Upload, remove what is old, and tell the CDN."""

    name = "pages"

    def __init__(self, shop: Shop, stacks: Stacks) -> None:
        self._shop = shop
        self._stacks = stacks

    @cached_property
    def _s3(self) -> Any:  # noqa: ANN401 - boto3's, untyped here
        return self._shop.session.client("s3")

    def plan(self) -> str:
        """What would be uploaded and removed."""
        outputs = self._stacks.outputs(self._shop.stage.stack("edge"))
        if "Bucket" not in outputs:
            return f"upload all {len(self._wanted())} files"
        wanted, there = self._wanted(), self._there(outputs["Bucket"])
        new, old = _changed(wanted, there), sorted(there.keys() - wanted.keys())
        if not new and not old:
            return "nothing: the pages are as they should be"
        return f"upload {', '.join(new) or 'nothing'}; remove {', '.join(old) or 'nothing'}"

    def run(self, say: Say) -> str:
        """Make the bucket hold exactly the pages; scripts before the pages that ask for them."""
        outputs = self._stacks.outputs(self._shop.stage.stack("edge"))
        if "Bucket" not in outputs:
            raise StepFailed("there is no bucket for the pages", "deploy the edge first")
        bucket = outputs["Bucket"]
        wanted, there = self._wanted(), self._there(bucket)
        new, old = _changed(wanted, there), sorted(there.keys() - wanted.keys())
        # All of them, not only what changed: a type or a header may have changed with the code.
        for name in sorted(wanted, key=lambda n: (n.endswith(".html"), n)):
            self._s3.put_object(
                Bucket=bucket,
                Key=name,
                Body=wanted[name],
                ContentType=pages.content_type(name),
                CacheControl=pages.cache_control(name),
            )
        self._remove(bucket, old)
        if new or old:
            self._invalidate(outputs["DistributionId"])
        for name in old:
            say(f"removed {name}")
        return f"{len(wanted)} files there, {len(new)} of them new or changed, {len(old)} removed"

    def empty(self) -> None:
        """Remove every file, so that the bucket can be removed."""
        bucket = self._stacks.outputs(self._shop.stage.stack("edge")).get("Bucket")
        if bucket:
            self._remove(bucket, list(self._there(bucket)))

    def _wanted(self) -> Mapping[str, bytes]:
        product, login_url = self._shop.catalogue.product, self._shop.stage.login_url
        return {name: pages.content(name, product, login_url=login_url) for name in pages.names()}

    def _there(self, bucket: str) -> Mapping[str, str]:
        """Every file's MD5."""
        listed = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {o["Key"]: o["ETag"].strip('"') for page in listed for o in page.get("Contents", [])}

    def _remove(self, bucket: str, names: list[str]) -> None:
        for n in range(0, len(names), _AT_ONCE):
            objects = [{"Key": name} for name in names[n : n + _AT_ONCE]]
            self._s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})

    def _invalidate(self, distribution: str) -> None:
        cdn: Any = self._shop.session.client("cloudfront")
        cdn.create_invalidation(
            DistributionId=distribution,
            InvalidationBatch={
                "Paths": {"Quantity": 1, "Items": ["/*"]},
                "CallerReference": uuid4().hex,
            },
        )


def _changed(wanted: Mapping[str, bytes], there: Mapping[str, str]) -> list[str]:
    return sorted(
        name
        for name, body in wanted.items()
        if there.get(name) != hashlib.md5(body, usedforsecurity=False).hexdigest()
    )
