"""The worker's handlers, called as Lambda calls them, over the table, the queue and a cluster."""

import itertools
import json
import threading
import time
from collections import Counter

import pytest
from botocore.exceptions import ClientError
from chalice.local import LambdaContext

from chalicelib import wiring
from chalicelib.domain.errors import InvalidRequest, Temporary
from chalicelib.domain.record import User, tenant_id_of
from chalicelib.entrypoints import worker
from chalicelib.gateways.kubernetes_http import KubernetesHttp, fixed
from chalicelib.gateways.stripe_api import StripeApi
from sandbox.kubernetes.server import KubernetesServer
from sandbox.stripe.state import Stripe
from sandbox.stripe.transport import InMemory
from sandbox.worker import events
from tests.contract.known import ISSUER, SETTINGS, TENANT

TOKEN = "provisioner"
NAMESPACE = f"arm-{TENANT}"
FREE = "/api/subscriptions/start-free"


@pytest.fixture
def cluster(settings):
    """A cluster of its own, where the settings say that it is."""
    server = KubernetesServer(0, TOKEN)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.setenv("KUBE_SERVER", f"http://127.0.0.1:{server.server_address[1]}")
    settings.setenv("KUBE_TOKEN", TOKEN)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def stripe(monkeypatch):
    """An account in memory, where nothing has happened yet."""
    account = Stripe(time.time)
    payments = StripeApi("sk_test_1", http_client=InMemory(account))
    with monkeypatch.context() as patch:
        patch.setattr(wiring, "payments", lambda: payments)
        yield account


@pytest.fixture
def deliver(aws):
    """Calls the handler with a message, received for the n-th time."""

    def call(body, receives=1):
        message = {
            "MessageId": "m-1", "ReceiptHandle": "r-1", "MD5OfBody": "",
            "Body": body if isinstance(body, str) else json.dumps(body),
            "Attributes": {"ApproximateReceiveCount": str(receives), "MessageGroupId": TENANT},
        }  # fmt: skip
        event = events.of_message(message, SETTINGS["QUEUE_NAME"], "eu-central-1")
        aws.calls.clear()
        worker.on_tenant_message(event, LambdaContext("worker", 512))

    return call


@pytest.fixture
def free(cluster, api, token):
    """Somebody who has just started Free."""
    api.call("POST", FREE, token=token())
    return lambda: api.call("GET", "/api/subscriptions/status", token=token())[1]


KEY = {"v": 1, "tenantId": TENANT}


def test_the_first_convergence_asks_for_what_it_needs(cluster, deliver, free):
    """One GET of the namespace, one PATCH for each object, the namespace first; no discovery."""
    deliver(KEY)
    asked = cluster.seen.all()
    assert Counter(r["method"] for r in asked) == {"GET": 1, "PATCH": 12}
    assert [(r["method"], r["path"]) for r in asked[:2]] == [
        ("GET", f"/api/v1/namespaces/{NAMESPACE}"),
        ("PATCH", f"/api/v1/namespaces/{NAMESPACE}"),
    ]
    assert len({r["path"] for r in asked[1:]}) == 12
    status = free()
    assert (status["status"], status["tenant"]["state"]) == ("active", "ready")
    assert status["tenant"]["namespace"] == NAMESPACE


def test_the_objects_are_applied_side_by_side(cluster, deliver, free, monkeypatch):
    """After the namespace: six requests have to be there at once before any is answered."""
    together = threading.Barrier(6)
    waited = []
    handle = cluster.cluster.handle

    def slow(request):
        if len(cluster.seen.all()) > 2 and len(waited) < 6:
            waited.append(request)
            together.wait(10)
        return handle(request)

    monkeypatch.setattr(cluster.cluster, "handle", slow)
    deliver(KEY)
    assert free()["status"] == "active"
    assert len(waited) >= 6


def test_nothing_pending_costs_one_read(cluster, deliver, aws, free):
    """A key too many is cheap: no Stripe, no cluster, no write."""
    deliver(KEY)
    cluster.seen.clear()
    deliver(KEY)
    assert aws.calls == {"GetItem": 1}
    assert cluster.seen.all() == []


def test_a_look_that_changes_nothing_asks_the_cluster_nothing(cluster, deliver, aws, free):
    """The same objects are wanted as stand: one read and one write."""
    deliver(KEY)
    wiring.records().nudge(TENANT, int(wiring.clock()()))
    cluster.seen.clear()
    deliver(KEY)
    assert aws.calls["GetItem"] == 1
    assert aws.calls.total() == 2
    assert cluster.seen.all() == []


