"""The API server slow, busy, closing connections, or gone in the middle of a verb."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.domain.errors import Temporary, Waiting
from tests.contract.kubernetes import verbs

pytestmark = pytest.mark.cluster

NAMESPACE = verbs.NAMESPACE
QUOTA = f"/api/v1/namespaces/{NAMESPACE}/resourcequotas/plan"


def test_put_off_with_a_time_to_come_again_it_comes_again(cluster, owner):
    """429 with Retry-After: after that second, and not before, the same request works."""
    cluster.faults(throttle=1)
    cluster.gateway().apply(verbs.PRO, owner)
    statuses = [r["status"] for r in cluster.ask("GET", "/sandbox/requests", token=None)[1]]
    assert statuses[:2] == [429, 404]
    assert statuses.count(429) == 1


def test_put_off_for_long_it_is_temporary(cluster, owner):
    """The worker does not wait on a busy server; the message comes again later."""
    cluster.faults(throttle=1000)
    with pytest.raises(Temporary, match="HTTP 429"):
        cluster.gateway().stands(NAMESPACE, owner)


def test_slow_is_not_away(cluster, owner):
    """Every answer late, and all of it done."""
    cluster.faults(slow=0.2)
    cluster.gateway().apply(verbs.PRO, owner)
    assert cluster.gateway().drift(verbs.PRO, owner) == []


def test_a_connection_that_was_closed_meanwhile_is_opened_anew(cluster, owner):
    """A kept connection that the server has closed without a word costs nothing but a new one."""
    cluster.faults(close=True)
    gateway = cluster.gateway()
    for _ in range(3):
        gateway.apply(verbs.PRO, owner)
    gateway.suspend(verbs.SUSPENDED, owner)
    assert gateway.stands(NAMESPACE, owner)


@pytest.mark.parametrize("changes", range(0, 16, 3))
@pytest.mark.parametrize("verb", ["provision", "change plan", "suspend", "resume"])
def test_away_in_the_middle_and_back(cluster, owner, verb, changes):
    """Temporary while it is away, right when it is back, wherever it broke off."""
    gateway = cluster.gateway()
    if verb != "provision":
        gateway.apply(verbs.PRO, owner)
    if verb == "resume":
        gateway.suspend(verbs.SUSPENDED, owner)
    cluster.faults(outage_after=changes)
    try:
        verbs.VERBS[verb](gateway)
    except Temporary as e:
        assert "HTTP 503" in str(e)  # noqa: PT017 - some verbs are done before it goes away
    cluster.faults(outage_after=None)
    verbs.VERBS[verb](gateway)
    wanted = {"change plan": verbs.BASIC, "suspend": verbs.SUSPENDED}.get(verb, verbs.PRO)
    assert gateway.drift(wanted, owner) == []


def test_away_while_it_deletes_and_back(cluster, owner):
    """Looked at and not deleted, it is deleted by the next."""
    gateway = cluster.gateway()
    gateway.apply(verbs.PRO, owner)
    cluster.faults(outage_after=0)
    with pytest.raises(Temporary):
        gateway.delete(NAMESPACE, owner)
    cluster.faults(outage_after=None)
    with pytest.raises(Waiting):
        gateway.delete(NAMESPACE, owner)


def test_two_workers_at_once_end_as_one(cluster, owner):
    """The queue keeps them apart; if it ever did not, applying twice is the same as once."""
    with ThreadPoolExecutor(2) as pool:
        for verb in ("provision", "suspend", "resume"):
            workers = [cluster.gateway(), cluster.gateway()]
            for done in [pool.submit(verbs.VERBS[verb], worker) for worker in workers]:
                done.exception()
            verbs.VERBS[verb](workers[0])
            wanted = verbs.SUSPENDED if verb == "suspend" else verbs.PRO
            assert workers[0].drift(wanted, owner) == []


def test_a_namespace_that_does_not_go_is_named_with_its_reason(cluster, owner):
    """A finalizer of somebody's holds it; the operator reads whose."""
    gateway = cluster.gateway()
    gateway.apply(verbs.BASIC, owner)
    path = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
    metadata = {"name": "held", "finalizers": ["example.com/hold"]}
    cluster.ask("POST", path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    with pytest.raises(Waiting):
        gateway.delete(NAMESPACE, owner)
    cluster.let_controllers_look()
    for action in (
        lambda: gateway.delete(NAMESPACE, owner),
        lambda: gateway.apply(verbs.PRO, owner),
    ):
        with pytest.raises(Waiting, match=r"SomeFinalizersRemain: .*example\.com/hold"):
            action()
    loose = {"metadata": {"finalizers": None}}
    cluster.ask("PATCH", f"{path}/held", loose, content_type="application/merge-patch+json")
    cluster.finish_deletions()
    gateway.delete(NAMESPACE, owner)


def test_a_customer_who_comes_back_has_a_tenant_as_soon_as_the_old_one_is_gone(cluster, owner):
    """While it is Terminating they wait; then everything is made anew, with nothing of the old."""
    gateway = cluster.gateway()
    gateway.apply(verbs.PRO, owner)
    with pytest.raises(Waiting):
        gateway.delete(NAMESPACE, owner)
    with pytest.raises(Waiting, match="is Terminating"):
        gateway.apply(verbs.BASIC, owner)
    cluster.finish_deletions()
    gateway.apply(verbs.BASIC, owner)
    assert gateway.drift(verbs.BASIC, owner) == []
    secrets = cluster.ask("GET", f"/api/v1/namespaces/{NAMESPACE}/secrets")[1]["items"]
    assert secrets == []
