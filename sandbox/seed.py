"""What has to exist before anybody can buy; what Stripe needs of the catalogue is `ops.plans`'."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import stripe

from chalicelib.domain.stripe_event import API_VERSION, SUBSCRIBED
from ops.webhook import note_secret

if TYPE_CHECKING:
    import boto3

MAX_RECEIVES = 5
VISIBILITY = 270
"""Seconds; six times what the worker may run, as AWS asks."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What was made on AWS."""

    queue_url: str
    pool_id: str
    client_id: str
    client_secret: str


def on_aws(table: str, queue: str, session: "boto3.Session", endpoint: str) -> Resources:
    """Make the table, the queue with its dead letters, and the user pool."""
    dynamodb = session.client("dynamodb", endpoint_url=endpoint)
    dynamodb.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": "due_shard", "AttributeType": "S"},
            {"AttributeName": "due_at", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "due_shard", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    cognito = session.client("cognito-idp", endpoint_url=endpoint)
    pool = cognito.create_user_pool(
        PoolName=table,
        UsernameAttributes=["email"],
        AutoVerifiedAttributes=["email"],
        Policies={
            "PasswordPolicy": {
                "MinimumLength": 8,
                "RequireUppercase": False,
                "RequireLowercase": False,
                "RequireNumbers": False,
                "RequireSymbols": False,
            }
        },
    )
    client = cognito.create_user_pool_client(
        UserPoolId=pool["UserPool"]["Id"],
        ClientName=f"{table}-pages",
        GenerateSecret=True,
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        PreventUserExistenceErrors="ENABLED",
    )
    return Resources(
        queue_url=_queues(session.client("sqs", endpoint_url=endpoint), queue),
        pool_id=pool["UserPool"]["Id"],
        client_id=client["UserPoolClient"]["ClientId"],
        client_secret=client["UserPoolClient"]["ClientSecret"],
    )


def _queues(sqs: Any, queue: str) -> str:  # noqa: ANN401 - boto3's
    dead = queue.replace(".fifo", "-dead.fifo")
    dead_url = sqs.create_queue(QueueName=dead, Attributes={"FifoQueue": "true"})["QueueUrl"]
    dead_arn = sqs.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])
    redrive = {
        "deadLetterTargetArn": dead_arn["Attributes"]["QueueArn"],
        "maxReceiveCount": MAX_RECEIVES,
    }
    made = sqs.create_queue(
        QueueName=queue,
        Attributes={
            "FifoQueue": "true",
            "ContentBasedDeduplication": "false",
            "VisibilityTimeout": str(VISIBILITY),
            "RedrivePolicy": json.dumps(redrive),
        },
    )
    return str(made["QueueUrl"])


def webhook(client: stripe.StripeClient, url: str, deployment: str) -> str:
    """Have events delivered, in the version that the code reads; the signing secret."""
    endpoint = client.v1.webhook_endpoints.create(
        {
            "url": url,
            "api_version": API_VERSION,
            "enabled_events": cast("Any", sorted(SUBSCRIBED)),  # the SDK lists all there are
            "metadata": {"deployment": deployment},
        }
    )
    if endpoint.secret is None:
        raise RuntimeError("Stripe gave no signing secret for the webhook endpoint")
    note_secret(client, endpoint.id, endpoint.secret)
    return endpoint.secret
