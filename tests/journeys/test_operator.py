"""Whoever runs the shop: sees what happened to one customer, and puts it right."""

import os
import shutil
import signal
import subprocess
import time

import boto3
import pytest
import stripe

from chalicelib import wiring
from tests.conftest import forget
from tests.journeys.operator import Operator
from tests.journeys.shop import Customer, until


@pytest.fixture(scope="module")
def operator(sandbox):
    """Somebody at a terminal; what their commands put into this process is taken out again."""
    before, clock = dict(os.environ), wiring.clock
    forget()
    os.environ["OPS_OPERATOR"] = "grace"
    yield Operator(sandbox._ready_file)
    os.environ.clear()
    os.environ.update(before)
    wiring.clock = clock
    forget()


@pytest.fixture(autouse=True)
def _everything_works_again(sandbox):
    yield
    sandbox.faults("kubernetes", outage=0)
    sandbox.faults("stripe", drop=0, outage=0)


@pytest.fixture
def aws(sandbox):
    """The sandbox's AWS, behind everybody's back."""
    at = {"endpoint_url": sandbox.ready["aws"], "region_name": "us-east-1"}
    session = boto3.Session("sandbox", "sandbox")
    return lambda service: session.client(service, **at)


@pytest.fixture
def subscriber(customer):
    """Somebody who pays for Basic, and has it."""
    customer.buy("basic")
    customer.becomes("active")
    return customer


def tenant_of(customer):
    """Their tenant's id."""
    return customer.status()["tenant"]["namespace"].removeprefix("arm-")


def test_one_customer_goes_by_many_names(operator, subscriber):
    """Address, tenant, namespace, Stripe customer and subscription all mean the same one."""
    shown = operator.ask("tenants", "show", subscriber.email)
    assert (shown["plan"], shown["status"], shown["tenant"]) == ("basic", "active", "ready")
    assert shown["whatTheCustomerReads"]["status"] == "active"
    names = ("tenantId", "namespace", "customerId", "subscriptionId")
    for name in (subscriber.email.upper(), *(shown[n] for n in names)):
        assert operator.ask("tenants", "show", name)["tenantId"] == shown["tenantId"]


@pytest.mark.parametrize("user", ["nobody@example.com", "0" * 16, "cus_nobody", "sub_nobody", "??"])
def test_nobody_is_told_in_one_line(operator, user):
    """Exit code 2, and what was looked for."""
    said = operator.run("tenants", "show", user, code=2)
    assert said.startswith(f"ops: {user}: ")
    assert said.count("\n") == 1


def test_everybody_is_listed(operator, subscriber):
    """By status, by what waits, by what failed."""
    tenant_id = tenant_of(subscriber)
    everybody = operator.ask("tenants", "list")
    assert tenant_id in {row["tenantId"] for row in everybody}
    active = operator.ask("tenants", "list", "--status", "active")
    assert tenant_id in {row["tenantId"] for row in active}
    assert {row["status"] for row in active} == {"active"}
    assert operator.ask("tenants", "list", "--status", "past_due", "--failed") == []
    assert tenant_id in operator.run("tenants", "list")


def test_the_timeline_tells_it_in_words(operator, subscriber):
    """Events, decisions, acts on the cluster, in their order; no code is needed to read it."""
    lines = operator.ask("timeline", subscriber.email)
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert {line["by"] for line in lines} >= {"event", "decision", "cluster"}
    told = operator.run("timeline", subscriber.email)
    assert "the checkout was completed" in told
    assert "objects applied" in told
    assert "basic: active" in told


def test_sync_follows_to_the_end(operator, sandbox, subscriber):
    """A look is asked for, and what comes of it is told; the act stands in the timeline."""
    done = operator.ask("sync", subscriber.email)
    assert (done["end"], done["tenant"]["pending"]) == ("done", False)
    assert "asked for a look (by grace)" in operator.run("timeline", subscriber.email)


