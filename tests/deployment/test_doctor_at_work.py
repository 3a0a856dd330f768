"""`ops doctor` at work: real answers of AWS's and Stripe's stand-ins and of the running app.

Each check alone, on facts, is in `test_doctor.py`; here is what only the wire can show.
"""

import json
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import boto3
import pytest
from chalice.test import Client
from moto import mock_aws

import app
from chalicelib import wiring
from chalicelib.domain.record import Record, User
from chalicelib.domain.stripe_event import API_VERSION, SUBSCRIBED, event_of
from chalicelib.gateways.dynamodb import DynamoDb
from chalicelib.gateways.table import Table
from ops import chalice_files, plans, rights, stages, stripe_account, webhook
from ops.deploying.step import Shop
from ops.doctor.examining import CHECKS, examine
from ops.doctor.looking import Look
from ops.gateways.ledger import Ledger
from sandbox import seed
from tests.serving import part

REGION = "eu-central-1"
ISSUER = f"https://cognito-idp.{REGION}.amazonaws.com"
DEV = stages.load("dev")
ANSWERED_HERE = (
    "before-call.eks.DescribeAccessEntry",
    "before-call.eks.DescribeAddon",
    "before-call.lambda.GetAccountSettings",
)
"""What moto does not know."""

CACHED = ("_settings", "_parameters", "records", "queue")


@pytest.fixture(scope="module")
def stripe_url(tmp_path_factory):
    """Stripe's stand-in."""
    clock = tmp_path_factory.mktemp("stripe") / "clock"
    with part("stripe", "--key", "sk_test_sandbox", "--clock-file", clock) as url:
        yield url


@pytest.fixture
def site(monkeypatch):
    """The real app behind an address, as the CDN has it; its settings are `stage`'s."""
    with Client(app.app, stage_name="none") as client:

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = client.http.request(
                    "POST", self.path, headers=dict(self.headers.items()), body=body
                )
                self.send_response(answer.status_code)
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_):
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        server.server_close()


