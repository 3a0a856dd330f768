"""The stand-in's state machine under the real gateway, without a socket."""

import json

from chalicelib.domain.labels import Labels
from chalicelib.gateways.cluster import KubernetesCluster
from chalicelib.gateways.kubernetes_http import Answer
from chalicelib.wiring import catalogue
from sandbox.kubernetes.authorization import ADMIN
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.requests import parse


class InMemory:
    """Fits where the gateway wants a `KubernetesHttp`; counts its requests."""

    def __init__(self):
        self.cluster = Cluster({"t": ADMIN})
        self.requests = 0
        self.gateway = KubernetesCluster(self, Labels.of(catalogue().product))

    def request(self, method, path, *, body=None, content_type="application/json"):
        """One request, one answer."""
        self.requests += 1
        headers = {"Authorization": "Bearer t", "Content-Type": content_type}
        text = b"" if body is None else json.dumps(body).encode()
        answer = self.cluster.handle(parse(method, path, headers, text))
        return Answer(answer.status, answer.json)
