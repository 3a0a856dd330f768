"""What the checks look at: fetched when first asked for, and once."""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

import stripe
import urllib3
import yaml
from urllib3.exceptions import HTTPError

from chalicelib.config import Settings
from chalicelib.domain.stripe_event import SUBSCRIBED, event_of
from chalicelib.gateways.dynamodb import DynamoDb
from ops import plans, rights, stripe_account, webhook
from ops.deploying.step import Shop
from ops.doctor.deliveries import Deliveries
from ops.parameters import SITE_URL, STRIPE_KEY, WEBHOOK_SECRET


class Look:
    """A stage as it is."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.stage = shop.stage
        self._clients: dict[str, Any] = {}
        self.redeploy = f"make deploy STAGE={shop.stage.name}"

    @cached_property
    def parameters(self) -> Mapping[str, str]:
        """What stands in SSM."""
        return self.shop.parameters.all()

    def settings_of(self, function: str) -> Settings:
        """A function's settings, put together as the function does it.

        Raises:
            Misconfigured: as in the function.
        """
        variables = self.function(function)["Environment"]["Variables"]
        secrets = {STRIPE_KEY, WEBHOOK_SECRET}
        stored = {n.upper(): v for n, v in self.parameters.items() if n not in secrets}
        return Settings.from_env({**stored, **variables})

    def function(self, name: str) -> Mapping[str, Any]:
        """A function's configuration."""
        found: Mapping[str, Any] = self._client("lambda").get_function_configuration(
            FunctionName=self.stage.function(name)
        )
        return found

    @cached_property
    def event_sources(self) -> list[Mapping[str, Any]]:
        """What feeds the worker."""
        found: list[Mapping[str, Any]] = self._client("lambda").list_event_source_mappings(
            FunctionName=self.stage.function(rights.WORKER)
        )["EventSourceMappings"]
        return found

    @cached_property
    def table(self) -> Mapping[str, Any]:
        """The table's description."""
        found: Mapping[str, Any] = self._client("dynamodb").describe_table(
            TableName=self.stage.table
        )["Table"]
        return found

    @cached_property
    def backups(self) -> str:
        """`ENABLED` when the table can be brought back to any second of the last weeks."""
        found = self._client("dynamodb").describe_continuous_backups(TableName=self.stage.table)
        recovery = found["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        return str(recovery.get("PointInTimeRecoveryStatus"))

    def queue(self, name: str) -> Mapping[str, str]:
        """A queue's attributes."""
        sqs = self._client("sqs")
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        found: Mapping[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
            "Attributes"
        ]
        return found

    @cached_property
    def pool(self) -> Mapping[str, Any]:
        """The user pool, by the issuer that the API believes."""
        pool_id = self.parameters["jwt_issuer"].rsplit("/", 1)[-1]
        found: Mapping[str, Any] = self._client("cognito-idp").describe_user_pool(
            UserPoolId=pool_id
        )["UserPool"]
        return found

    @cached_property
    def pool_client(self) -> Mapping[str, Any]:
        """The pages' client of the pool."""
        found: Mapping[str, Any] = self._client("cognito-idp").describe_user_pool_client(
            UserPoolId=self.pool["Id"], ClientId=self.parameters["user_pool_client_id"]
        )["UserPoolClient"]
        return found

    def rule(self, name: str) -> Mapping[str, Any] | None:
        """A schedule; None when there is none of that name."""
        found: Mapping[str, Any]
        for found in self._client("events").list_rules(NamePrefix=name)["Rules"]:
            if found["Name"] == name:
                return found
        return None

    @cached_property
    def alarm_subscriptions(self) -> list[str] | None:
        """Who hears of alarms, by their subscriptions' ARNs; None when there is no topic."""
        sns, name = self._client("sns"), f":{self.stage.deployment}-alarms"
        for page in sns.get_paginator("list_topics").paginate():
            for topic in page["Topics"]:
                if topic["TopicArn"].endswith(name):
                    found = sns.list_subscriptions_by_topic(TopicArn=topic["TopicArn"])
                    return [s["SubscriptionArn"] for s in found["Subscriptions"]]
        return None

    @cached_property
    def concurrency(self) -> int:
        """How many functions the account runs at once."""
        found = self._client("lambda").get_account_settings()
        return int(found["AccountLimit"]["ConcurrentExecutions"])

    def cluster(self, name: str) -> Mapping[str, Any]:
        """An EKS cluster."""
        found: Mapping[str, Any] = self._client("eks").describe_cluster(name=name)["cluster"]
        return found

    def groups_of(self, role: str, cluster: str) -> list[str]:
        """The Kubernetes groups that a cluster takes a role for; none when it is not let in."""
        eks = self._client("eks")
        try:
            found = eks.describe_access_entry(clusterName=cluster, principalArn=role)
        except eks.exceptions.ResourceNotFoundException:
            return []
        return list(found["accessEntry"].get("kubernetesGroups", []))

    def addon(self, name: str, cluster: str) -> Mapping[str, Any] | None:
        """The settings of a cluster's add-on; None when EKS does not keep it as one."""
        eks = self._client("eks")
        try:
            found = eks.describe_addon(clusterName=cluster, addonName=name)["addon"]
        except eks.exceptions.ResourceNotFoundException:
            return None
        return yaml.safe_load(found.get("configurationValues") or "{}") or {}

    @cached_property
    def aws_time(self) -> float:
        """AWS's clock, in epoch seconds."""
        answer = self._client("sts").get_caller_identity()
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        return parsedate_to_datetime(headers["date"]).timestamp()

    @cached_property
    def stripe(self) -> stripe.StripeClient:
        """Stripe."""
        return stripe_account.client(self.shop)

    def undelivered(self, days: int) -> int:
        """How many events of the last days never reached us, among a hundred undelivered ones."""
        since = int(time.time()) - days * 24 * 3600
        found = self.stripe.v1.events.list(
            {
                "delivery_success": False,
                "created": {"gte": since},
                "types": sorted(SUBSCRIBED),
                "limit": 100,
            }
        )
        db = DynamoDb(self.stage.table, self._client("dynamodb"))
        events = [event_of(event.to_dict()) for event in found.data]
        return len(Deliveries(self.stripe, db).missing(events, self.stage.deployment))

    def deliver(self, url: str, payload: bytes, secret: str) -> int | str:
        """Deliver an event as Stripe would: the status that came back, or why there is none."""
        headers = {"Stripe-Signature": webhook.signature(payload, secret, int(time.time()))}
        try:
            answer = urllib3.request(
                "POST", url, body=payload, headers=headers, timeout=10, retries=False
            )
        except HTTPError as e:
            return type(e).__name__
        return answer.status

    @cached_property
    def endpoints(self) -> list[webhook.Endpoint]:
        """Our webhook endpoints."""
        return webhook.find(self.stripe, self.stage.deployment)

    @cached_property
    def plan_changes(self) -> list[plans.Change]:
        """What Stripe lacks of the catalogue."""
        want = plans.wanted(self.shop.catalogue, self.stage.name)
        return plans.changes(want, plans.look(self.stripe, want))

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3's clients have no common type
        if service not in self._clients:
            self._clients[service] = self.shop.session.client(service)  # type: ignore[call-overload] # by a variable name
        return self._clients[service]


class SandboxLook(Look):
    """A sandbox as it is: what SSM has on AWS is in its environment, and its API has no CDN."""

    def __init__(self, shop: Shop, api: str) -> None:
        super().__init__(shop)
        self._api = api
        self.redeploy = "start the sandbox again"

    @cached_property
    def parameters(self) -> Mapping[str, str]:
        """The settings, by the names that they have in SSM."""
        return {name.lower(): value for name, value in self.shop.env.items()} | {
            SITE_URL: self._api
        }
