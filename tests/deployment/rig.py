"""A shop as it stands on AWS, on this machine: the package, around it the sandbox's stand-ins.

The functions get exactly the environment that Chalice gives them, and credentials of their own;
everything else they read from SSM, as a deploy leaves it there.
"""

import json
import subprocess
import threading
from contextlib import suppress
from uuid import uuid4

import boto3
import requests
import stripe

from chalicelib import wiring
from ops import plans, rights, stages, webhook
from ops.parameters import Parameters
from sandbox import certificate, parts, seed
from sandbox.addresses import Addresses, free_ports
from sandbox.worker import events
from tests.deployment.conftest import BARE, ROOT
from tests.deployment.gateway import Gateway
from tests.deployment.runtime import Function, FunctionError
from tests.serving import await_answer

HANDLERS = {
    rights.API: "app.app",
    rights.WORKER: "chalicelib.entrypoints.worker.on_tenant_message",
    rights.SWEEP: "chalicelib.entrypoints.worker.on_schedule",
    rights.AUDIT: "chalicelib.entrypoints.worker.on_audit",
}
LAMBDA = "lambda"
"""The key that feeds the worker from the queue, which Lambda does with the worker's rights."""


class Rig:
    """Everything that runs; `url` is where its parts are."""

    def __init__(self, folder, package, task, runtime):
        self.stage = stages.load("dev")
        self.addresses = Addresses(free_ports(0))
        self._folder = folder
        self._ca, key = certificate.make(folder)
        commands = parts.commands(self.addresses, folder / "clock", self._ca, key)
        self._processes = {}
        for name in ("aws", "stripe", "kubernetes", "site"):
            with (folder / f"{name}.log").open("ab") as log:
                self._processes[name] = subprocess.Popen(
                    commands[name], cwd=ROOT, env=parts.environment(), stdin=subprocess.PIPE,
                    stdout=log, stderr=log,
                )  # fmt: skip
        for name in ("aws", "stripe", "site"):
            await_answer(self._processes[name], self.addresses[name] + "/sandbox/health")
        self.session = boto3.Session(
            "whoever-deploys", "secret", region_name=parts.REGION,
        )  # fmt: skip
        self._seed()
        self.template = json.loads((package / "sam.json").read_text())
        self.functions = {
            name: Function(handler, task, runtime, self._environment(name, handler), folder / f"{name}.log")
            for name, handler in HANDLERS.items()
        }  # fmt: skip
        definition = self.template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
        self._gateway = Gateway(
            self.addresses.ports["api"], "dev", definition, self.functions[rights.API].invoke
        )
        self._ending = threading.Event()
        for forever in (self._feed, self._tick):
            threading.Thread(target=forever, daemon=True).start()

    def _seed(self):
        """What the data stack, the edge and the steps after them leave."""
        made = seed.on_aws(self.stage.table, self.stage.queue, self.session, self.addresses["aws"])
        self.queue_url = made.queue_url
        parameters = Parameters(
            _Local(self.session, self.addresses["aws"]), self.stage.parameters_path
        )
        values = {
            "site_url": self.addresses["site"],
            "jwt_issuer": f"https://cognito-idp.{parts.REGION}.amazonaws.com/{made.pool_id}",
            "jwt_audience": made.client_id,
            "jwt_jwks_url": f"{self.addresses['aws']}/{made.pool_id}/.well-known/jwks.json",
            "user_pool_client_id": made.client_id,
            "user_pool_client_secret": made.client_secret,
            "stripe_secret_key": parts.STRIPE_KEY,
            # Where the stand-ins are: a real shop has neither.
            "stripe_api_base": self.addresses["stripe"],
            "kube_server": self.addresses["kubernetes"],
            "kube_ca": self._ca.read_text(),
            "kube_token": parts.KUBE_TOKEN,
        }
        for name, value in values.items():
            parameters.put_secret(name, value)
        client = stripe.StripeClient(
            parts.STRIPE_KEY, base_addresses={"api": self.addresses["stripe"]}
        )
        plans.push(client, wiring.catalogue(), "dev")
        url = self.addresses["site"] + webhook.PATH
        webhook.carry_out(
            webhook.plan([], url, secret_known=False), client, url=url,
            deployment=self.stage.deployment, known=None,
            store=lambda secret: parameters.put_secret("stripe_webhook_secret", secret),
        )  # fmt: skip
        self.webhook_secret = parameters.get("stripe_webhook_secret")

    def _environment(self, name, handler):
        (properties,) = (
            r["Properties"]
            for r in self.template["Resources"].values()
            if r["Type"] == "AWS::Serverless::Function" and r["Properties"]["Handler"] == handler
        )
        return BARE | properties["Environment"]["Variables"] | {
            "AWS_ACCESS_KEY_ID": name, "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": parts.REGION, "AWS_DEFAULT_REGION": parts.REGION,
            "AWS_ENDPOINT_URL": self.addresses["aws"], "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip

    def client(self, service, key="whoever-deploys"):
        """An AWS client of somebody's."""
        session = boto3.Session(key, "secret", region_name=parts.REGION)
        return session.client(service, endpoint_url=self.addresses["aws"])

    def _feed(self):
        """The queue's event source."""
        sqs = self.client("sqs", LAMBDA)
        sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=["All"])
        while not self._ending.is_set():
            got = sqs.receive_message(
                QueueUrl=self.queue_url, WaitTimeSeconds=1, MessageSystemAttributeNames=["All"]
            )
            for message in got.get("Messages", []):
                event = events.of_message(message, self.stage.queue, parts.REGION)
                try:
                    self.functions[rights.WORKER].invoke(event)
                except FunctionError:
                    continue  # the message comes again when it is visible
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])

    def _tick(self):
        """The schedule, more often than every minute."""
        while not self._ending.wait(1):
            with suppress(FunctionError):  # the next one is soon
                self.sweep()

    def sweep(self):
        """What the schedule does."""
        self.functions[rights.SWEEP].invoke(events.of_schedule("sweep", parts.REGION))

    def audit(self):
        """What the daily schedule does."""
        self.functions[rights.AUDIT].invoke(events.of_schedule("audit", parts.REGION))

    def send_key(self, tenant_id):
        """Ask the worker to look at a tenant."""
        self.client("sqs").send_message(
            QueueUrl=self.queue_url,
            MessageBody=json.dumps({"v": 1, "tenantId": tenant_id}),
            MessageGroupId=tenant_id,
            MessageDeduplicationId=uuid4().hex,
        )

    def url(self, part, path=""):
        """As the journeys' customer asks."""
        return self.addresses[part] + path

    def ask(self, method, part, path, **more):
        """A route that only a stand-in has."""
        return requests.request(
            method, self.url(part, path), timeout=30, verify=str(self._ca), **more
        )

    def rights_used(self):
        """Who has called what of AWS."""
        found = self.ask("GET", "aws", "/sandbox/callers").json()
        return {who: {tuple(right) for right in used} for who, used in found.items()}

    def log(self, function):
        """Everything that a function has logged."""
        return (self._folder / f"{function}.log").read_text()

    def stop(self):
        """End everything that was started."""
        self._ending.set()
        self._gateway.stop()
        for function in self.functions.values():
            function.stop()
        for process in self._processes.values():
            process.kill()
        for process in self._processes.values():
            process.stdin.close()
            process.wait(5)


class _Local:
    """A session whose clients go to the stand-in."""

    def __init__(self, session, endpoint):
        self._session = session
        self._endpoint = endpoint

    def client(self, service):
        """As boto3's."""
        return self._session.client(service, endpoint_url=self._endpoint)