def test_sync_says_what_is_waited_for(operator, sandbox, customer):
    """A cluster that is away: the reason in words, and exit code 1 when patience ends."""
    sandbox.faults("kubernetes", outage=600)
    customer.buy("basic")
    until(lambda: customer.status()["tenant"]["message"], "an honest line")
    said = operator.run("sync", customer.email, "--timeout", "3", code=1)
    assert "waits: " in said
    assert "still pending" in said
    assert tenant_of(customer) in operator.run("tenants", "list", "--pending")
    sandbox.faults("kubernetes", outage=0)
    assert operator.ask("sync", customer.email)["end"] == "done"
    assert customer.status()["status"] == "active"


def test_a_hold_lasts_until_it_is_lifted(operator, sandbox, subscriber):
    """Suspended whatever it pays, whatever events come; resumed as it was; both with a reason."""
    held = operator.ask("suspend", subscriber.email, "--reason", "abuse report 12")
    assert (held["tenant"]["tenant"], held["tenant"]["held"]) == ("suspended", "abuse report 12")
    assert subscriber.status()["active"] is False
    assert subscriber.status()["tenant"]["state"] == "suspended"
    operator.ask("sync", subscriber.email)
    assert subscriber.status()["active"] is False
    assert "held already" in operator.run("suspend", subscriber.email, "--reason", "x", code=2)
    assert len(operator.ask("tenants", "list", "--held")) == 1
    operator.ask("resume", subscriber.email, "--reason", "it was somebody else")
    assert subscriber.status()["tenant"]["state"] == "ready"
    assert "not held" in operator.run("resume", subscriber.email, "--reason", "x", code=2)
    told = operator.run("timeline", subscriber.email)
    assert "suspended: abuse report 12 (by grace)" in told
    assert "resumed: it was somebody else (by grace)" in told


def test_a_reason_is_asked_for(operator, subscriber):
    """Nobody is suspended without one."""
    assert "--reason" in operator.run("suspend", subscriber.email, code=2)
    assert subscriber.status()["active"] is True


def test_a_lost_event_is_replayed(operator, sandbox, customer):
    """Stripe's event, as if it had just been delivered; again only nudges."""
    sandbox.faults("stripe", drop=1)
    customer.buy("basic")

    def undelivered():
        for delivery in sandbox.deliveries():
            if not delivery["delivered"] and delivery["type"] == "customer.subscription.created":
                return delivery["event"]
        return None

    event = until(undelivered, "an event that is lost")
    first = operator.ask("replay", event)
    assert (first["outcome"], first["type"]) == ("nudged", "customer.subscription.created")
    customer.becomes("active")
    assert operator.ask("replay", event)["outcome"] == "nudged again"
    told = operator.run("timeline", customer.email)
    assert told.count(f"(customer.subscription.created, {event})") == 1
    assert f"replayed customer.subscription.created {event} (by grace)" in told
    assert "knows no event" in operator.run("replay", "evt_nothing", code=2)


def test_dead_letters_are_seen_and_given_another_try(operator, sandbox, subscriber, aws):
    """What caused each is told; a redrive empties the queue and asks for a look."""
    tenant_id, sqs = tenant_of(subscriber), aws("sqs")
    url = sqs.get_queue_url(QueueName="arm-engine-dev-tenants-dead.fifo")["QueueUrl"]
    assert operator.ask("dead-letters", "list") == []
    for n, body in enumerate((f'{{"v": 1, "tenantId": "{tenant_id}"}}', "no key", "[]")):
        sqs.send_message(
            QueueUrl=url, MessageBody=body, MessageGroupId=f"g{n}", MessageDeduplicationId=f"d{n}",
            MessageAttributes={"event_id": {"DataType": "String", "StringValue": "evt_cause"}},
        )  # fmt: skip
    seen = operator.ask("dead-letters", "list", code=1)
    assert len(seen) == 3
    ours = next(row for row in seen if row["tenantId"] == tenant_id)
    assert ours["eventId"] == "evt_cause"
    assert len(operator.ask("dead-letters", "list", code=1)) == 3
    done = operator.ask("dead-letters", "redrive")
    assert sorted(row["what"] for row in done) == ["dropped: not a key"] * 2 + ["sent again"]
    assert operator.ask("dead-letters", "list") == []
    assert "redrove a dead letter" in operator.run("timeline", subscriber.email)


