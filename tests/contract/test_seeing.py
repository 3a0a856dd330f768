"""What CloudWatch gets to see: figures, and one set of ids from a request to its reconcile."""

import json
import threading

import boto3
import pytest
import stripe
from chalice.local import LambdaContext

from chalicelib import wiring
from chalicelib.entrypoints import worker
from chalicelib.gateways.stripe_api import StripeApi
from ops import plans
from sandbox.kubernetes.server import KubernetesServer
from sandbox.stripe.state import Stripe
from sandbox.stripe.transport import InMemory
from sandbox.worker import events
from tests.contract.known import SETTINGS, TENANT

FREE = "/api/subscriptions/start-free"
BUY = "/api/subscriptions/create-checkout-session"


@pytest.fixture
def cluster(settings):
    """A cluster of its own, where the settings say that it is."""
    server = KubernetesServer(0, "provisioner")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.setenv("KUBE_SERVER", f"http://127.0.0.1:{server.server_address[1]}")
    settings.setenv("KUBE_TOKEN", "provisioner")
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def work(aws):
    """Does what Lambda does: hands each waiting message to the handler, as it was received."""
    sqs = boto3.client("sqs")

    def call():
        url = sqs.get_queue_url(QueueName=SETTINGS["QUEUE_NAME"])["QueueUrl"]
        got = sqs.receive_message(
            QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
        )
        for message in got.get("Messages", []):
            event = events.of_message(message, SETTINGS["QUEUE_NAME"], "eu-central-1")
            worker.on_tenant_message(event, LambdaContext("worker", 512))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    return call


@pytest.fixture
def figures(capsys):
    """The figures written so far: name, value, unit and dimensions of each."""

    def read():
        found = []
        for line in capsys.readouterr().out.splitlines():
            body = json.loads(line)
            (directive,) = body["_aws"]["CloudWatchMetrics"]
            assert directive["Namespace"] == "arm-engine-dev"
            (metric,) = directive["Metrics"]
            dimensions = {name: body[name] for name in directive["Dimensions"][0]}
            found.append((metric["Name"], body[metric["Name"]][0], metric["Unit"], dimensions))
        return found

    return read


@pytest.fixture
def lines(caplog):
    """The lines logged so far, as their fields."""
    caplog.set_level("INFO", logger="arm")

    def read(event):
        return [r.__dict__ for r in caplog.records if r.getMessage() == event]

    return read


def test_a_reconcile_is_measured(cluster, api, token, work, figures):
    """How long it took, by how it ended; one that was put off counts as a failure of its kind."""
    api.call("POST", FREE, token=token())
    cluster.faults.set({"outage": 600})
    work()
    (took, failed) = figures()
    assert (took[0], took[2:]) == ("ReconcileTime", ("Seconds", {"outcome": "later"}))
    assert failed == ("ReconcileFailures", 1, "Count", {"kind": "temporary"})
    cluster.faults.set({"outage": 0})
    wiring.queue().send_tenant(TENANT)
    work()
    (took,) = figures()
    assert (took[0], took[3]) == ("ReconcileTime", {"outcome": "converged"})


