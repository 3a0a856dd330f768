"""A tenant's first convergence: requests, CPU and wall time beside kubectl and the typed client."""

import json
import os
import resource
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPSConnection
from pathlib import Path

from bench.row import Row
from chalicelib.domain import tenant
from chalicelib.domain.labels import Labels
from chalicelib.gateways.cluster import KubernetesCluster
from chalicelib.gateways.cluster_objects import path_of
from chalicelib.gateways.kubernetes_http import KubernetesHttp, fixed
from chalicelib.wiring import catalogue
from sandbox import certificate
from sandbox.kubernetes import kubeconfig

ROUNDS = 5
"""Runs of each contender, in turn, so that a noisy neighbour meets all of them."""

LATENCY = 0.010
"""Seconds that each answer is held back where wall time is measured."""

_TOKEN = "bench"  # noqa: S105 - made up, for loopback only

# Each contender is a process of its own that gets server, authority, token and objects. All talk
# TLS; the CPU is that of the whole process, imports included, as at a cold start.
_READ = """
import json, sys
server, ca, token, objects = sys.argv[1:5]
objects = json.load(open(objects))
"""
_OURS = """
from chalicelib.domain.labels import Labels
from chalicelib.gateways.cluster import KubernetesCluster
from chalicelib.gateways.kubernetes_http import KubernetesHttp, fixed
gateway = KubernetesCluster(
    KubernetesHttp(fixed(server, open(ca).read(), token)), Labels("arm-engine", "arm-engine.io")
)
gateway.apply(objects, {})
"""
_TYPED = """
from kubernetes import client
configuration = client.Configuration(host=server)
configuration.ssl_ca_cert = ca
configuration.api_key = {"authorization": "Bearer " + token}
api = client.ApiClient(configuration)
core, net = client.CoreV1Api(api), client.NetworkingV1Api(api)
rbac = client.RbacAuthorizationV1Api(api)
how = {"field_manager": "typed", "_content_type": "application/apply-patch+yaml"}
verbs = {
    "Namespace": core.patch_namespace, "ResourceQuota": core.patch_namespaced_resource_quota,
    "LimitRange": core.patch_namespaced_limit_range,
    "ServiceAccount": core.patch_namespaced_service_account,
    "NetworkPolicy": net.patch_namespaced_network_policy, "Role": rbac.patch_namespaced_role,
    "RoleBinding": rbac.patch_namespaced_role_binding,
}
for each in objects:
    metadata = each["metadata"]
    place = [metadata["namespace"]] if "namespace" in metadata else []
    verbs[each["kind"]](metadata["name"], *place, each, **how)
"""
_FLOOR = """
import ssl
from http.client import HTTPSConnection
from urllib.parse import urlsplit
paths = json.load(open(sys.argv[5]))
context = ssl.create_default_context(cafile=ca)
connection = HTTPSConnection(urlsplit(server).netloc, context=context)
for path, each in zip(paths, objects):
    headers = {"Authorization": "Bearer " + token, "Content-Type": "application/apply-patch+yaml"}
    connection.request("PATCH", path + "?fieldManager=floor", json.dumps(each), headers)
    connection.getresponse().read()
"""
_LATE = """
import asyncio, sys
async def serve(reader, writer):
    while head := await reader.readuntil(b"\\r\\n\\r\\n"):
        length = [l for l in head.lower().split(b"\\r\\n") if l.startswith(b"content-length:")]
        await reader.readexactly(int(length[0].split(b":")[1]) if length else 0)
        await asyncio.sleep(float(sys.argv[1]))
        status = b"404 Not Found" if head.startswith(b"GET") else b"200 OK"
        writer.write(b"HTTP/1.1 " + status + b"\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


@dataclass(slots=True)
class _Seen:
    cpu: list[float] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)


class _Server:
    """The stand-in as a process of its own, over TLS."""

    def __init__(self, folder: Path) -> None:
        self.ca, key = certificate.make(folder)
        arguments = ["--port", "0", "--token", _TOKEN, "--certificate", self.ca, "--key", key]
        self._process = subprocess.Popen(  # noqa: S603 - the project's own program
            [sys.executable, "-m", "sandbox.kubernetes", *map(str, arguments)],
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        self._port = json.loads(self._process.stdout.readline())["port"]
        self.address = f"https://127.0.0.1:{self._port}"

    def requests(self) -> int:
        """How many there were since this was last asked."""
        seen = json.loads(self._plain("GET"))
        self._plain("DELETE")
        return len(seen)

    def _plain(self, method: str) -> bytes:
        context = ssl.create_default_context(cafile=str(self.ca))
        connection = HTTPSConnection("127.0.0.1", self._port, context=context)
        connection.request(method, "/sandbox/requests")
        with connection.getresponse() as answer:
            body = answer.read()
        connection.close()
        return body

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


def rows() -> Iterator[Row]:
    """Requests and CPU of one new tenant's objects; wall time where an answer takes 10 ms."""
    with _served() as (server, folder):
        seen = _contest(server, folder)
        ours, typed, floor = (statistics.median(seen[n].cpu) for n in ("ours", "typed", "floor"))
        kubectl = statistics.median(seen["kubectl"].cpu) if seen["kubectl"].cpu else None
        count = len(_objects(0))
        yield Row(
            what="first convergence, requests",
            floor=str(count),
            others=f"typed {seen['typed'].requests[0]}"
            + (f", kubectl {seen['kubectl'].requests[0]}" if kubectl else ""),
            ours=str(seen["ours"].requests[0]),
            goal=str(count + 1),
            unit=f"requests for {count} objects",
            how="counted by the stand-in, each contender from its start",
            met=seen["ours"].requests[0] <= count + 1,
        )
        yield Row(
            what="first convergence, CPU",
            floor="1.0",
            others=f"typed {typed / floor:.1f}"
            + (f", kubectl {kubectl / floor:.1f}" if kubectl else ""),
            ours=f"{ours / floor:.1f}",
            goal=f"{typed / floor:.1f}",
            unit="CPU of a cold process against http.client sending the same over one connection",
            how=f"user and system time of the process, median of {ROUNDS} rounds in turn; "
            f"{_program() or 'no kubectl was found'}",
            met=ours <= typed,
        )
    yield _wall()


