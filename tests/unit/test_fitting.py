"""What uses too much is named, and what runs gets smaller until it fits: the newest first."""

from decimal import Decimal

import pytest

from chalicelib.domain import pod_sizes, quantities
from chalicelib.domain.fitting import Load, Over, Turn, fitted, limits, over

DAYS = [f"2026-11-{day:02}T00:00:00Z" for day in range(1, 11)]


def load(key, pods, day=1, cpu="100m", **more):
    each = {"pods": Decimal(1), "requests.cpu": quantities.amount(cpu)}
    return Load(key, DAYS[day], pods, each, **more)


def room(pods="1000", cpu="1000"):
    return limits({"pods": pods, "requests.cpu": cpu, "requests.storage": "1Gi"})


def test_what_is_over_a_quota_is_named_with_how_much():
    """Amounts are compared, not texts; what is not counted is not over."""
    hard = {"pods": "40", "requests.cpu": "4", "requests.memory": "8Gi", "secrets": "9"}
    used = {"pods": "90", "requests.cpu": "13500m", "requests.memory": "8192Mi"}
    found = over(hard, used)
    assert found == (Over("pods", "90", "40"), Over("requests.cpu", "13500m", "4"))
    assert [each.by for each in found] == ["50", "9500m"]
    assert Over("requests.storage", "500Gi", "50Gi").by == "450Gi"
    assert over(hard, hard) == ()


@pytest.mark.parametrize(
    ("name", "pods"),
    [
        ("pods", True),
        ("count/pods", True),
        ("limits.memory", True),
        ("requests.ephemeral-storage", True),
        ("requests.nvidia.com/gpu", True),
        ("requests.storage", False),
        ("persistentvolumeclaims", False),
        ("count/deployments.apps", False),
        ("gold.storageclass.storage.k8s.io/requests.storage", False),
    ],
)
def test_what_pods_use_is_told_from_what_holds_data(name, pods):
    """Only the first is ever brought down."""
    assert Over(name, "2", "1").is_of_pods is pods


def test_what_fits_stays_as_it_is():
    """Nobody is made smaller who need not be."""
    assert fitted([load("a", 5), load("b", 5)], room(pods="10", cpu="1")) == {"a": 5, "b": 5}


def test_the_newest_gets_smaller_first():
    """By as much as is too much, and the next one by the rest."""
    loads = [load("old", 30, 1), load("new", 20, 3), load("middle", 40, 2)]
    assert fitted(loads, room(pods="40")) == {"old": 30, "middle": 10, "new": 0}


def test_of_those_equally_new_the_largest_goes_first():
    """By its largest share of any limit."""
    loads = [load("small", 10), load("large", 2, cpu="5")]
    assert fitted(loads, room(pods="100", cpu="7")) == {"small": 10, "large": 1}


def test_who_uses_nothing_of_what_is_short_stays():
    """Making it smaller would not help."""
    frugal = Load("frugal", DAYS[5], 3, {"pods": Decimal(1)})
    assert fitted([load("a", 10, 1), frugal], room(cpu="500m")) == {"a": 5, "frugal": 3}


def test_a_job_is_suspended_as_a_whole():
    """It cannot run half."""
    loads = [load("job", 4, 3, divisible=False), load("web", 8, 1)]
    assert fitted(loads, room(pods="10")) == {"job": 0, "web": 8}


def test_pods_that_nobody_makes_again_go_last():
    """Those that have ended first: nothing runs in them; what the plan itself runs after all."""
    loads = [
        load("pod", 1, 8, turn=Turn.POD),
        load("ours", 1, 9, turn=Turn.OURS),
        load("web", 1, 2),
        load("done", 1, 1, turn=Turn.ENDED),
    ]
    order = [
        {key for key, size in fitted(loads, room(pods=str(left))).items() if not size}
        for left in (4, 3, 2, 1, 0)
    ]
    assert order == [
        set(), {"done"}, {"done", "web"}, {"done", "web", "pod"}, {"done", "web", "pod", "ours"},
    ]  # fmt: skip


def test_nothing_gets_smaller_than_it_may():
    """Given back, a workload keeps at least what it has."""
    loads = [load("old", 6, 1, least=2), load("new", 6, 2, least=3)]
    assert fitted(loads, room(pods="8")) == {"old": 5, "new": 3}


CONTAINER = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}


@pytest.mark.parametrize(
    ("spec", "uses"),
    [
        (
            {"containers": [{"resources": CONTAINER}, {"resources": CONTAINER}]},
            {"requests.cpu": 2, "requests.memory": 2 * 2**30, "limits.memory": 4 * 2**30},
        ),
        (
            {"containers": [{"resources": {"limits": {"cpu": "2"}}}]},
            {"requests.cpu": 2, "limits.cpu": 2},
        ),
        (
            {
                "containers": [{"resources": {"requests": {"cpu": "1"}}}],
                "initContainers": [
                    {"resources": {"requests": {"cpu": "3"}}},
                    {"resources": {"requests": {"cpu": "1"}}, "restartPolicy": "Always"},
                ],
            },
            {"requests.cpu": 3},
        ),
        (
            {
                "containers": [{"resources": {"requests": {"cpu": "1"}}}],
                "overhead": {"cpu": "500m"},
            },
            {"requests.cpu": Decimal("1.5")},
        ),
        ({"containers": [{}]}, {}),
    ],
)
def test_what_a_pod_uses(spec, uses):
    """As a quota counts it: containers add up, those that start before are the most of them."""
    found = pod_sizes.of_spec(spec, {})
    assert {name: found.get(name) for name in uses} == uses
    assert found["pods"] == found["count/pods"] == 1


def test_a_container_without_sizes_uses_the_plans():
    """What the LimitRange gives it when it is admitted."""
    item = {"type": "Container", "default": {"cpu": "2"}, "defaultRequest": {"cpu": "1"}}
    found = pod_sizes.of_spec({"containers": [{}]}, {"spec": {"limits": [item]}})
    assert (found["requests.cpu"], found["limits.cpu"]) == (1, 2)


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", "0"), ("500m", "0.5"), ("8Gi", "8589934592"), ("2k", "2000"), ("1e3", "1000")],
)
def test_quantities(text, number):
    """Powers of 1000, of 1024, and exponents."""
    assert quantities.amount(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "banana", "1.2.3", "Gi", "1 Gi", "1ee"])
def test_what_is_no_quantity(text):
    """None of these is a number with a suffix."""
    assert quantities.amount(text) is None