def test_a_bug_is_counted_and_raised(cluster, api, token, work, figures, monkeypatch):
    """The message stays with the queue; the figure says that the kind is not known."""
    api.call("POST", FREE, token=token())
    monkeypatch.setattr(wiring, "reconciler", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        work()
    assert figures() == [("ReconcileFailures", 1, "Count", {"kind": "unknown"})]


def test_the_sweep_says_how_long_work_has_waited(cluster, api, token, figures, monkeypatch):
    """0 as long as nothing waits; then at least a minute, then more with each try."""
    sweep = events.of_schedule("sweep", "eu-central-1")
    worker.on_schedule(sweep, LambdaContext("sweep", 256))
    api.call("POST", FREE, token=token())
    clock = wiring.clock()
    waited = []
    for later in (61, 75, 100):
        monkeypatch.setattr(wiring, "clock", lambda later=later: lambda: clock() + later)
        worker.on_schedule(sweep, LambdaContext("sweep", 256))
    waited = [value for name, value, _, _ in figures() if name == "PendingAge"]
    assert waited == [0, 60, 70, 90]


def test_one_request_is_followed_to_its_reconcile(cluster, api, token, work, lines):
    """The request's id is in the line of the reconcile that it caused, with message and tenant."""
    api.call("POST", FREE, token=token())
    (started,) = lines("free started")
    assert started["tenant"] == TENANT
    work()
    (reconciled,) = lines("reconcile")
    assert reconciled["request_id"] == started["request_id"]
    assert reconciled["tenant"] == TENANT
    assert reconciled["message_id"]


def test_one_event_is_followed_to_its_reconcile(cluster, api, token, work, lines):
    """The event's id too; and the message's body is the contract's, with nothing added."""
    api.call("POST", FREE, token=token())
    work()
    event = {
        "id": "evt_1", "object": "event", "type": "customer.subscription.updated",
        "created": 1_800_000_000, "livemode": False, "api_version": "2026-10-28.endive",
        "data": {"object": {"object": "subscription", "id": "sub_1", "metadata": {
            "tenant_id": TENANT, "deployment": "arm-engine-dev"}}},
    }  # fmt: skip
    api.event(event)
    work()
    (webhook,) = lines("webhook")
    assert (webhook["event_id"], webhook["tenant"]) == ("evt_1", TENANT)
    last = lines("reconcile")[-1]
    assert (last["event_id"], last["request_id"]) == ("evt_1", webhook["request_id"])
    api.event(event)
    url = boto3.client("sqs").get_queue_url(QueueName=SETTINGS["QUEUE_NAME"])["QueueUrl"]
    (message,) = boto3.client("sqs").receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"]) == {"v": 1, "tenantId": TENANT}


@pytest.mark.parametrize("kind", ["product.updated", "customer.subscription.updated"])
def test_what_somebody_wrote_into_metadata_is_not_logged(api, lines, kind):
    """Only an id of ours is learnt from an event, whatever its type."""
    api.event({
        "id": "evt_1", "object": "event", "type": kind, "created": 1_800_000_000, "livemode": False,
        "api_version": "2026-10-28.endive",
        "data": {"object": {"object": "product", "id": "prod_1", "metadata": {
            "tenant_id": "bob.private@example.com", "deployment": "arm-engine-dev"}}},
    })  # fmt: skip
    assert "bob" not in str(lines("webhook"))


def test_ids_do_not_outlive_their_call(cluster, api, token, work, lines):
    """A container serves one after the other; nobody's line carries somebody else's ids."""
    api.call("POST", FREE, token=token())
    api.call("GET", "/api/subscriptions/status")
    (refused,) = lines("refused")
    assert "tenant" not in refused
    assert refused["request_id"] != lines("free started")[0]["request_id"]


def test_the_webhook_writes_no_figures_itself(api, figures):
    """CloudWatch counts its log lines, so that its cold start pays for nothing."""
    event = {
        "id": "evt_1", "object": "event", "type": "invoice.paid", "created": 1_800_000_000,
        "livemode": False, "data": {"object": {"object": "invoice", "id": "in_1"}},
    }  # fmt: skip
    assert api.event(event)[0] == 200
    assert figures() == []


def test_a_sale_is_a_line_that_is_counted_and_no_figure(api, token, figures, lines, monkeypatch):
    """CloudWatch counts it by its plan, so that whoever buys first does not wait for Powertools."""
    account = InMemory(Stripe(wiring.clock()))
    plans.push(stripe.StripeClient("sk_test_1", http_client=account), wiring.catalogue(), "dev")
    payments = StripeApi("sk_test_1", http_client=account)
    monkeypatch.setattr(wiring, "payments", lambda: payments)
    assert api.call("POST", BUY, {"planId": "basic"}, token=token())[0] == 200
    (sold,) = lines("checkout")
    assert sold["plan"] == "basic"
    assert figures() == []
