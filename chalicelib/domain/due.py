"""When the sweep looks, and where in the index it finds what is due."""

from hashlib import sha256

from chalicelib.domain import backoff

DUE_SHARDS = 8

NUDGE_RETRY = backoff.FIRST
"""Seconds after which the sweep looks at a nudge whose message came to nothing."""


def due_shard_of(tenant_id: str) -> str:
    """Which of the index's partitions a tenant's deadlines stand in."""
    return str(int(sha256(tenant_id.encode()).hexdigest()[:8], 16) % DUE_SHARDS)