def test_a_rollout_can_be_stopped_and_resumed(operator, sandbox, aws):
    """Tenants of an older catalogue are brought up to date, each once, at the rate that is set."""
    tenants = []
    for _ in range(3):
        customer = Customer(sandbox).sign_in()
        assert customer.call("POST", "/api/subscriptions/start-free").status_code == 202
        customer.becomes("active")
        tenants.append(tenant_of(customer))
    for tenant_id in tenants:
        aws("dynamodb").update_item(
            TableName=sandbox.ready["table"],
            Key={"pk": {"S": f"TENANT#{tenant_id}"}, "sk": {"S": "RECORD"}},
            UpdateExpression="SET applied = :old",
            ExpressionAttributeValues={":old": {"S": "of an older catalogue"}},
        )
    assert operator.ask("rollout", "--dry-run")["toDo"] == 3
    running = operator.start("rollout", "--rate", "0.02")

    def applied():
        return sum(
            operator.ask("tenants", "show", t)["appliedRevision"] != "of an older catalogue"
            for t in tenants
        )

    until(lambda: applied() == 1, "the first one is up to date")
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=20)
    assert running.returncode == 1
    assert "goes on where it was" in said
    left = operator.ask("rollout", "--dry-run")["toDo"]
    assert left in {1, 2}
    done = operator.ask("rollout", "--rate", "20")
    assert (done["toDo"], done["done"], done["failed"]) == (left, left, [])
    assert applied() == 3
    assert operator.ask("rollout")["toDo"] == 0
    for tenant_id in tenants:
        assert operator.run("timeline", tenant_id).count("rollout of the catalogue") == 1


def test_figures_of_the_shop(operator, subscriber):
    """Customers by status and plan, revenue at what each really pays, and how long they waited."""
    before = operator.ask("stats")
    assert before["by_status"]["active"] >= 1
    assert before["by_plan"]["basic"] >= 1
    assert before["pay_to_ready"]["customers"] >= 1
    assert 0 <= before["pay_to_ready"]["median"] <= before["pay_to_ready"]["p99"]
    operator.ask("forget", subscriber.email, "--yes")
    after = operator.ask("stats")
    assert before["monthly_revenue"] - after["monthly_revenue"] == 2900
    assert "USD" in operator.run("stats")


