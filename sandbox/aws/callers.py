"""Who called what, in the words of IAM: what a policy would have had to allow."""

import re
from collections.abc import Iterator

from sandbox.aws.wire import Call

Right = tuple[str, str]
"""An action and the last part of a resource's ARN: `("dynamodb:GetItem", "table/shop-dev")`."""

_KEY_ID = re.compile(r"Credential=([^/,\s]+)/")
_IN_TRANSACTIONS = {"ConditionCheck": "ConditionCheckItem"}


def key_id(call: Call) -> str | None:
    """The access key that signed a call; None for a public one."""
    found = _KEY_ID.search(str(call.environ.get("HTTP_AUTHORIZATION", "")))
    return found[1] if found else None


def rights(call: Call) -> Iterator[Right]:
    """What a call needs; a transaction needs the right to each of its writes."""
    if call.service == "dynamodb":
        yield from _on_tables(call)
    elif call.service == "sqs":
        name = str(call.body.get("QueueName") or call.body.get("QueueUrl", "")).rsplit("/", 1)[-1]
        yield f"sqs:{call.action}", name
    elif call.service == "ssm":
        path = call.body.get("Path") or call.body.get("Name", "")
        yield f"ssm:{call.action}", f"parameter{path}"
    elif call.service == "cognito-idp":
        yield f"{call.service}:{call.action}", "userpool/*"  # which one is a matter of its tag
    else:
        yield f"{call.service}:{call.action}", ""


def _on_tables(call: Call) -> Iterator[Right]:
    if call.action == "TransactWriteItems":
        for operation in call.body.get("TransactItems", []):
            for kind, what in operation.items():
                action = _IN_TRANSACTIONS.get(kind, f"{kind}Item")
                yield f"dynamodb:{action}", f"table/{what.get('TableName')}"
        return
    table, index = f"table/{call.body.get('TableName')}", call.body.get("IndexName")
    yield f"dynamodb:{call.action}", f"{table}/index/{index}" if index else table
