"""The state machine without a socket, asked as its admin."""

import json

from sandbox.kubernetes.authorization import ADMIN
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.requests import parse

NAMESPACES = "/api/v1/namespaces"
MAPS = f"{NAMESPACES}/default/configmaps"


class Asked:
    """A cluster, and requests to it as its admin."""

    def __init__(self):
        self.later = []
        self.cluster = Cluster({"t": ADMIN}, self.later.append, clock=lambda: 1_800_000_000)

    def answer(self, method, path, body=None, **headers):
        """What the cluster answers; a header's name with underscores."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers = {"content-type": "application/json"} | headers
        text = b"" if body is None else json.dumps(body).encode()
        return self.cluster.handle(
            parse(method, path, {"Authorization": "Bearer t", **headers}, text)
        )

    def ask(self, method, path, body=None, **headers):
        """Status and body."""
        answer = self.answer(method, path, body, **headers)
        return answer.status, answer.json

    def apply(self, name, data, manager="us", *, force=False):
        """Apply a config map's data as this manager."""
        body = {"apiVersion": "v1", "kind": "ConfigMap", "data": data}
        path = f"{MAPS}/{name}?fieldManager={manager}&force={str(force).lower()}"
        return self.ask("PATCH", path, body, content_type="application/apply-patch+yaml")


def config_map(**data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": data}
