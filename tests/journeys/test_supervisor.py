"""The sandbox as a program at somebody's terminal."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from tests.journeys.conftest import ROOT, await_ready, start, stop

SIGNALLED_WHILE_LOADING = """
import os, runpy, sys

class Early:
    def find_spec(self, name, *_):
        if name == "rich":
            os.kill(os.getpid(), {number})

sys.meta_path.insert(0, Early())
runpy.run_module("sandbox", run_name="__main__", alter_sys=True)
"""


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything(tmp_path, number):
    """Exit code 0 within five seconds, and no process, file or folder is left."""
    import json  # noqa: PLC0415 - only here

    ready_file = tmp_path / "ready.json"
    hostile = os.environ | {
        "PYTHONIOENCODING": "ascii",
        "KUBECONFIG": "/nowhere",
        "AWS_PROFILE": "prod",
        "HTTP_PROXY": "http://x",
    }
    process = start(ready_file, "--port", "0", env=hostile)
    await_ready(process, ready_file)
    ready = json.loads(ready_file.read_text())
    code, said = stop(process, number)
    assert code == 0, said
    assert f"{ready['site']}/pricing" in said
    assert "4242 4242 4242 4242" in said
    assert not [pid for pid in ready["pids"].values() if alive(pid)]
    assert not ready_file.exists()
    assert not os.path.exists(ready["kubeconfig"])  # noqa: PTH110 - a string from JSON


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_it_is_up_ends_it_as_well(number):
    """Exit code 0 and no complaint, even while it is still being loaded."""
    done = subprocess.run(
        [sys.executable, "-c", SIGNALLED_WHILE_LOADING.format(number=int(number)), "--port", "0"],
        check=False, cwd=ROOT, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_ready_file_that_cannot_be_written_is_refused(tmp_path):
    """Before anything is started, with the path; exit code 2."""
    for file in (tmp_path, tmp_path / "nowhere" / "ready.json"):
        done = subprocess.run(
            [sys.executable, "-m", "sandbox", "--port", "0", "--ready-file", str(file)],
            check=False, cwd=ROOT, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        assert done.returncode == 2
        assert f"--ready-file {file} cannot be written" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_busy_port_is_one_clear_line():
    """Which port, for what, and what to do about it; exit code 2."""
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "sandbox", "--port", str(min(port, 65530))],
            check=False, cwd=ROOT, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"port {port}" in done.stderr
    assert "--port" in done.stderr


@pytest.mark.parametrize("port", ["-1", "65535", "x"])
def test_a_port_that_is_none_is_refused(port):
    """Before anything is started; exit code 2."""
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "--port", port],
        check=False, cwd=ROOT, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_parts_end_with_a_supervisor_that_was_killed(tmp_path):
    """Nothing holds a port after a kill -9."""
    import json  # noqa: PLC0415 - only here

    from tests.journeys.shop import until  # noqa: PLC0415 - only here

    ready_file = tmp_path / "ready.json"
    process = start(ready_file, "--port", "0")
    await_ready(process, ready_file)
    pids = json.loads(ready_file.read_text())["pids"].values()
    process.kill()
    process.communicate()
    until(lambda: not [pid for pid in pids if alive(pid)], "the end of all parts")
