"""Which peers of a NetworkPolicy the API server takes."""

import pytest

from chalicelib.wiring import catalogue
from tests.contract.kubernetes.conftest import NAMESPACE

pytestmark = pytest.mark.cluster

PATH = f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/networkpolicies"


@pytest.fixture
def made(cluster, objects, owner):
    """Make a policy with one peer to go out to; status and answer."""
    cluster.gateway().apply(objects(), owner)

    def make(peer):
        spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [peer]}]}
        body = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
        return cluster.ask("POST", PATH, {**body, "metadata": {"name": "theirs"}, "spec": spec})

    return make


def block(cidr, *parts):
    return {"ipBlock": {"cidr": cidr, "except": list(parts)}}


@pytest.mark.parametrize(
    "peer",
    [
        block("0.0.0.0/0", *(each for each in catalogue().cluster.blocked_ranges if "." in each)),
        block("::/0", *(each for each in catalogue().cluster.blocked_ranges if ":" in each)),
        block("10.0.0.0/24", "10.0.0.128/25"),
        {"podSelector": {}, "namespaceSelector": {}},
    ],
)
def test_what_is_a_part_may_be_left_out(made, peer):
    """Of either kind of address; so all ranges that ship."""
    status, answer = made(peer)
    assert status == 201, answer


PART = "must be a strict subset of `cidr`"
NO_RANGE = "must be a valid CIDR value"


@pytest.mark.parametrize(
    ("peer", "field", "why"),
    [
        (block("::/0", "fc00::/7", "::ffff:0:0/96"), ".ipBlock.except[1]", PART),
        (block("::/0", "::ffff:10.0.0.0/104"), ".ipBlock.except[0]", PART),
        (block("0.0.0.0/0", "0.0.0.0/0"), ".ipBlock.except[0]", PART),
        (block("0.0.0.0/0", "fc00::/7"), ".ipBlock.except[0]", PART),
        (block("10.0.0.0/24", "192.168.0.0/24"), ".ipBlock.except[0]", PART),
        (block("10.0.0.0/24", "10.0.0.0/8"), ".ipBlock.except[0]", PART),
        (block("0.0.0.0/0", "10.0.0.0"), ".ipBlock.except[0]", NO_RANGE),
        (block("0.0.0.0/0", "10.0.0.0/255.0.0.0"), ".ipBlock.except[0]", NO_RANGE),
        (block("300.0.0.0/8"), ".ipBlock.cidr", NO_RANGE),
        (block(""), ".ipBlock.cidr", "Required value"),
        ({}, "", "must specify a peer"),
        ({**block("10.0.0.0/8"), "podSelector": {}}, "", "both ipBlock and another peer"),
    ],
)
def test_what_is_no_part_is_refused(made, peer, field, why):
    """The API server takes an IPv4 address that is written as IPv6 for IPv4: no part of `::/0`."""
    status, answer = made(peer)
    assert status == 422
    (cause,) = answer["details"]["causes"]
    assert cause["field"] == f"spec.egress[0].to[0]{field}"
    assert why in cause["message"]
