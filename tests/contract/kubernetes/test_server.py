"""The stand-in as a process, and its switches."""

import json
import signal
import socket
import threading
from http.client import HTTPConnection

import pytest

NAMESPACES = "/api/v1/namespaces"


def port_of(process):
    return json.loads(process.stdout.readline())["port"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_told_to_with_a_watch_open_and_a_request_hanging(start, how):
    """Exit code 0, nothing on stderr, whatever is under way."""
    process = start("--port", 0, "--token", "t")
    port = port_of(process)
    watch, switch, hung = (HTTPConnection("127.0.0.1", port, timeout=30) for _ in range(3))
    watch.request("GET", f"{NAMESPACES}?watch=1", headers={"Authorization": "Bearer t"})
    with watch.getresponse() as events:
        assert json.loads(events.readline())["type"] == "ADDED"
        switch.request("POST", "/sandbox/faults", json.dumps({"hang_after": 0}))
        with switch.getresponse() as answer:
            assert answer.status == 200
        hung.request("GET", NAMESPACES)
        process.send_signal(how)
        out, err = process.communicate(timeout=30)
    for connection in (watch, switch, hung):
        connection.close()
    assert (process.returncode, out, err) == (0, "", "")


def test_it_is_healthy_for_everybody(start):
    """Whoever started it has no need of the token to see that it is ready."""
    connection = HTTPConnection(
        "127.0.0.1", port_of(start("--port", 0, "--token", "t")), timeout=30
    )
    connection.request("GET", "/sandbox/health")
    with connection.getresponse() as answer:
        assert answer.status == 200
    connection.close()


def test_a_busy_port_is_one_clear_line(start):
    """Exit code 2, and which port it was."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start("--port", port, "--token", "t")
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err.count("\n")) == (2, "", 1)
    assert f"port {port} cannot be used" in err


def test_a_certificate_that_is_none_is_one_clear_line(start, tmp_path):
    """Exit code 2, and which files it was about."""
    process = start(
        "--port", 0, "--token", "t", "--certificate", tmp_path / "no", "--key", tmp_path / "no"
    )
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(
    "wanted",
    [
        {"outage": -1},
        {"outage": "long"},
        {"hang_after": 1.5},
        {"hang_after": True},
        {"flood": 1},
        [],
    ],
)
def test_a_fault_that_is_none_is_refused(cluster, wanted):
    """A typing mistake in a test must not pass for a healthy cluster."""
    assert cluster.ask("POST", "/sandbox/faults", wanted, token=None)[0] == 400
    assert cluster.ask("GET", "/sandbox/faults", token=None)[1] == {
        "outage": 0,
        "slow": 0,
        "hang_after": None,
        "outage_after": None,
        "throttle": 0,
        "close": False,
    }


def test_requests_hang_after_so_many_changes_until_they_are_let_go(cluster):
    """Two changes pass, what comes then has no answer, and gets it when the fault is lifted."""
    cluster.faults(hang_after=2)
    made = [namespace(cluster, name) for name in ("a", "b")]
    third = threading.Thread(target=namespace, args=(cluster, "c"))
    third.start()
    while len(seen := cluster.ask("GET", "/sandbox/requests", token=None)[1]) < 3:
        assert third.is_alive()
    assert [each["status"] for each in seen] == [201, 201, None]
    cluster.faults(hang_after=None)
    third.join()
    assert made == [201, 201]
    assert cluster.ask("GET", f"{NAMESPACES}/c")[0] == 200


def namespace(cluster, name):
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    return cluster.ask("POST", NAMESPACES, body)[0]


def test_a_connection_serves_request_after_request(cluster):
    """HTTP/1.1, kept alive, whatever the answers were."""
    connection = HTTPConnection(*cluster._server.server_address, timeout=30)
    statuses = []
    for path in ("/version", NAMESPACES, "/nowhere", "/sandbox/nowhere", "/version"):
        connection.request("GET", path, headers={"Authorization": "Bearer let me in"})
        with connection.getresponse() as answer:
            answer.read()
            statuses.append(answer.status)
        assert connection.sock is not None
    connection.close()
    assert statuses == [200, 200, 404, 404, 200]
