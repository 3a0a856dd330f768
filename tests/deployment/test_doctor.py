"""`ops doctor`: a sound stage, every mistake planted in it, and an account with nothing in it."""

import copy
import json
import time
from dataclasses import replace

import boto3
import pytest
from click.testing import CliRunner

from chalicelib import wiring
from chalicelib.domain.stripe_event import API_VERSION, SUBSCRIBED
from ops import chalice_files, plans, rights, stages, webhook
from ops.cli import ops
from ops.deploying.step import Shop
from ops.doctor.examining import CHECKS, examine
from ops.doctor.looking import Look

URL = "https://shop.example/api/payments/webhook"
ROLE = "arn:aws:iam::123456789012:role/arm-engine-dev-worker"
VARIABLES = {
    "STAGE": "dev", "TABLE_NAME": "arm-engine-dev", "QUEUE_NAME": "arm-engine-dev-tenants.fifo",
    "PARAMETERS_PATH": "/arm-engine/dev", "STRIPE_MODE": "test",
}  # fmt: skip
SOUND = {
    "parameters": {
        "site_url": "https://shop.example", "jwt_issuer": "https://cognito/pool", "jwt_audience": "client",
        "jwt_jwks_url": "https://cognito/pool/keys", "user_pool_client_id": "client",
        "user_pool_client_secret": "of the client",
        "stripe_secret_key": "sk_test_1", "stripe_webhook_secret": "whsec_1",
    },
    "table": {
        "TableStatus": "ACTIVE", "DeletionProtectionEnabled": True,
        "GlobalSecondaryIndexes": [{"IndexName": "due", "IndexStatus": "ACTIVE", "KeySchema": [
            {"AttributeName": "due_shard", "KeyType": "HASH"}, {"AttributeName": "due_at", "KeyType": "RANGE"}]}],
    },
    "backups": "ENABLED",
    "queues": {
        "arm-engine-dev-tenants.fifo": {"FifoQueue": "true", "VisibilityTimeout": "270", "RedrivePolicy": json.dumps(
            {"deadLetterTargetArn": "arn:aws:sqs:eu:1:arm-engine-dev-tenants-dead.fifo", "maxReceiveCount": 5})},
        "arm-engine-dev-tenants-dead.fifo": {"ApproximateNumberOfMessages": "0"},
    },
    "functions": {name: {
        "FunctionName": f"arm-engine-dev-{name}", "Environment": {"Variables": VARIABLES}, "Role": ROLE,
        "MemorySize": chalice_files.SIZES[name][0], "Timeout": chalice_files.SIZES[name][1],
    } for name in rights.FUNCTIONS},
    "rules": {"arm-engine-dev-sweep-event": {"Name": "arm-engine-dev-sweep-event", "State": "ENABLED", "ScheduleExpression": "rate(1 minute)"},
              "arm-engine-dev-audit-event": {"Name": "arm-engine-dev-audit-event", "State": "ENABLED", "ScheduleExpression": "rate(1 day)"}},
    "alarm_subscriptions": ["arn:aws:sns:eu:1:arm-engine-dev-alarms:1"],
    "concurrency": 1000,
    "delivery": 200,
    "missed": 0,
    "event_sources": [{"EventSourceArn": "arn:aws:sqs:eu:1:arm-engine-dev-tenants.fifo", "State": "Enabled", "BatchSize": 1}],
    "pool": {"Id": "pool", "EmailConfiguration": {"EmailSendingAccount": "DEVELOPER", "From": "shop@shop.example"}},
    "pool_client": {"ClientId": "client", "ClientSecret": "of the client", "PreventUserExistenceErrors": "ENABLED",
                    "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]},
    "endpoints": [webhook.Endpoint("we_1", URL, API_VERSION, SUBSCRIBED, enabled=True, secret_mark=webhook.mark_of("whsec_1"))],
    "plan_changes": [],
    "clusters": {"status": "ACTIVE", "resourcesVpcConfig": {"endpointPublicAccess": True}},
    "groups": ["arm-engine:workers"],
    "addons": {"vpc-cni": {"enableNetworkPolicy": "true"}},
}  # fmt: skip


class Facts(Look):
    """A stage whose state is given."""

    def __init__(self, shop, facts):
        super().__init__(shop)
        self._facts = facts
        self.__dict__.update(facts)
        self.__dict__.setdefault("aws_time", time.time())

    def function(self, name):
        """As given."""
        return self._facts["functions"][name]

    def queue(self, name):
        """As given."""
        return self._facts["queues"][name]

    def cluster(self, _):
        """As given."""
        return self._facts["clusters"]

    def groups_of(self, *_):
        """As given."""
        return self._facts["groups"]

    def addon(self, name, _):
        """As given."""
        return self._facts["addons"].get(name)

    def rule(self, name):
        """As given."""
        return self._facts["rules"].get(name)

    def deliver(self, *_):
        """As given."""
        return self._facts["delivery"]

    def undelivered(self, _):
        """As given."""
        return self._facts["missed"]


@pytest.fixture
def shop(tmp_path):
    """Dev, with nobody's credentials."""
    return Shop(
        stage=stages.load("dev"), catalogue=wiring.catalogue(),
        session=boto3.Session("x", "x", region_name="eu-central-1"), root=tmp_path, env={},
    )  # fmt: skip


def findings(shop, facts):
    """By name."""
    return {finding.name: finding for finding in examine(Facts(shop, facts))}


def test_a_sound_stage_is_sound(shop):
    """Every check says so, and none has anything to do."""
    found = findings(shop, SOUND)
    assert len(found) == len(CHECKS)
    assert {f.state for f in found.values()} == {"ok"}, [f for f in found.values() if f.todo]
    assert not any(f.todo for f in found.values())


def put(path, value):
    """A mistake: some fact is otherwise."""

    def plant(facts):
        *way, last = path
        for step in way:
            facts = facts[step]
        facts[last] = value

    return plant


def drop(*path):
    """A mistake: some fact is missing."""

    def plant(facts):
        *way, last = path
        for step in way:
            facts = facts[step]
        del facts[last]

    return plant


def endpoint(**changed):
    return put(["endpoints", 0], replace(SOUND["endpoints"][0], **changed))


QUEUE = ["queues", "arm-engine-dev-tenants.fifo"]


@pytest.mark.parametrize(
    ("name", "plant", "state", "said", "todo"),
    [
        ("Stripe key", drop("parameters", "stripe_secret_key"), "fail", "none in SSM", "ops secret stripe_secret_key"),
        ("Stripe key", put(["parameters", "stripe_secret_key"], "sk_live_1"), "fail", "a key of the mode live", "ops secret"),
        ("webhook secret", drop("parameters", "stripe_webhook_secret"), "fail", "every webhook is refused", "make deploy STAGE=dev"),
        ("webhook secret", put(["parameters", "stripe_webhook_secret"], "sk_test_1"), "fail", "is no webhook secret", "make deploy"),
        ("webhook endpoint", put(["endpoints"], []), "fail", "delivers nothing", "make deploy"),
        ("webhook endpoint", put(["endpoints"], SOUND["endpoints"] * 2), "fail", "there are 2", "make deploy"),
        ("webhook endpoint", endpoint(url="https://old.example"), "fail", "delivers to https://old.example", "make deploy"),
        ("webhook endpoint", endpoint(enabled=False), "fail", "is disabled", "make deploy"),
        ("webhook endpoint", endpoint(api_version="2023-10-16"), "fail", "sends the version 2023-10-16", "make deploy"),
        ("webhook endpoint", endpoint(events=SUBSCRIBED - {"invoice.paid"}), "fail", "does not send invoice.paid", "make deploy"),
        ("webhook endpoint", endpoint(events=SUBSCRIBED | {"payout.paid"}), "fail", "also sends payout.paid", "make deploy"),
        ("plans at Stripe", put(["plan_changes"], [plans.Change("create price", "p")]), "fail", "create price p", "ops plans push"),
        ("settings", drop("parameters", "jwt_issuer"), "fail", "JWT_ISSUER", "make deploy"),
        ("settings", put(["functions", "worker", "Environment", "Variables"], {}), "fail", "arm-engine-dev-worker", "make deploy"),
        ("site's address", drop("parameters", "site_url"), "fail", "there is none", "make deploy"),
        ("table", put(["table", "TableStatus"], "CREATING"), "fail", "CREATING", "wait"),
        ("table", put(["table", "DeletionProtectionEnabled"], 0), "warn", "can be deleted", "make deploy"),
        ("table", put(["backups"], "DISABLED"), "warn", "cannot be brought back", "make deploy"),
        ("index `due`", put(["table", "GlobalSecondaryIndexes"], []), "fail", "there is none", "make deploy"),
        ("queue", put([*QUEUE, "FifoQueue"], "false"), "fail", "is not FIFO", "make deploy"),
        ("queue", drop(*QUEUE, "RedrivePolicy"), "fail", "no dead-letter queue", "make deploy"),
        ("queue", put([*QUEUE, "VisibilityTimeout"], "269"), "fail", "for 270 s or more", "make deploy"),
        ("dead letters", put(["queues", "arm-engine-dev-tenants-dead.fifo", "ApproximateNumberOfMessages"], "3"), "warn", "3", "find the bug"),
        ("queue to worker", put(["event_sources"], []), "fail", "nothing feeds the worker", "make deploy"),
        ("queue to worker", put(["event_sources", 0, "State"], "Disabled"), "fail", "Disabled", "enable it"),
        ("queue to worker", put(["event_sources", 0, "BatchSize"], 10), "fail", "one message at a time", "make deploy"),
        ("user pool", put(["pool_client", "ClientSecret"], None), "fail", "anybody may call it", "make deploy"),
        ("user pool", put(["pool_client", "ClientSecret"], "another"), "fail", "another secret", "make deploy"),
        ("user pool", put(["pool_client", "ExplicitAuthFlows"], []), "fail", "ALLOW_USER_PASSWORD_AUTH", "make deploy"),
        ("user pool", put(["pool_client", "PreventUserExistenceErrors"], "LEGACY"), "fail", "tells strangers", "make deploy"),
        ("user pool", put(["parameters", "jwt_audience"], "other"), "fail", "another client", "make deploy"),
        ("mail", put(["pool", "EmailConfiguration"], {}), "warn", "50 mails a day", "verify your domain in SES"),
        ("clock", put(["aws_time"], 0), "fail", "s off", "NTP"),
        ("functions", put(["functions", "worker", "Timeout"], 3), "fail", "512 MB and 3 s", "make deploy"),
        ("functions", put(["functions", "sweep", "Environment", "Variables", "STRIPE_MODE"], "live"), "fail", "takes live keys", "make deploy"),
        ("endpoint's secret", put(["parameters", "stripe_webhook_secret"], "whsec_other"), "fail", "is not the one in SSM", "ops secret stripe_webhook_secret"),
        ("webhook's way in", put(["delivery"], 400), "fail", "the API has another", "ops secret stripe_webhook_secret"),
        ("webhook's way in", put(["delivery"], 503), "fail", "answers HTTP 503", "/aws/lambda/arm-engine-dev"),
        ("webhook's way in", put(["delivery"], "NameResolutionError"), "fail", "does not answer: NameResolutionError", "DNS"),
        ("deliveries", put(["missed"], 7), "warn", "7 events", "invalid_signature"),
        ("sweep", put(["rules"], {}), "fail", "is not scheduled", "make deploy"),
        ("sweep", put(["rules", "arm-engine-dev-sweep-event", "State"], "DISABLED"), "fail", "disabled", "aws events enable-rule"),
        ("audit", drop("rules", "arm-engine-dev-audit-event"), "fail", "is not scheduled", "make deploy"),
        ("alarms", put(["alarm_subscriptions"], None), "fail", "there are none", "make deploy"),
        ("alarms", put(["alarm_subscriptions"], []), "warn", "nobody is woken", "alarm_email"),
        ("alarms", put(["alarm_subscriptions"], ["PendingConfirmation"]), "warn", "not confirmed", "follow the link"),
        ("functions at once", put(["concurrency"], 10), "warn", "allows 10", "Service Quotas"),
        ("cluster", put(["clusters", "status"], "CREATING"), "fail", "is CREATING", "wait"),
        ("cluster", put(["clusters", "resourcesVpcConfig", "endpointPublicAccess"], 0), "fail", "private endpoint", "subnet_ids"),
        ("cluster", put(["groups"], ["system:masters"]), "fail", "does not take the worker for one of arm-engine:workers", "aws eks create-access-entry"),
        ("isolation", put(["addons", "vpc-cni"], {}), "warn", "enforces no NetworkPolicies", "aws eks update-addon"),
        ("isolation", put(["addons", "vpc-cni", "enableNetworkPolicy"], "false"), "warn", "tenants reach each other", "update-addon"),
        ("isolation", drop("addons", "vpc-cni"), "warn", "cannot be known", "must get no answer"),
        ("isolation", put(["clusters"], None), "fail", "there is no EKS cluster arm-engine-dev", "cluster_name"),
        ("cluster", put(["clusters"], None), "fail", "there is no EKS cluster arm-engine-dev", "make one"),
        ("endpoint's secret", put(["endpoints"], [webhook.Endpoint("we_1", URL, API_VERSION, SUBSCRIBED, enabled=True)]), "warn", "cannot be known", "python -m ops secret"),
    ],
)  # fmt: skip
def test_a_mistake_is_found_and_told(shop, name, plant, state, said, todo):
    """By the check that is about it, with what to do; and by no check that is not."""
    facts = copy.deepcopy(SOUND)
    plant(facts)
    found = findings(shop, facts)[name]
    assert found.state == state
    assert said in found.said
    assert todo in found.todo


def test_an_edited_configuration_is_found(shop, monkeypatch):
    """Somebody changed .chalice/ by hand."""
    monkeypatch.setattr(chalice_files, "differing", lambda: ["policy-dev-api.json"])
    found = findings(shop, SOUND)[".chalice/"]
    assert (found.state, found.todo) == ("fail", "python -m ops configure")


def test_a_domain_that_is_not_served_is_found(shop):
    """The stage says one address, the API another."""
    own = replace(shop, stage=replace(shop.stage, domain="shop.io", certificate_arn="arn"))
    assert findings(own, SOUND)["site's address"].state == "fail"


def test_an_empty_account_is_told_of_whole(aws, monkeypatch):
    """No check stops another; each line says what to do; exit code 1; and JSON for programs."""
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("STRIPE_SECRET_KEY", raising=False)
    done = CliRunner().invoke(ops, ["doctor", "--stage", "dev", "--json"])
    assert done.exit_code == 1, done.output
    found = json.loads(done.output)
    assert len(found) == len(CHECKS)
    assert all(f["todo"] for f in found if f["state"] != "ok")
    assert [f["name"] for f in found if f["state"] == "ok"] == [".chalice/", "clock"]
    shown = CliRunner().invoke(ops, ["doctor", "--stage", "dev"])
    assert "make deploy STAGE=dev" in shown.output
