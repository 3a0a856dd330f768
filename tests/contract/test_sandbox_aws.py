"""The sandbox's AWS where moto alone would differ from the real one."""

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.domain.record import Record, User
from chalicelib.domain.timeline import Line
from chalicelib.gateways.dynamodb import DynamoDb
from chalicelib.gateways.table import Table

TABLE = "arm-engine-dev"
FREE_COUNT = {"pk": {"S": "FREE"}, "sk": {"S": "COUNT"}}
STANDING = {"standing": {"N": "0"}}
ONCE = Config(retries={"total_max_attempts": 1}, max_pool_connections=32)


@pytest.fixture
def dynamodb(aws_server, session, resources):
    return session.client("dynamodb", endpoint_url=aws_server, config=ONCE)


@pytest.fixture
def sqs(aws_server, session, resources):
    return session.client("sqs", endpoint_url=aws_server, config=ONCE)


@pytest.fixture
def key():
    return {"pk": {"S": uuid4().hex}, "sk": {"S": "RECORD"}}


def counting(key, token=None):
    update = {
        "TableName": TABLE, "Key": key, "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }  # fmt: skip
    return {"TransactItems": [{"Update": update}]} | (
        {"ClientRequestToken": token} if token else {}
    )


def number(dynamodb, key):
    item = dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item", {})
    return int(item.get("n", {"N": "0"})["N"])


@pytest.mark.parametrize("group", ["g" * 129, "a b", "é"])
def test_a_group_that_sqs_does_not_take_is_refused(sqs, group):
    """As SQS does; moto would take any text."""
    url = sqs.get_queue_url(QueueName="arm-engine-dev-tenants.fifo")["QueueUrl"]
    with pytest.raises(ClientError, match="MessageGroupId"):
        sqs.send_message(
            QueueUrl=url, MessageBody="x", MessageGroupId=group, MessageDeduplicationId=uuid4().hex
        )


def test_transactions_on_one_item_conflict_and_lose_nothing(dynamodb, key):
    """Each is either done, or refused with a conflict: never half, never lost."""

    def count(_):
        try:
            dynamodb.transact_write_items(**counting(key))
        except dynamodb.exceptions.TransactionCanceledException as e:
            return e.response["CancellationReasons"][0]["Code"]
        return "done"

    with ThreadPoolExecutor(16) as threads:
        outcomes = Counter(threads.map(count, range(200)))
    assert outcomes.keys() <= {"done", "TransactionConflict"}
    assert number(dynamodb, key) == outcomes["done"]


def test_a_burst_of_nudges_gets_through(dynamodb):
    """Events of one payment come together: each waits for the others, and none is turned away."""
    table = Table(DynamoDb(TABLE, dynamodb))
    user = User(issuer="https://issuer.example", subject=uuid4().hex)
    table.create(Record(tenant_id=user.tenant_id, user=user))

    def nudge(n):
        line = Line(created=n, id=f"evt_{n}", kind="event", text="invoice.paid")
        return table.nudge(user.tenant_id, 1_800_000_000, line=line)

    with ThreadPoolExecutor(16) as threads:
        assert Counter(threads.map(nudge, range(64))) == {"nudged": 64}
    assert table.read(user.tenant_id).nudged == 64


def test_a_hundred_free_grants_at_once_are_granted(dynamodb):
    """All of them move one count: each waits its turn, and none is told that we are unavailable."""
    table = Table(DynamoDb(TABLE, dynamodb))
    before = dynamodb.get_item(TableName=TABLE, Key=FREE_COUNT).get("Item", STANDING)
    waiting = threading.Barrier(100)

    def start(_):
        user = User(issuer="https://issuer.example", subject=uuid4().hex)
        record = Record(tenant_id=user.tenant_id, user=user)
        table.create(record)
        waiting.wait(60)
        table.save(record, record, nudge_at=1_800_000_000, free_change=1, free_cap=10_000)

    with ThreadPoolExecutor(100) as threads:
        list(threads.map(start, range(100)))
    after = dynamodb.get_item(TableName=TABLE, Key=FREE_COUNT)["Item"]
    assert int(after["standing"]["N"]) == int(before["standing"]["N"]) + 100


def test_a_client_request_token_works_once(dynamodb, key):
    """A call that the SDK repeats is not done twice."""
    token = uuid4().hex
    dynamodb.transact_write_items(**counting(key, token))
    dynamodb.transact_write_items(**counting(key, token))
    assert number(dynamodb, key) == 1


def test_conflicts_can_be_asked_for(aws_server, dynamodb, key):
    """All of the writes, or none."""
    faults = f"{aws_server}/sandbox/faults"
    requests.post(faults, json={"transaction_conflicts": 1}, timeout=5)
    try:
        with pytest.raises(ClientError, match="TransactionConflict"):
            dynamodb.transact_write_items(**counting(key))
    finally:
        requests.post(faults, json={"transaction_conflicts": 0}, timeout=5)
    assert number(dynamodb, key) == 0


def test_a_fault_that_is_none_is_refused(aws_server):
    """With what could be asked for."""
    for body in ({"transaction_conflicts": 2}, {"services": ["s3"]}, {"outage": "long"}):
        answer = requests.post(f"{aws_server}/sandbox/faults", json=body, timeout=5)
        assert answer.status_code == 400
        assert "transaction_conflicts" in answer.json()["error"]


def test_a_group_is_worked_on_one_message_at_a_time(sqs, resources):
    """However many receive at once; the next one comes when the first is done with."""
    group = uuid4().hex
    for n in range(3):
        sqs.send_message(
            QueueUrl=resources.queue_url, MessageBody=json.dumps(n), MessageGroupId=group,
            MessageDeduplicationId=uuid4().hex,
        )  # fmt: skip

    def receive(_=None):
        got = sqs.receive_message(
            QueueUrl=resources.queue_url, MessageSystemAttributeNames=["MessageGroupId"]
        )
        # What other tests have left there is of other groups.
        return [m for m in got.get("Messages", []) if m["Attributes"]["MessageGroupId"] == group]

    for n in range(3):
        with ThreadPoolExecutor(8) as threads:
            got = [m for messages in threads.map(receive, range(8)) for m in messages]
        assert [m["Body"] for m in got] == [str(n)]
        sqs.delete_message(QueueUrl=resources.queue_url, ReceiptHandle=got[0]["ReceiptHandle"])


def test_a_receiver_that_waits_is_woken(sqs, resources):
    """What is sent reaches a long poll at once, not at its next second."""
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(
            sqs.receive_message, QueueUrl=resources.queue_url, WaitTimeSeconds=20
        )
        time.sleep(0.1)  # so that it is waiting; were it not, it would only be easier
        sent = uuid4().hex
        sqs.send_message(
            QueueUrl=resources.queue_url, MessageBody=sent, MessageGroupId=sent,
            MessageDeduplicationId=sent,
        )  # fmt: skip
        (message,) = waiting.result(timeout=5)["Messages"]
    assert message["Body"] == sent
    sqs.delete_message(QueueUrl=resources.queue_url, ReceiptHandle=message["ReceiptHandle"])