def _wall() -> Row:
    """Our wall time, warm, in round trips of 10 ms."""
    with _late() as address:
        http = KubernetesHttp(fixed(address, None, _TOKEN))
        gateway = KubernetesCluster(http, Labels.of(catalogue().product))
        objects = _objects(0)
        ours = _trips(lambda: gateway.apply(objects, {}))
        others = _trips(lambda: [http.request("GET", path_of(each)) for each in objects])
    return Row(
        what="first convergence, wall time at 10 ms latency",
        floor="3",
        others=f"one after the other {others:.1f}",
        ours=f"{ours:.1f}",
        goal="4",
        unit="round trips of 10 ms",
        how=f"a warm client against a server that only waits 10 ms, median of {4 * ROUNDS}",
        met=ours < 4,  # noqa: PLR2004 - the goal above
    )


def _trips(action: Callable[[], object]) -> float:
    action()
    times = []
    for _ in range(4 * ROUNDS):
        begun = time.perf_counter()
        action()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) / LATENCY


@contextmanager
def _late() -> Iterator[str]:
    """A server that knows of no namespace and takes every apply, after a while."""
    process = subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, "-c", _LATE, str(LATENCY)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None  # noqa: S101 - it was asked for
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _served() -> Iterator[tuple[_Server, Path]]:
    with tempfile.TemporaryDirectory() as name:
        server = _Server(Path(name))
        try:
            yield server, Path(name)
        finally:
            server.stop()


def _objects(number: int) -> Sequence[tenant.Manifest]:
    plan = catalogue().plan("basic")
    assert plan is not None  # noqa: S101 - it ships
    return tenant.objects(catalogue(), f"{number:016x}", plan)


def _program() -> str | None:
    return shutil.which("kubectl")


def _contest(server: _Server, folder: Path) -> dict[str, _Seen]:
    """Every contender in turn, each time with a tenant of its own."""
    seen = {name: _Seen() for name in ("floor", "ours", "typed", "kubectl")}
    config, number = folder / "kubeconfig", 0
    kubeconfig.write(config, server.address, _TOKEN, server.ca.read_text())
    for _ in range(ROUNDS):
        for name, result in seen.items():
            number += 1
            wanted = _objects(number)
            file, paths = folder / f"{number}.json", folder / f"{number}.paths"
            file.write_text(json.dumps(wanted))
            paths.write_text(json.dumps([path_of(each) for each in wanted]))
            program = _program()
            if name == "kubectl":
                if program is None:
                    continue
                file.write_text("\n".join(json.dumps(each) for each in wanted))
                cache = ["--cache-dir", str(folder / str(number))]
                how = ["apply", "--server-side", "-f", str(file)]
                command = [program, "--kubeconfig", str(config), *cache, *how]
            else:
                text = {"floor": _FLOOR, "ours": _OURS, "typed": _TYPED}[name]
                command = [sys.executable, "-c", _READ + text, server.address, str(server.ca),
                           _TOKEN, str(file), str(paths)]  # fmt: skip
            server.requests()
            result.cpu.append(_cpu(command))
            result.requests.append(server.requests())
    return seen


def _cpu(command: Sequence[str]) -> float:
    """Seconds of user and system time that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": os.getcwd()}  # noqa: PTH109 - a path for another process
    done = subprocess.run(  # noqa: S603 - our own
        command, check=False, capture_output=True, env=environment
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr.decode()[-500:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