def test_a_crash_in_mid_apply_is_finished_by_the_next(cluster, deliver, free, monkeypatch):
    """Whatever stands already is applied again, to the same effect."""
    handle = cluster.cluster.handle

    def crash(request):
        if len(cluster.seen.all()) > 5:
            raise ConnectionError
        return handle(request)

    with monkeypatch.context() as broken:
        broken.setattr(cluster.cluster, "handle", crash)
        deliver(KEY)
    assert free()["status"] == "provisioning"
    deliver(KEY)
    assert free()["status"] == "active"


def test_a_cluster_away_is_told_honestly(cluster, deliver, aws, free):
    """The message is done with, the record stays pending, and the customer reads a line."""
    cluster.faults.set({"outage": 600})
    deliver(KEY)
    status = free()
    assert (status["status"], status["tenant"]["state"]) == ("provisioning", "pending")
    assert status["tenant"]["message"]
    record = wiring.records().read(TENANT)
    assert record.pending
    assert record.retry_at
    cluster.faults.set({"outage": 0})
    deliver(KEY)
    assert free()["status"] == "active"


def test_a_namespace_that_is_somebody_elses_is_left_alone(cluster, deliver, free):
    """It failed for good, and says so in words for a customer."""
    theirs = {
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": {"team": "somebody"}},
    }  # fmt: skip
    address = f"http://127.0.0.1:{cluster.server_address[1]}"
    made = KubernetesHttp(fixed(address, None, TOKEN)).request(
        "POST", "/api/v1/namespaces", body=theirs
    )
    assert made.status == 201
    cluster.seen.clear()
    deliver(KEY)
    assert [r["method"] for r in cluster.seen.all()] == ["GET"]
    status = free()
    assert status["tenant"]["state"] == "failed"
    assert "label" not in status["tenant"]["message"]


@pytest.mark.parametrize("body", ["", "x", "[]", "{}", '{"tenantId": 3}', '{"tenant": "x"}'])
def test_a_message_that_is_no_key_is_dropped(cluster, deliver, aws, body):
    """It would never be understood; it does not come back five times."""
    deliver(body)
    assert aws.calls["TransactWriteItems"] == 0


