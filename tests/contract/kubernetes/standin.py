"""The stand-in as a test sees it: an address, what stands in it, and its switches."""

import json
import threading
from http.client import HTTPConnection

from chalicelib.domain.labels import Labels
from chalicelib.gateways.cluster import KubernetesCluster
from chalicelib.gateways.kubernetes_http import KubernetesHttp, fixed
from chalicelib.wiring import catalogue
from sandbox.kubernetes.server import KubernetesServer

TOKEN = "let me in"
WORKER = "I am the worker"


class StandIn:
    """One cluster on a socket, set up as an administrator would have, if nothing else is said."""

    administrator = TOKEN

    def __init__(self, worker_token=WORKER):
        self._server = KubernetesServer(0, TOKEN, worker_token=worker_token)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._opened = []
        self.has_controllers = False

    def gateway(self, token=WORKER):
        """The product's own client, with a pool of its own; as the worker, if nothing is said."""
        http = KubernetesHttp(fixed(self.address, None, token))
        self._opened.append(http)
        return KubernetesCluster(http, Labels.of(catalogue().product))

    def ask(
        self, method, path, body=None, *, token=TOKEN, content_type="application/json", **headers
    ):
        """Status and body of one plain request, as an administrator if nothing is said."""
        connection = HTTPConnection(*self._server.server_address, timeout=10)
        headers |= {"Content-Type": content_type}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        sent = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, sent, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def faults(self, **wanted):
        """Set the switches."""
        assert self.ask("POST", "/sandbox/faults", wanted, token=None)[0] == 200

    def seen(self):
        """The requests seen since the last look, as (method, last step of the path)."""
        found = self.ask("GET", "/sandbox/requests", token=None)[1]
        self.ask("DELETE", "/sandbox/requests", token=None)
        return [(each["method"], each["path"].rsplit("/", 1)[1]) for each in found]

    def finish_deletions(self):
        """Let what is Terminating be gone."""
        self._server.cluster.finish_deletions()

    let_controllers_look = end_pods = finish_deletions

    def close(self):
        """Let go of every connection, and end."""
        self._server.faults.set({"hang_after": None})
        for http in self._opened:
            if http._pool:
                http._pool.clear()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
