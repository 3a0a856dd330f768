"""A kubeconfig for a tenant's own service account, for a while."""

from base64 import b64encode
from typing import Any

from chalicelib import wiring
from chalicelib.domain.isolation import TENANT_ROLE
from chalicelib.domain.record import Record
from chalicelib.domain.tenant import namespace_of
from ops.desk import Desk
from ops.gateways.tokens import ServiceAccountToken, request_token

SHORTEST = 600
"""Seconds; the API server gives out nothing shorter."""


def kubeconfig(desk: Desk, record: Record, seconds: int) -> tuple[dict[str, Any], str]:
    """A kubeconfig (JSON is YAML) and until when it is good.

    Raises:
        Permanent: the tenant has no namespace, or the operator may not make tokens.
    """
    namespace = namespace_of(desk.catalogue, record.tenant_id)
    http = wiring.kubernetes()
    made = request_token(http, namespace, TENANT_ROLE, seconds)
    access = http.access()
    return _config(access.server, access.ca, namespace, made), made.expires


def _config(
    server: str, ca: str | None, namespace: str, made: ServiceAccountToken
) -> dict[str, Any]:
    where: dict[str, str] = {"server": server}
    if ca is not None:
        where["certificate-authority-data"] = b64encode(ca.encode()).decode()
    context = {"cluster": namespace, "user": TENANT_ROLE, "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": namespace, "cluster": where}],
        "users": [{"name": TENANT_ROLE, "user": {"token": made.token}}],
        "contexts": [{"name": namespace, "context": context}],
        "current-context": namespace,
    }