def test_a_bug_leaves_the_message_to_the_queue(deliver, free, monkeypatch):
    """Raising is what brings it back, and to the dead letters in the end."""
    monkeypatch.setattr(wiring, "reconciler", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        deliver(KEY)


@pytest.fixture
def sweep(aws):
    """Calls the schedule's handler; what it sent."""

    def call():
        aws.messages()
        event = events.of_schedule("sweep", "eu-central-1")
        worker.on_schedule(event, LambdaContext("sweep", 256))
        return aws.messages()

    return call


@pytest.fixture
def later(monkeypatch):
    """Moves the time that decisions go by."""

    def move(seconds):
        monkeypatch.setattr(wiring, "clock", lambda: lambda: time.time() + seconds)

    return move


def test_a_lost_message_is_sent_again(free, sweep, later):
    """After a minute, and then ever more slowly."""
    assert sweep() == []
    later(61)
    assert sweep() == [KEY]
    assert sweep() == []
    later(72)
    assert sweep() == [KEY]
    assert wiring.records().read(TENANT).nudged == 1


def test_what_is_pending_for_long_is_counted(free, sweep, later, caplog):
    """The sweep comes every minute; after about a quarter of an hour its line has a number."""
    caplog.set_level("INFO", "arm")
    stuck = {}
    for minute in range(1, 31):
        later(minute * 60 + 1)
        caplog.clear()
        sweep()
        stuck[minute] = sum(record.stuck for record in caplog.records if record.msg == "sweep")
    first = min(minute for minute, count in stuck.items() if count)
    assert 14 <= first <= 20, stuck


def test_a_deadline_nudges(cluster, deliver, free, sweep, later):
    """Free runs out by itself: what the customer reads and what runs follow."""
    deliver(KEY)
    later(30 * 24 * 3600 + 1)
    assert sweep() == [KEY]
    assert wiring.records().read(TENANT).nudged == 2
    deliver(KEY)
    status = free()
    assert (status["status"], status["active"]) == ("canceled", False)
    assert status["tenant"]["state"] == "suspended"
    assert status["dataKeptUntil"]


def test_what_was_kept_beyond_retention_goes(cluster, deliver, free, sweep, later):
    """The namespace is deleted, by its uid, and the record says so."""
    deliver(KEY)
    later(30 * 24 * 3600 + 1)
    sweep()
    deliver(KEY)
    later(61 * 24 * 3600)
    assert sweep() == [KEY]
    for _ in range(2):
        deliver(KEY, receives=5)
    cluster.seen.clear()
    assert free()["tenant"]["state"] in {"deleting", "none"}


def test_a_slow_sweep_leaves_the_rest_to_the_next(free, sweep, later, monkeypatch):
    """It looks at the clock between items, so that it ends before it is ended."""
    users = [User(issuer=ISSUER, subject=f"slow-{n}") for n in range(6)]
    for user in users:
        wiring.free_plan().start(user)
    later(61)
    started, ticks = wiring.clock()(), itertools.count()
    monkeypatch.setattr(wiring, "clock", lambda: lambda: started + 9 * next(ticks))
    swept = len(sweep())
    assert 0 < swept < 4
    monkeypatch.setattr(wiring, "clock", lambda: lambda: started)
    assert swept + len(sweep()) == 1 + len(users)


def test_the_sweep_is_calm_while_stripe_is_away(free, sweep, later, stripe):
    """What is due is seen to first; what was missed is asked for in a minute."""
    stripe.trouble.set({"outage": 600})
    later(61)
    assert sweep() == [KEY]
    assert wiring.records().swept_until() is None


@pytest.fixture
def refusing(aws):
    """The queue takes no message of this group."""

    def refuse(params, **_):
        if params["MessageGroupId"] == TENANT:
            raise ClientError({"Error": {"Code": "InvalidParameterValue"}}, "SendMessage")

    sending = "before-parameter-build.sqs.SendMessage"
    events_of_client = wiring.queue()._client.meta.events
    events_of_client.register(sending, refuse)
    yield
    events_of_client.unregister(sending, refuse)


def test_one_that_cannot_be_sent_keeps_no_other(
    free, sweep, later, refusing, api, token, caplog, aws
):
    """It is logged by its name, the rest is swept, and the function fails to be seen."""
    later(1)
    api.call("POST", FREE, token=token(sub="u-2", email="u-2@example.com"))
    later(62)
    aws.messages()
    with pytest.raises(Temporary, match="the queue does not take"):
        sweep()
    assert aws.messages() == [{"v": 1, "tenantId": tenant_id_of(ISSUER, "u-2")}]
    (line,) = [r for r in caplog.records if r.msg == "not swept"]
    assert (line.tenant, line.levelname) == (TENANT, "ERROR")
    assert line.reason == "Temporary: the queue does not take send_message: ClientError"
    assert wiring.records().swept_until() is not None


def test_an_outage_of_the_queue_is_not_waited_for_item_by_item(
    free, sweep, later, refusing, api, token, monkeypatch, aws
):
    """A failure that comes late ends the sweep; the next one finds what is left."""
    api.call("POST", FREE, token=token(sub="u-2", email="u-2@example.com"))
    aws.messages()
    start = time.time() + 62
    ticks = itertools.chain([start], itertools.repeat(start + 21))
    monkeypatch.setattr(wiring, "clock", lambda: lambda: next(ticks))
    with pytest.raises(Temporary):
        sweep()
    assert aws.messages() == []


def test_an_event_that_is_none_is_told_once_the_rest_is_swept(
    free, sweep, later, refusing, stripe, monkeypatch, caplog
):
    """What is due is seen to, whatever fails of it, and what Stripe listed is an error that shows."""
    sdk = wiring.payments()._client
    sdk.customers.delete(sdk.customers.create({}).id)
    (event,) = stripe.ledger.all("event", type="customer.deleted")
    event["data"] = None
    monkeypatch.setattr(stripe.ledger, "owed", lambda _: 1)
    with pytest.raises(InvalidRequest):
        sweep()
    later(61)
    with pytest.raises(Temporary):
        sweep()
    lines = [r for r in caplog.records if r.msg in {"not swept", "events not seen"}]
    assert [line.levelname for line in lines] == ["ERROR"] * 3


def test_the_audit_says_what_it_found(cluster, deliver, free, capsys):
    """One line for each finding and one for the whole, for whoever reads the log."""
    deliver(KEY)
    for namespace in wiring.cluster().namespaces():
        wiring.cluster()._objects.delete(f"/api/v1/namespaces/{namespace.name}", None, "it")
    cluster.cluster.finish_deletions()
    worker.on_audit(events.of_schedule("audit", "eu-central-1"), LambdaContext("audit", 512))
    assert wiring.records().read(TENANT).pending
    deliver(KEY)
    assert free()["status"] == "active"
