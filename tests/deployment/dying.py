"""A deploy and a destroy that can be killed after any call that changes something outside.

Everything is in one process, so that it is quick: Chalice is called as its CLI calls it, and whoever
dies is thrown out of the call, after the other side has done its work. What
only reads leaves the world as the change before it did.
"""

import functools
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import boto3
import requests
from botocore.client import BaseClient
from botocore.session import Session
from chalice.awsclient import TypedAWSClient
from chalice.cli.factory import CLIFactory
from chalice.deploy.deployer import create_deletion_deployer
from chalice.utils import UI
from werkzeug.serving import make_server

from ops import stripe_account, webhook
from ops.deploying import pipeline, taking_down
from ops.deploying.code import Code
from sandbox.clock import SandboxClock
from sandbox.stripe import api
from sandbox.stripe.clock_steps import ClockSteps
from sandbox.stripe.state import Stripe
from sandbox.stripe.webhooks import Deliveries
from tests.deployment.conftest import HOME, Outputs

READS = ("Get", "List", "Describe", "Head", "Lookup", "Validate")
KEY = "sk_test_sandbox"


class Died(BaseException):
    """As by `kill -9`: nobody may catch it."""


@dataclass
class Calls:
    """What was changed outside, in its order; death comes after the `deadly`th of them."""

    deadly: int | None = None
    made: list[str] = field(default_factory=list)
    asked: set[tuple[str, str]] = field(default_factory=set)

    def note(self, call):
        """One is done."""
        self.made.append(call)
        if len(self.made) == self.deadly:
            raise Died(call)


@contextmanager
def counted(calls):
    """Count, and die in time."""
    ask, adapt = BaseClient._make_api_call, requests.adapters.HTTPAdapter.send

    def of_aws(self, name, arguments):
        service = self.meta.service_model.service_name
        calls.asked.add((service, name))
        answer = ask(self, name, arguments)
        if not name.startswith(READS):
            calls.note(f"{service} {name}")
        return answer

    def of_stripe(self, request, *rest, **named):
        answer = adapt(self, request, *rest, **named)
        if request.method != "GET":
            calls.note(f"stripe {request.method} {urlsplit(request.url).path.split('/')[2]}")
        return answer

    BaseClient._make_api_call, requests.adapters.HTTPAdapter.send = of_aws, of_stripe
    try:
        yield calls
    finally:
        BaseClient._make_api_call, requests.adapters.HTTPAdapter.send = ask, adapt


def chalice(shop, verb, _):
    """`chalice deploy` and `chalice delete`, in this process."""
    factory = CLIFactory(str(shop.root), environ={})
    config = factory.create_config_obj(chalice_stage_name=shop.stage.name)
    session, ui = _session(), UI(out=Silence(), err=Silence())
    if verb == "deploy":
        deployer = factory.create_default_deployer(session=session, config=config, ui=ui)
    else:
        deployer = create_deletion_deployer(TypedAWSClient(session), ui)
    deployer.deploy(config, chalice_stage_name=shop.stage.name)


@functools.cache
def _session():
    """Chalice's, once: botocore reads its data anew for each."""
    return Session()


class Silence:
    """Nobody reads it."""

    def write(self, _):
        """Say nothing."""

    flush = isatty = lambda *_: None


class StripeHere:
    """Stripe's stand-in, which can be had anew."""

    def __init__(self, folder):
        self._clock = SandboxClock(folder / "clock")
        self.anew()
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _answer(self, *request):
        return self._app(*request)

    def anew(self):
        """An empty account."""
        stripe = Stripe(self._clock.now)
        deliveries = Deliveries(stripe.ledger, stripe.trouble)
        steps = ClockSteps(stripe, deliveries, self._clock, None)
        self._app = api.make(stripe, deliveries, self._clock, steps, KEY)

    def stop(self):
        """No more requests."""
        self._server.shutdown()
        self._server.server_close()