class Stage:
    """A stage that is set up right, and what it takes to spoil it."""

    def __init__(self, session, stripe_url, site, monkeypatch):
        self.session = session
        self.monkeypatch = monkeypatch
        self.site = site
        self.shop = Shop(
            stage=DEV, catalogue=wiring.catalogue(), session=session,
            root=stages.ROOT, env={}, stripe_base=stripe_url,
        )  # fmt: skip
        self.groups = [f"{DEV.app}:workers"]
        self.addon = '{"enableNetworkPolicy": "true"}'
        answers = (self._access_entry, self._addon, self._limits)
        for event, answer in zip(ANSWERED_HERE, answers, strict=True):
            session.events.register(event, answer, unique_id=event)
        self._make_data()
        self._make_functions()
        self._make_stripe()

    def _access_entry(self, **_):
        """What EKS answers."""
        return SimpleNamespace(status_code=200), {"accessEntry": {"kubernetesGroups": self.groups}}

    def _addon(self, **_):
        """What EKS answers: an add-on's settings are a text, in JSON or YAML."""
        return SimpleNamespace(status_code=200), {"addon": {"configurationValues": self.addon}}

    def _limits(self, **_):
        """What Lambda answers."""
        limit = {"AccountLimit": {"ConcurrentExecutions": 1000}}
        return SimpleNamespace(status_code=200), limit

    def client(self, service):
        """AWS."""
        return self.session.client(service)

    def put(self, name, value, kind="String"):
        """A parameter in SSM."""
        path = f"{DEV.parameters_path}/{name}"
        self.client("ssm").put_parameter(Name=path, Value=value, Type=kind, Overwrite=True)

    def drop(self, name):
        """No such parameter any more."""
        self.client("ssm").delete_parameter(Name=f"{DEV.parameters_path}/{name}")

    def _make_data(self):
        made = seed.on_aws(DEV.table, DEV.queue, self.session, None)
        dynamodb = self.client("dynamodb")
        dynamodb.update_table(TableName=DEV.table, DeletionProtectionEnabled=True)
        dynamodb.update_continuous_backups(
            TableName=DEV.table,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
        self.pool_id, self.client_id, self.queue_url = made.pool_id, made.client_id, made.queue_url
        self.client("cognito-idp").update_user_pool(
            UserPoolId=self.pool_id, AutoVerifiedAttributes=["email"],
            EmailConfiguration={
                "EmailSendingAccount": "DEVELOPER", "From": "shop@example.com",
                "SourceArn": f"arn:aws:ses:{REGION}:123456789012:identity/example.com",
            },
        )  # fmt: skip
        issuer = f"{ISSUER}/{self.pool_id}"
        self.put("site_url", self.site)
        self.put("jwt_issuer", issuer)
        self.put("jwt_audience", self.client_id)
        self.put("jwt_jwks_url", f"{issuer}/.well-known/jwks.json")
        self.put("user_pool_client_id", self.client_id)
        self.put("user_pool_client_secret", made.client_secret)
        self.put("stripe_secret_key", "sk_test_sandbox", "SecureString")

    def _make_functions(self):
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        role = self.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=trust)
        self.role = role["Role"]["Arn"]
        config = json.loads(chalice_files.files()["config.json"])["stages"]["dev"]
        for name in rights.FUNCTIONS:
            memory, timeout = chalice_files.SIZES[name]
            own = config["lambda_functions"][name].get("environment_variables", {})
            self.client("lambda").create_function(
                FunctionName=DEV.function(name), Runtime="python3.11", Role=self.role,
                Handler="x.y", Code={"ZipFile": b"x"}, MemorySize=memory, Timeout=timeout,
                Environment={"Variables": config["environment_variables"] | own},
            )  # fmt: skip
        arn = self.client("sqs").get_queue_attributes(
            QueueUrl=self.queue_url, AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
        self.mapping = self.client("lambda").create_event_source_mapping(
            EventSourceArn=arn, FunctionName=DEV.function(rights.WORKER), BatchSize=1
        )["UUID"]
        for name, rate in ((rights.SWEEP, "1 minute"), (rights.AUDIT, "1 day")):
            self.client("events").put_rule(
                Name=f"{DEV.function(name)}-event", ScheduleExpression=f"rate({rate})"
            )
        self.topic = self.client("sns").create_topic(Name=f"{DEV.deployment}-alarms")["TopicArn"]
        self.client("sns").subscribe(
            TopicArn=self.topic, Protocol="email", Endpoint="somebody@example.com"
        )
        self.client("eks").create_cluster(
            name=DEV.cluster_name, roleArn="arn:aws:iam::123456789012:role/cluster",
            resourcesVpcConfig={"endpointPublicAccess": True},
        )  # fmt: skip

    def _make_stripe(self):
        self.stripe = stripe_account.client(self.shop)
        for found in self.stripe.v1.webhook_endpoints.list().data:
            self.stripe.v1.webhook_endpoints.delete(found.id)
        plans.push(self.stripe, self.shop.catalogue, "dev")
        self.url = self.site + webhook.PATH
        todo = webhook.plan([], self.url, secret_known=False)
        webhook.carry_out(
            todo, self.stripe, url=self.url, deployment=DEV.deployment, known=None,
            store=lambda secret: self.put("stripe_webhook_secret", secret, "SecureString"),
        )  # fmt: skip
        (self.endpoint,) = webhook.find(self.stripe, DEV.deployment)

    def change_endpoint(self, **changes):
        """Somebody at Stripe's dashboard."""
        self.stripe.v1.webhook_endpoints.update(self.endpoint.id, changes)

    def findings(self):
        """What the doctor finds, by name."""
        return {finding.name: finding for finding in examine(Look(self.shop))}


@pytest.fixture(scope="module")
def session():
    """One for all: reading what boto3 knows of a service takes longer than asking it."""
    return boto3.Session("x", "x", region_name=REGION)


@pytest.fixture
def stage(session, stripe_url, site, monkeypatch):
    """A stage that is set up right."""
    for name in list(wiring.os.environ):
        if name.startswith(("AWS_", "STRIPE_", "JWT_", "KUBE")):
            monkeypatch.delenv(name)
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": REGION}
    api = {
        "STAGE": "dev", "TABLE_NAME": DEV.table, "QUEUE_NAME": DEV.queue,
        "PARAMETERS_PATH": DEV.parameters_path, "STRIPE_MODE": "test",
    }  # fmt: skip
    for name, value in (keys | api).items():
        monkeypatch.setenv(name, value)
    for name in CACHED:
        getattr(wiring, name).cache_clear()
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield Stage(session, stripe_url, site, monkeypatch)
    for event in ANSWERED_HERE:
        session.events.unregister(event, unique_id=event)
    for name in CACHED:
        getattr(wiring, name).cache_clear()


def test_a_stage_that_is_right_has_nothing_to_be_done(stage):
    """Every check says ok."""
    found = stage.findings()
    assert {n: f for n, f in found.items() if f.state != "ok"} == {}
    assert len(found) == len(CHECKS)


def queue_attributes(stage, **attributes):
    """Somebody at SQS's console."""
    stage.client("sqs").set_queue_attributes(QueueUrl=stage.queue_url, Attributes=attributes)


def pool_client(stage, **changes):
    """Somebody at Cognito's console."""
    usual = {
        "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        "PreventUserExistenceErrors": "ENABLED",
    }
    stage.client("cognito-idp").update_user_pool_client(
        UserPoolId=stage.pool_id, ClientId=stage.client_id, **(usual | changes)
    )


def function(stage, name, **changes):
    """Somebody at Lambda's console."""
    stage.client("lambda").update_function_configuration(FunctionName=DEV.function(name), **changes)


def price(stage, plan="basic"):
    """A plan's price at Stripe."""
    listed = stage.stripe.v1.prices.list({"lookup_keys": [f"arm-engine-dev-{plan}-month"]})
    return listed.data[0]


def price_of_another_amount(stage):
    """Somebody made a price at the dashboard and moved the lookup key to it."""
    old = price(stage)
    stage.stripe.v1.prices.create(
        {
            "product": str(old.product), "unit_amount": 1900, "currency": "usd",
            "recurring": {"interval": "month"}, "lookup_key": old.lookup_key,
            "transfer_lookup_key": True, "metadata": {"plan": "basic"},
        }
    )  # fmt: skip


def second_endpoint(stage):
    """Every event would come twice."""
    stage.stripe.v1.webhook_endpoints.create(
        {
            "url": stage.url, "api_version": API_VERSION,
            "enabled_events": sorted(SUBSCRIBED), "metadata": {"deployment": DEV.deployment},
        }
    )  # fmt: skip


def table_without_index(stage):
    """Made by hand."""
    dynamodb = stage.client("dynamodb")
    dynamodb.update_table(TableName=DEV.table, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=DEV.table)
    keys = [("pk", "HASH"), ("sk", "RANGE")]
    dynamodb.create_table(
        TableName=DEV.table, BillingMode="PAY_PER_REQUEST", DeletionProtectionEnabled=True,
        KeySchema=[{"AttributeName": n, "KeyType": k} for n, k in keys],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n, _ in keys],
    )  # fmt: skip
    dynamodb.update_continuous_backups(
        TableName=DEV.table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )


