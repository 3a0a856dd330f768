"""A kubeconfig for the sandbox's cluster."""

import json
import os
from base64 import b64encode
from pathlib import Path


def write(path: Path, server: str, token: str, ca_pem: str | None) -> None:
    """Write a kubeconfig (JSON is YAML) that only its owner can read.

    Args:
        path: where to.
        server: the API server's base URL; kubectl sends the token to https only.
        token: the bearer token.
        ca_pem: the authority of the server's certificate; None for a plain address.
    """
    cluster = {"server": server}
    if ca_pem is not None:
        cluster["certificate-authority-data"] = b64encode(ca_pem.encode()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sandbox", "cluster": cluster}],
        "users": [{"name": "sandbox", "user": {"token": token}}],
        "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": "sandbox"}}],
        "current-context": "sandbox",
    }
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(config, file, indent=2)
