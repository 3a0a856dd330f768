"""What a convergence costs in requests, and that it does not grow with the number of tenants."""

import pytest

from chalicelib.domain import tenant
from chalicelib.gateways.cluster_objects import PAGE
from chalicelib.wiring import catalogue
from sandbox.kubernetes import kinds
from tests.contract.kubernetes import verbs
from tests.contract.kubernetes.inmemory import InMemory

TENANTS = 1000


@pytest.fixture
def counted():
    """How many requests something costs."""
    memory = InMemory()

    def count(verb):
        before = memory.requests
        verb(memory.gateway)
        return memory.requests - before

    return count


def test_each_verb_costs_what_it_needs(counted):
    """One request per object and one look; more only where there is more to do."""
    pro, basic = len(verbs.PRO), len(verbs.BASIC)
    # Five kinds to scale, Jobs and pods; and the quota, which keeps pods out once its status says so.
    lists, pruned = 5 + 2 + 1, 2
    assert counted(verbs.VERBS["provision"]) == pro + 1
    assert counted(verbs.VERBS["provision"]) == pro + 1
    assert counted(verbs.VERBS["suspend"]) == pro + 1 + lists
    assert counted(verbs.VERBS["resume"]) == pro + 1 + 5 + 1
    # Without a plan: one look, the mark, the quota, and the same lists with a patch of what runs.
    assert counted(verbs.VERBS["stop"]) == 3 + lists + 1
    assert counted(verbs.VERBS["stop"]) == 2 + lists
    # What a patch has stopped is taken back by force, and the note of its size is removed.
    assert counted(verbs.VERBS["resume"]) == pro + 1 + 5 + 1 + 2
    assert counted(verbs.VERBS["change plan"]) == basic + 1 + 2 * pruned + 1


def test_among_a_thousand_tenants_one_costs_what_it_costs_alone():
    """Reconverged, looked through by the audit page by page: nothing grows with the others."""
    memory, plan = InMemory(), catalogue().plan("basic")
    ids = [f"{number:016x}" for number in range(TENANTS)]
    wanted = {each: tenant.objects(catalogue(), each, plan) for each in (ids[0], ids[-1])}
    for each, objects in wanted.items():
        memory.gateway.apply(objects, tenant.ownership(catalogue(), each))
    alone = memory.requests // len(wanted)
    with memory.cluster._store.lock:
        populate(memory.cluster._store, f"arm-{ids[0]}", [f"arm-{each}" for each in ids[1:-1]])
    for each, objects in wanted.items():
        memory.requests = 0
        memory.gateway.apply(objects, tenant.ownership(catalogue(), each))
        assert memory.requests == alone == len(verbs.BASIC) + 1
    memory.requests = 0
    assert len(list(memory.gateway.namespaces())) == TENANTS
    assert memory.requests == TENANTS // PAGE


def populate(store, model, names):
    """Namespaces like the model, with everything that is in it."""
    for kind in kinds.KINDS:
        for obj in store.all(kind, model if kind.namespaced else ""):
            if kind.namespaced or obj["metadata"]["name"] == model:
                place = "namespace" if kind.namespaced else "name"
                for name in names:
                    store.put(kind, {**obj, "metadata": {**obj["metadata"], place: name}})
