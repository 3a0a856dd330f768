"""The cluster's transport: what the pool would send goes to the stand-in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from urllib3.exceptions import ProtocolError

from chalicelib.gateways.kubernetes_http import KubernetesHttp, fixed
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.requests import Answer, Request, as_json, parse, target_of
from sandbox.kubernetes.statuses import Refusal
from tests.simulation.deployment import KUBE_TOKEN, WORKER_TOKEN
from tests.simulation.outside import Answered, Outside
from tests.simulation.remembering import Remembering

NAMESPACES = "/api/v1/namespaces/"


class ClusterWire(KubernetesHttp):
    """The cluster's transport: what the pool would send goes to the stand-in."""

    def __init__(
        self,
        outside: Outside,
        cluster: Cluster,
        on_call: Callable[[Request], None],
        *,
        bounded: bool,
    ) -> None:
        super().__init__(fixed("https://cluster.test", None, KUBE_TOKEN))
        self._bounded = bounded
        self._outside = outside
        self._cluster = Remembering(cluster)
        self._on_call = on_call

    def _connections(self, _access: Any) -> Any:
        return SimpleNamespace(request=self._send)

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: str | None) -> "_Raw":
        """One request, sent again when its answer is lost, as the pool does."""
        raw = (body or "").encode()
        line = url.removeprefix("https://cluster.test")
        if self._bounded and line.startswith(NAMESPACES) and "/" not in line[len(NAMESPACES) :]:
            # Only here: what bounds the worker elsewhere is asked by the contract tests, and slow.
            headers = {**headers, "Authorization": f"Bearer {WORKER_TOKEN}"}
        request = parse(method, line, headers, raw)

        def effect() -> Answer:
            self._on_call(request)
            return self._cluster.handle(request, line)

        target = target_of(request.path)
        verb = method if target is None or target.name else "LIST"
        name = f"{verb} {target.kind.plural if target else request.path}"
        try:
            answer = self._outside.call("cluster", name, effect, _cluster_error, again=effect)
        except Answered as e:
            answer = e.answer
        return _Raw(answer.status, answer.body)


@dataclass(frozen=True, slots=True)
class _Raw:
    status: int
    data: bytes


def _cluster_error(how: str) -> Exception:
    if how == "throttled":
        refusal = Refusal(429, "the simulation: too many requests", "TooManyRequests")
        return Answered(as_json(refusal.code, refusal.body))
    return ProtocolError(f"the simulation: {how}")
