"""What is told of an API server's refusal."""

import pytest

from chalicelib.domain.errors import Changed, Permanent, Temporary
from chalicelib.gateways.cluster_refusals import error
from chalicelib.gateways.kubernetes_http import Answer

VALUE = "4929123456781234"


def _answer(status, **body):
    return Answer(status, {"kind": "Status", "message": f"refused: {VALUE}", **body})


@pytest.mark.parametrize("verb", ["apply", "read", "patch", "delete"])
@pytest.mark.parametrize(
    ("status", "body", "kind", "told"),
    [
        (422, {"reason": "Invalid"}, Permanent, "HTTP 422 Invalid, details withheld"),
        (409, {"reason": "Conflict"}, Changed, "HTTP 409 Conflict, details withheld"),
        (500, {}, Permanent, "HTTP 500 details withheld"),
        (503, {"reason": VALUE}, Temporary, "HTTP 503 details withheld"),
    ],
)
def test_a_secrets_refusal_is_never_quoted(verb, status, body, kind, told):
    """Status and reason are told, and where to look; the message may hold the value."""
    refused = error(f"{verb} Secret pull", _answer(status, **body))
    assert type(refused) is kind
    assert str(refused).startswith(f"{verb} Secret pull: {told}")
    assert "kubectl apply" in str(refused)
    assert VALUE not in str(refused)


def test_any_other_refusal_is_quoted():
    """Its words say what to mend."""
    refused = error("apply Deployment Secret", _answer(422, reason="Invalid"))
    assert str(refused) == f"apply Deployment Secret: HTTP 422 refused: {VALUE}"


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (500, "etcdserver: request is too large"),
        (
            500,
            "rpc error: code = ResourceExhausted desc = trying to send message larger than max",
        ),
        (413, "Request entity too large: limit is 3145728"),
    ],
)
def test_what_is_too_large_will_never_fit(status, message):
    """Its words are of the store, as those of an outage are, and no time heals it."""
    assert type(error("apply ConfigMap a", _answer(status, message=message))) is Permanent


@pytest.mark.parametrize(
    "message",
    [
        "etcdserver: leader changed",
        "rpc error: code = ResourceExhausted desc = etcdserver: too many requests",
    ],
)
def test_a_store_that_is_busy_is_waited_for(message):
    """The same store and the same code, but not for good."""
    assert type(error("apply ConfigMap a", _answer(500, message=message))) is Temporary
