"""What each function may do on AWS: exactly what it does, and to nothing but its own.

A test records every call that the packaged functions make in a journey, and holds this table to it.
Account and region stand in the names once the stage has them (`infra/stages.toml`), so that a role,
whose name is the same in every region, tells whose it is. Before that they are `*`.
"""

from collections.abc import Mapping
from typing import Any

from ops.stages import Stage

Statement = Mapping[str, Any]
Policy = Mapping[str, Any]

API, WORKER, SWEEP, AUDIT = "api_handler", "worker", "sweep", "audit"
FUNCTIONS = (API, WORKER, SWEEP, AUDIT)

TABLE: Mapping[str, tuple[str, ...]] = {
    API: ("GetItem", "PutItem", "UpdateItem"),
    WORKER: ("GetItem", "PutItem", "UpdateItem", "DeleteItem"),
    SWEEP: ("GetItem", "PutItem", "UpdateItem"),
    AUDIT: ("GetItem", "PutItem", "Scan", "UpdateItem"),
}
"""A transaction needs the right to each of its writes."""

INDEX: Mapping[str, tuple[str, ...]] = {SWEEP: ("Query",)}

QUEUE: Mapping[str, tuple[str, ...]] = {
    API: ("GetQueueUrl", "SendMessage"),
    WORKER: ("GetQueueUrl", "SendMessage", "ChangeMessageVisibility"),
    SWEEP: ("GetQueueUrl", "SendMessage"),
    AUDIT: ("GetQueueUrl", "SendMessage"),
}

EVENT_SOURCE: Mapping[str, tuple[str, ...]] = {
    WORKER: ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"),
}
"""What Lambda itself does in the function's name, to feed it from the queue."""

CLUSTER: Mapping[str, tuple[str, ...]] = {
    WORKER: ("DescribeCluster",),
    AUDIT: ("DescribeCluster",),
}

POOL: Mapping[str, tuple[str, ...]] = {
    API: (
        "AdminConfirmSignUp", "AdminDeleteUser", "AdminGetUser", "AdminUpdateUserAttributes",
        "AdminUserGlobalSignOut",
    ),
    AUDIT: ("ListUsers",),
}  # fmt: skip
"""What a sign-up, a confirmation and a reset do beyond Cognito's public calls (decision 30), and
how the audit sees who has an account. A pool's ARN has an id that AWS gives: ours has our tag."""

_NETWORK = (
    "CreateNetworkInterface", "DescribeNetworkInterfaces", "DescribeSubnets",
    "DeleteNetworkInterface", "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses",
)  # fmt: skip
"""What Lambda itself does to put a function into a VPC, as AWS lists it."""


def policy(function: str, stage: Stage) -> Policy:
    """The policy of one function of one stage."""
    home = f"{stage.region or '*'}:{stage.account or '*'}"
    table = f"arn:*:dynamodb:{home}:table/{stage.table}"
    queue = f"arn:*:sqs:{home}:{stage.queue}"
    queue_actions = QUEUE.get(function, ()) + EVENT_SOURCE.get(function, ())
    logs = f"arn:*:logs:{home}:log-group:/aws/lambda/{stage.function(function)}:*"
    cluster = f"arn:*:eks:{home}:cluster/{stage.cluster_name}"
    statements = [
        _allow("logs", ("CreateLogStream", "PutLogEvents"), logs),
        # X-Ray has no names to allow.
        _allow("xray", ("PutTraceSegments", "PutTelemetryRecords"), "*"),
        _allow("dynamodb", TABLE.get(function, ()), table),
        _allow("dynamodb", INDEX.get(function, ()), f"{table}/index/due"),
        _allow("sqs", queue_actions, queue),
        _allow(
            "ssm", ("GetParametersByPath",), f"arn:*:ssm:{home}:parameter{stage.parameters_path}"
        ),
        _allow("eks", CLUSTER.get(function, ()), cluster),
        # A pool's name is not known before it is made: its tag is.
        {
            **_allow("cognito-idp", POOL.get(function, ()), f"arn:*:cognito-idp:{home}:userpool/*"),
            "Condition": {"StringEquals": {"aws:ResourceTag/deployment": stage.deployment}},
        },
    ]
    if function in {WORKER, AUDIT} and stage.subnet_ids:
        # Network interfaces are made before they have a name.
        statements.append(_allow("ec2", _NETWORK, "*"))
    return {"Version": "2012-10-17", "Statement": [s for s in statements if s["Action"]]}


def pairs(function: str, stage: Stage) -> frozenset[tuple[str, str]]:
    """The same as actions on the last part of their resource's ARN."""
    return frozenset(
        (action, statement["Resource"].split(":", 5)[5])
        for statement in policy(function, stage)["Statement"]
        if statement["Resource"] != "*"
        for action in statement["Action"]
    )


def _allow(service: str, actions: tuple[str, ...], resource: str) -> Statement:
    return {
        "Effect": "Allow",
        "Action": [f"{service}:{action}" for action in actions],
        "Resource": resource,
    }