def no_table(stage):
    """Another region, say."""
    stage.client("dynamodb").update_table(TableName=DEV.table, DeletionProtectionEnabled=False)
    stage.client("dynamodb").delete_table(TableName=DEV.table)


def rule(stage, how):
    """Somebody at EventBridge's console."""
    getattr(stage.client("events"), how)(Name=f"{DEV.function(rights.SWEEP)}-event")


def api_with_another_secret(stage):
    """The function has the secret in its environment, where a rotation does not reach it."""
    stage.monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_in_the_environment")
    wiring._settings.cache_clear()


def nobody_subscribed(stage):
    """There is a topic, and nobody hears of it."""
    sns = stage.client("sns")
    for found in sns.list_subscriptions_by_topic(TopicArn=stage.topic)["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=found["SubscriptionArn"])


def a_customer_of_ours(stage):
    """Somebody with a record and a customer at Stripe, who is deleted there; the event's id."""
    made = stage.stripe.v1.customers.create({})
    user = User("https://issuer.example", made.id)
    record = Record(tenant_id=user.tenant_id, user=user)
    records = Table(DynamoDb(DEV.table, stage.client("dynamodb")))
    records.create(record)
    records.save(record, replace(record, customer_id=made.id))
    stage.stripe.v1.customers.delete(made.id)
    where = {"type": "customer.deleted", "limit": 1}
    (event,) = stage.stripe.v1.events.list(where).data
    assert event.data.object["id"] == made.id
    return user.tenant_id, event_of(event.to_dict())


def listed_as_undelivered(stage, event):
    """Wait until Stripe has seen that an endpoint does not take it."""
    until = time.monotonic() + 5
    where = {"delivery_success": False, "limit": 100}
    while event.id not in [e.id for e in stage.stripe.v1.events.list(where).data]:
        assert time.monotonic() < until
        time.sleep(0.05)


def an_undelivered_event(stage):
    """The endpoint leads where nobody answers."""
    stage.change_endpoint(url="http://127.0.0.1:9" + webhook.PATH)
    listed_as_undelivered(stage, a_customer_of_ours(stage)[1])


def a_wrong_key(stage):
    """Another account's, or one that was rolled."""
    stage.put("stripe_secret_key", "sk_test_of_another_account", "SecureString")


REDEPLOY = "make deploy STAGE=dev"
SECRET = "python -m ops secret stripe_webhook_secret"
KEY = "python -m ops secret stripe_secret_key"
MISTAKES = {
    "live key in dev": (lambda s: s.put("stripe_secret_key", "sk_live_1", "SecureString"), "Stripe key", "mode live", KEY),
    "a key that Stripe does not take": (a_wrong_key, "plans", "AuthenticationError", KEY),
    "wrong webhook secret": (lambda s: s.put("stripe_webhook_secret", "whsec_of_another_endpoint", "SecureString"), "endpoint's secret", "is not the one in SSM", SECRET),
    "the API has another secret": (api_with_another_secret, "webhook's way in", "refuses what is signed", SECRET),
    "no endpoint": (lambda s: s.stripe.v1.webhook_endpoints.delete(s.endpoint.id), "webhook endpoint", "delivers nothing", REDEPLOY),
    "missing event type": (lambda s: s.change_endpoint(enabled_events=sorted(SUBSCRIBED - {"invoice.paid"})), "webhook endpoint", "does not send invoice.paid", REDEPLOY),
    "two endpoints": (second_endpoint, "webhook endpoint", "there are 2", REDEPLOY),
    "events that were not taken": (an_undelivered_event, "deliveries", "were not taken", SECRET),
    "price not pushed": (lambda s: s.stripe.v1.prices.update(price(s).id, {"active": False}), "plans at Stripe", "create price arm-engine-dev-basic-month", "python -m ops plans push --stage dev"),
    "price of another amount": (price_of_another_amount, "plans at Stripe", "replace price arm-engine-dev-basic-month", "python -m ops plans push --stage dev"),
    "a site that does not answer": (lambda s: s.put("site_url", "http://127.0.0.1:9"), "webhook's way in", "does not answer", "DNS"),
    "a function with too little time": (lambda s: function(s, rights.WORKER, Timeout=3), "functions", "has 512 MB and 3 s", REDEPLOY),
    "no table": (no_table, "table", "ResourceNotFoundException", REDEPLOY),
    "table without index": (table_without_index, "index `due`", "nothing that is due is ever found", REDEPLOY),
    "queue without dead letters": (lambda s: queue_attributes(s, RedrivePolicy=""), "queue", "no dead-letter queue", REDEPLOY),
    "nothing feeds the worker": (lambda s: s.client("lambda").delete_event_source_mapping(UUID=s.mapping), "queue to worker", "nobody gets what they pay for", REDEPLOY),
    "messages by the ten": (lambda s: s.client("lambda").update_event_source_mapping(UUID=s.mapping, BatchSize=10), "queue to worker", "one message at a time", REDEPLOY),
    "sweep disabled": (lambda s: rule(s, "disable_rule"), "sweep", "its schedule is disabled", "aws events enable-rule"),
    "nobody is woken": (nobody_subscribed, "alarms", "nobody is woken", "alarm_email"),
    "no alarms": (lambda s: s.client("sns").delete_topic(TopicArn=s.topic), "alarms", "there are none", REDEPLOY),
    "pool without passwords": (lambda s: pool_client(s, ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"]), "user pool", "lacks ALLOW_USER_PASSWORD_AUTH", REDEPLOY),
    "role without access": (lambda s: s.groups.clear(), "cluster", "does not take the worker", "aws eks create-access-entry"),
    "no cluster": (lambda s: s.client("eks").delete_cluster(name=DEV.cluster_name), "cluster", "there is no EKS cluster", "make one"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_and_the_advice_is_right(stage, mistake):
    """By the name of what is wrong, in words, and with what to do."""
    plant, name, said, todo = MISTAKES[mistake]
    plant(stage)
    found = stage.findings()
    assert name in found, sorted(found)
    finding = found[name]
    assert finding.state in {"warn", "fail"}, finding
    assert said in finding.said
    assert todo in finding.todo


def test_what_another_dead_endpoint_did_not_take_is_not_ours(stage):
    """Stripe lists what any endpoint of the account has missed: what we took counts as taken."""
    stage.stripe.v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:9/elsewhere", "enabled_events": ["*"]}
    )
    tenant_id, event = a_customer_of_ours(stage)
    listed_as_undelivered(stage, event)
    table = Ledger(DynamoDb(DEV.table, stage.client("dynamodb")))
    until = time.monotonic() + 5
    while not table.has_line(tenant_id, event.created, event.id):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert stage.findings()["deliveries"].state == "ok"


def test_an_event_of_nobody_of_ours_is_not_missed(stage):
    """Another shop's customer in the same account: its events are not ours to take."""
    stage.change_endpoint(url="http://127.0.0.1:9" + webhook.PATH)
    stage.stripe.v1.customers.delete(stage.stripe.v1.customers.create({}).id)
    (found,) = stage.stripe.v1.events.list({"type": "customer.deleted", "limit": 1}).data
    listed_as_undelivered(stage, event_of(found.to_dict()))
    assert stage.findings()["deliveries"].state == "ok"


def test_the_doctor_shows_no_secret(stage):
    """Whatever it finds."""
    everything = json.dumps([replace(f).__repr__() for f in stage.findings().values()])
    secrets = stage.shop.parameters.all()
    assert secrets["stripe_webhook_secret"] not in everything
    assert "sk_test_sandbox" not in everything