class Place:
    """An AWS account and a Stripe account in which one stage is deployed."""

    def __init__(self, shop, stripe_here, aws_url):
        self.shop = replace(shop, stripe_base=stripe_here.url)
        self._stripe = stripe_here
        self._url = aws_url

    def anew(self):
        """Nothing is in it, but what moto's CloudFormation does not make of the edge stack."""
        requests.post(f"{self._url}/moto-api/reset", timeout=10).raise_for_status()
        self._stripe.anew()
        s3, cdn = self.shop.session.client("s3"), self.shop.session.client("cloudfront")
        where = {"LocationConstraint": HOME["region"]}
        s3.create_bucket(Bucket="pages", CreateBucketConfiguration=where)
        made = cdn.create_distribution(DistributionConfig={
            "CallerReference": "pages", "Comment": "", "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [{"Id": "pages", "DomainName": "pages.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}]},
            "DefaultCacheBehavior": {"TargetOriginId": "pages", "ViewerProtocolPolicy": "redirect-to-https"},
        })["Distribution"]  # fmt: skip
        self._outputs = {"Bucket": "pages", "DistributionId": made["Id"]}
        self._address()

    def _address(self):
        self.shop.session.client("ssm").put_parameter(
            Name=f"{self.shop.stage.parameters_path}/site_url", Value="https://shop.example",
            Type="String", Overwrite=True,
        )  # fmt: skip

    def deploy(self, root, calls=None, *, every=True):
        """From a clone; `every` step, or only the functions' after what they need."""
        self._address()
        here = replace(self.shop, root=root)
        stacks = Outputs(here.session, **self._outputs)
        steps = pipeline.steps(here, stacks)
        if not every:
            attributes = {"FifoQueue": "true"}
            here.session.client("sqs").create_queue(
                QueueName=here.stage.queue, Attributes=attributes
            )
            steps = [step for step in steps if isinstance(step, Code)]
        with counted(calls or Calls()) as made:
            pipeline.run(steps, _silent, _silent, dry_run=False)
        return made

    def destroy(self, root, calls=None, *, data=True, region=None):
        """From a clone; in another region when told."""
        here, outputs = replace(self.shop, root=root), self._outputs
        if region:
            stage = replace(here.stage, region=region)
            here = replace(here, stage=stage, session=boto3.Session(region_name=region))
            outputs = {}
        lines = []
        with counted(calls or Calls()) as made:
            stacks = Outputs(here.session, **outputs)
            taking_down.destroy(here, stacks, lines.append, lines.append, data=data)
        return made, lines

    def world(self):
        """All that there is, in words that are the same for the same."""
        found = {}
        client, stage = self.shop.session.client, self.shop.stage
        iam = client("iam")
        for role in iam.list_roles()["Roles"]:
            name = role["RoleName"]
            names = iam.list_role_policies(RoleName=name)["PolicyNames"]
            found[f"role {name}"] = [
                iam.get_role_policy(RoleName=name, PolicyName=n)["PolicyDocument"] for n in names
            ]
        lambdas, gateway = client("lambda"), client("apigateway")
        apis = [api["id"] for api in gateway.get_rest_apis()["items"]]
        for function in lambdas.list_functions()["Functions"]:
            name = function["FunctionName"]
            found[f"function {name}"] = {
                k: function[k] for k in ("Role", "Handler", "Environment", "MemorySize", "Timeout")
            }
            try:
                policy = json.loads(lambdas.get_policy(FunctionName=name)["Policy"])
            except lambdas.exceptions.ResourceNotFoundException:
                policy = {"Statement": []}
            found[f"who calls {name}"] = sorted(
                json.dumps({k: v for k, v in s.items() if k != "Sid"}, sort_keys=True)
                for s in policy["Statement"]
            )
        found["sources"] = [
            (s["FunctionArn"], s["EventSourceArn"], s["BatchSize"], s["State"])
            for s in lambdas.list_event_source_mappings()["EventSourceMappings"]
        ]
        events = client("events")
        for rule in events.list_rules()["Rules"]:
            targets = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
            found[f"rule {rule['Name']}"] = (
                rule["ScheduleExpression"],
                rule["State"],
                [t["Arn"] for t in targets],
            )
        for api_id in apis:
            there = gateway.get_stages(restApiId=api_id)["item"]
            answers = {
                r["responseType"]: r
                for r in gateway.get_gateway_responses(restApiId=api_id)["items"]
            }
            found.setdefault("apis", []).append([
                [(s["stageName"], s["methodSettings"]) for s in there], answers,
                sorted(r["path"] for r in gateway.get_resources(restApiId=api_id, limit=500)["items"]),
            ])  # fmt: skip
        found["stacks"] = sorted(
            s["StackName"] for s in client("cloudformation").describe_stacks()["Stacks"]
        )
        found["tables"] = client("dynamodb").list_tables()["TableNames"]
        found["queues"] = sorted(client("sqs").list_queues().get("QueueUrls", []))
        found["parameters"] = sorted(
            p["Name"]
            for p in client("ssm").describe_parameters()["Parameters"]
            if not p["Name"].endswith("/site_url")
        )
        found["pages"] = sorted(
            (o["Key"], o["ETag"])
            for o in client("s3").list_objects_v2(Bucket="pages").get("Contents", [])
        )
        stripe = stripe_account.client(replace(self.shop, env={"STRIPE_SECRET_KEY": KEY}))
        found["endpoints"] = [
            (e.url, e.enabled, e.home, bool(e.secret_mark))
            for e in webhook.find(stripe, stage.deployment)
        ]
        found["prices"] = sorted(
            p.lookup_key for p in stripe.v1.prices.list({"limit": 100}).data if p.active
        )
        text = json.dumps(found, sort_keys=True, default=str)
        for api_id in apis:
            text = text.replace(api_id, "API")
        return json.loads(text)


def _silent(_):
    """Say nothing."""


def ends(made):
    """Which calls to die after: of several of a kind in a row, the first and the last."""
    return [
        number
        for number, call in enumerate(made, 1)
        if number in {1, len(made)} or made[number - 2] != call or made[number] != call
    ]


def makers(made, numbers):
    """Of these, one of each kind that makes a thing: what a second run could make again."""
    kinds = {made[number - 1]: number for number in reversed(numbers)}
    return sorted(
        n for kind, n in kinds.items() if kind.split()[1].startswith(("Create", "Import"))
    )
