"""A worker killed with SIGKILL at any moment of any verb; the next one ends as if nothing was."""

import json
import multiprocessing
import os
import signal
from copy import deepcopy
from threading import Event, Lock

import pytest

from chalicelib.domain.errors import Waiting
from sandbox.kubernetes import kinds
from tests.contract.kubernetes import verbs
from tests.contract.kubernetes.standin import TOKEN, StandIn
from tests.contract.kubernetes.test_suspension import MADE

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.contract.kubernetes.verbs"])
OF_ONE_OBJECT = (
    "uid", "resourceVersion", "creationTimestamp", "managedFields", "generation",
)  # fmt: skip


@pytest.fixture(scope="module")
def standin():
    """One for all; each kill starts from a copy of what stood before."""
    found = StandIn(worker_token=None)
    yield found
    found.close()


@pytest.fixture(scope="module")
def states(standin):
    """What stands before each verb."""
    store, gateway = standin._server.cluster._store, standin.gateway(TOKEN)
    found = {"provision": saved(store)}
    gateway.apply(verbs.PRO, verbs.OWNER)
    for path, body in MADE.items():
        assert standin.ask("POST", path.rsplit("/", 1)[0], body)[0] == 201
    for verb in ("change plan", "suspend", "stop", "delete"):
        found[verb] = saved(store)
    gateway.suspend(verbs.SUSPENDED, verbs.OWNER)
    found["resume"] = found["resume onto another plan"] = saved(store)
    return found


def saved(store):
    """Objects are never changed in place, so the shelves are all there is to copy."""
    return {
        kind: {space: dict(objs) for space, objs in spaces.items()}
        for kind, spaces in store._objects.items()
    }


def restored(standin, state):
    with standin._server.cluster._store.lock:
        standin._server.cluster._store._objects = {
            kind: {space: dict(objs) for space, objs in spaces.items()}
            for kind, spaces in state.items()
        }


def dump(standin):
    """Everything of the tenant, without what differs from one object to the next of its name."""
    found = {}
    for kind in kinds.KINDS:
        for obj in standin._server.cluster._store.all(kind):
            metadata = obj["metadata"]
            if verbs.NAMESPACE not in {metadata.get("namespace"), metadata["name"]}:
                continue
            kept = {k: v for k, v in metadata.items() if k not in OF_ONE_OBJECT}
            body = {k: v for k, v in obj.items() if (kind.name, k) != ("ResourceQuota", "status")}
            found[f"{kind.name}/{metadata['name']}"] = deepcopy({**body, "metadata": kept})
    text = json.dumps(found)
    jobs = [
        obj["metadata"]["uid"] for obj in standin._server.cluster._store.all(kinds.by_name("Job"))
    ]
    for uid in jobs:
        text = text.replace(uid, "*")
    return json.loads(text)


def finished(standin, verb):
    """Do the verb as often as it says that it has to wait."""
    for _ in range(3):
        try:
            verbs.VERBS[verb](standin.gateway(TOKEN))
        except Waiting:
            standin.finish_deletions()
        else:
            return
    pytest.fail(f"{verb} does not end")


class Killer:
    """Kills the worker at one moment, and lets nothing through that comes after it."""

    def __init__(self, moment):
        self._left, self._lock = moment, Lock()
        self.armed, self.pid, self.killed = Event(), None, False

    def __call__(self, _):
        """Before and after each request."""
        self.armed.wait(10)
        with self._lock:
            if self.killed:
                raise ConnectionAbortedError
            self._left -= 1
            if self._left == 0:
                self.killed = True
                os.kill(self.pid, signal.SIGKILL)
                raise ConnectionAbortedError


@pytest.mark.parametrize("verb", verbs.VERBS)
def test_killed_at_any_moment_the_next_worker_ends_as_if_nothing_was(standin, states, verb):
    """Before each request has arrived, and after each change was made and not yet answered."""
    restored(standin, states[verb])
    finished(standin, verb)
    wanted, moment = dump(standin), 0
    while True:
        moment += 1
        restored(standin, states[verb])
        killer = standin._server.around = Killer(moment)
        worker = FORKS.Process(target=verbs.run, args=(verb, standin.address, TOKEN))
        worker.start()
        killer.pid = worker.pid
        killer.armed.set()
        worker.join(30)
        standin._server.around = lambda _: None
        if not killer.killed:
            break
        assert worker.exitcode == -signal.SIGKILL
        finished(standin, verb)
        assert dump(standin) == wanted, f"{verb}, killed at moment {moment}"
    assert worker.exitcode == 0
    assert moment > 3


def test_suspended_and_killed_and_resumed_instead(standin, states):
    """The customer pays while the suspension is half done: everything runs as it did."""
    restored(standin, states["suspend"])
    before, moment, done = dump(standin), 0, False
    while not done:
        moment += 5
        restored(standin, states["suspend"])
        killer = standin._server.around = Killer(moment)
        worker = FORKS.Process(target=verbs.run, args=("suspend", standin.address, TOKEN))
        worker.start()
        killer.pid = worker.pid
        killer.armed.set()
        worker.join(30)
        standin._server.around = lambda _: None
        done = not killer.killed
        finished(standin, "resume")
        after = dump(standin)
        for gone in ("Job/once", "Pod/lone"):
            after.pop(gone, None)
        wanted = {k: v for k, v in before.items() if k not in {"Job/once", "Pod/lone"}}
        assert after == wanted, f"killed at moment {moment}"