def test_an_export_has_everything(operator, subscriber, tmp_path):
    """Account, record, timeline, and what Stripe knows; in a file that only its owner reads."""
    found = operator.ask("export", subscriber.email)
    assert found["account"]["email"] == subscriber.email
    assert found["record"]["user"]["email"] == subscriber.email
    assert found["timeline"]
    assert found["stripe"]["customer"]["id"] == found["record"]["customer_id"]
    assert len(found["stripe"]["subscriptions"]) == 1
    assert len(found["stripe"]["invoices"]) == 1
    file = tmp_path / "export.json"
    operator.run("export", subscriber.email, "--output", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    assert subscriber.email in file.read_text()


def test_forgetting_reaches_everything(operator, sandbox, subscriber, aws):
    """Not without --yes; then account, Stripe, cluster and table know nobody any more."""
    shown = operator.ask("tenants", "show", subscriber.email)
    tenant_id, namespace = shown["tenantId"], shown["namespace"]
    operator.run("forget", subscriber.email, code=2)
    assert subscriber.status()["status"] == "active"
    done = operator.ask("forget", subscriber.email, "--yes")
    assert done["tenantId"] == tenant_id
    assert any("invoices" in text for text in done["kept"])
    items = aws("dynamodb").scan(TableName=sandbox.ready["table"])["Items"]
    assert [i for i in items if tenant_id in str(i)] == []
    assert namespace not in sandbox.kubectl("get", "namespaces")
    login = subscriber.call(
        "POST", "/api/auth/login", {"email": subscriber.email, "password": "correct horse battery"}
    )
    assert login.status_code == 401
    for method, path in (("GET", "status"), ("POST", "start-free")):  # by the token of before
        assert subscriber.call(method, f"/api/subscriptions/{path}").status_code == 401
    listed = operator.ask("tenants", "list")
    assert tenant_id not in {row["tenantId"] for row in listed}
    time.sleep(1)  # what Stripe still has to tell of the deleted customer is of nobody
    items = aws("dynamodb").scan(TableName=sandbox.ready["table"])["Items"]
    assert [i for i in items if tenant_id in str(i)] == []


def test_forgetting_goes_on_where_it_was(operator, sandbox, subscriber):
    """The cluster away: nobody gets in, the subscription is gone, and the same command ends it."""
    tenant_id = tenant_of(subscriber)
    sandbox.faults("kubernetes", outage=600)
    said = operator.run("forget", subscriber.email, "--yes", "--timeout", "3", code=2)
    assert "run" in said
    assert subscriber.call("POST", "/api/subscriptions/start-free").status_code == 401
    account = {"email": subscriber.email, "password": "correct horse battery"}
    assert subscriber.call("POST", "/api/auth/login", account).status_code == 401
    sandbox.faults("kubernetes", outage=0)
    assert operator.ask("forget", subscriber.email, "--yes")["tenantId"] == tenant_id
    assert "has no record" in operator.run("tenants", "show", tenant_id, code=2)


def test_who_only_signed_up_can_leave_too(operator, sandbox):
    """There is an account and nothing else: it is exported, and it is deleted."""
    visitor = Customer(sandbox).sign_in()
    assert operator.ask("export", visitor.email)["account"]["email"] == visitor.email
    assert operator.ask("forget", visitor.email, "--yes")["done"] == [
        "the account is deleted; there was nothing else"
    ]
    assert visitor.call("POST", "/api/subscriptions/start-free").status_code == 401
    operator.run("export", visitor.email, code=2)


def test_the_plans_at_stripe_are_held_to_the_catalogue(operator, sandbox):
    """`diff` says what `push` would change, and a second push changes nothing."""
    assert operator.ask("plans", "diff") == []
    client = stripe_of(sandbox)
    price = client.v1.prices.list({"lookup_keys": ["arm-engine-dev-pro-month"]}).data[0]
    client.v1.products.update(price.product, {"name": "Something else"})
    assert operator.ask("plans", "diff", code=1)[0]["what"] == "rename product"
    assert operator.ask("plans", "push")[0]["what"] == "rename product"
    assert operator.ask("plans", "push") == []


def test_the_doctor_looks_at_a_sandbox_too(operator, sandbox):
    """All is well in one that runs; what somebody spoils is found, with exit code 1."""
    assert {f["state"] for f in operator.ask("doctor")} == {"ok"}
    client = stripe_of(sandbox)
    (endpoint,) = client.v1.webhook_endpoints.list().data
    events = list(endpoint.enabled_events)
    client.v1.webhook_endpoints.update(endpoint.id, {"enabled_events": events[1:]})
    try:
        found = {f["name"]: f for f in operator.ask("doctor", code=1)}
        assert found["webhook endpoint"]["said"] == f"does not send {min(events)}"
    finally:
        client.v1.webhook_endpoints.update(endpoint.id, {"enabled_events": events})
    assert "FAIL" not in operator.run("doctor")


def stripe_of(sandbox):
    """Stripe's own SDK, at the stand-in."""
    return stripe.StripeClient(
        sandbox.ready["stripeKey"], base_addresses={"api": sandbox.ready["stripe"]}
    )


def test_a_sandbox_that_is_not_there(tmp_path):
    """One line says what to start, and the exit code that it could not be done."""
    running = Operator(tmp_path / "ready.json").start("tenants", "list")
    _, said = running.communicate(timeout=60)
    assert running.returncode == 2
    assert said.startswith("ops: there is no ")
    assert "make demo" in said


def pays_twice(sandbox, subscriber):
    """Somebody sold them a second subscription at Stripe's dashboard."""
    client = stripe_of(sandbox)
    (first,) = client.v1.subscriptions.list(
        {"limit": 100, "customer": customer_of(sandbox, subscriber)}
    ).data
    price = client.v1.prices.list({"lookup_keys": ["arm-engine-dev-basic-month"]}).data[0]
    # Which is the older one is told in whole seconds.
    clock = ("GET", "stripe", "/sandbox/clock")
    until(lambda: sandbox.ask(*clock).json()["now"] > first.created, "a later second")
    second = client.v1.subscriptions.create(
        {
            "customer": str(first.customer),
            "items": [{"price": price.id}],
            "default_payment_method": str(first.default_payment_method),
        }
    )
    return first.id, second.id


def customer_of(sandbox, subscriber):
    """Their Stripe customer."""
    return stripe_of(sandbox).v1.customers.list({"email": subscriber.email}).data[0].id


def test_a_second_subscription_is_undone_by_a_persons_word(operator, sandbox, subscriber):
    """It is listed; with --yes it is canceled and refunded, and the first one stays."""
    first, second = pays_twice(sandbox, subscriber)
    mine = {"tenantId": tenant_of(subscriber), "email": subscriber.email}
    expected = mine | {"counts": first, "beside": [second]}
    until(lambda: expected in operator.ask("duplicates", "list"), "both are seen")
    operator.run("duplicates", "resolve", subscriber.email, code=2)
    assert operator.ask("duplicates", "list") == [expected]
    done = operator.ask("duplicates", "resolve", subscriber.email, "--yes")
    assert done["end"] == "done"
    assert operator.ask("duplicates", "list") == []
    client = stripe_of(sandbox)
    assert client.v1.subscriptions.retrieve(second).status == "canceled"
    assert client.v1.subscriptions.retrieve(first).status == "active"
    told = operator.run("timeline", subscriber.email)
    assert f"asked to cancel and refund {second} (by grace)" in told
    assert "$29.00 were refunded" in told
    assert subscriber.status()["status"] == "active"
    said = operator.run("duplicates", "resolve", subscriber.email, "--yes", code=2)
    assert "no second live subscription" in said


def test_the_audit_finds_and_mends(operator, sandbox, subscriber):
    """A policy that somebody deleted is found, with exit code 1; with --mend it is back."""
    namespace = f"arm-{tenant_of(subscriber)}"
    sandbox.kubectl("delete", "networkpolicy", "deny-all", "--namespace", namespace)
    found = operator.ask("audit", code=1)
    ours = [f for f in found["findings"] if f["tenant_id"] == tenant_of(subscriber)]
    assert [f["kind"] for f in ours] == ["drift"]
    assert operator.ask("audit", "--mend", code=1)["mended"] >= 1
    assert operator.ask("sync", subscriber.email)["end"] == "done"
    assert "deny-all" in sandbox.kubectl("get", "networkpolicy", "--namespace", namespace)
    again = operator.ask("audit", code=0)
    assert again["findings"] == []
    assert "agree" in operator.run("audit")


def test_credentials_are_the_tenants_own(operator, subscriber, tmp_path):
    """Kubectl with them sees what the tenant may see, in its namespace and nowhere else."""
    file = tmp_path / "kubeconfig"
    made = operator.ask("credentials", subscriber.email, "--output", str(file), "--seconds", "900")
    assert made["kubeconfig"] == str(file)
    assert file.stat().st_mode & 0o777 == 0o600

    def kubectl(*arguments):
        return subprocess.run(
            [shutil.which("kubectl"), "--kubeconfig", str(file), *arguments],
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip

    quota = kubectl("get", "resourcequotas")
    assert quota.returncode == 0, quota.stderr
    assert quota.stdout.count("\n") > 1
    elsewhere = kubectl("get", "pods", "--namespace", "kube-system")
    assert "forbidden" in elsewhere.stderr.lower()
    mine = kubectl("delete", "resourcequotas", "--all")
    assert "forbidden" in mine.stderr.lower()
    assert '"apiVersion": "v1"' in operator.run("credentials", subscriber.email)


def test_credentials_need_a_tenant(operator, sandbox):
    """Whoever has no namespace gets none, and the reason in one line."""
    newcomer = Customer(sandbox).sign_in()
    assert newcomer.checkout("basic").status_code == 200
    said = operator.run("credentials", newcomer.email, code=2)
    assert "no token: HTTP 404" in said
