"""The FIFO queue in memory: what it promises, the same in moto."""

import json

import boto3
import pytest
from moto import mock_aws

from chalicelib import correlation
from chalicelib.gateways.queue import SqsQueue, _causes
from tests.simulation.sqs import MAX_RECEIVES, MemorySqs


class Memory:
    """Ours, with a clock that stands still."""

    def __init__(self):
        self.client = MemorySqs(lambda: 1_800_000_000.0)
        self.url = self.client.get_queue_url(QueueName="q.fifo")["QueueUrl"]

    def dead(self):
        """The bodies of the dead letters."""
        return [m.body for m in self.client.dead]


class Moto:
    """moto's."""

    def __init__(self):
        self.client = boto3.client("sqs", region_name="eu-central-1")
        fifo = {"FifoQueue": "true"}
        self._dead = self.client.create_queue(QueueName="d.fifo", Attributes=fifo)["QueueUrl"]
        found = self.client.get_queue_attributes(QueueUrl=self._dead, AttributeNames=["QueueArn"])
        redrive = {
            "deadLetterTargetArn": found["Attributes"]["QueueArn"],
            "maxReceiveCount": MAX_RECEIVES,
        }
        made = self.client.create_queue(
            QueueName="q.fifo",
            Attributes=fifo | {"RedrivePolicy": json.dumps(redrive), "VisibilityTimeout": "60"},
        )
        self.url = made["QueueUrl"]

    def dead(self):
        """The bodies of the dead letters."""
        got = self.client.receive_message(QueueUrl=self._dead, MaxNumberOfMessages=10)
        return [m["Body"] for m in got.get("Messages", [])]


@pytest.fixture(params=["memory", "moto"])
def queue(request, monkeypatch):
    """Both, one after the other."""
    if request.param == "memory":
        yield Memory()
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield Moto()


def send(queue, group, body, once=None):
    queue.client.send_message(
        QueueUrl=queue.url, MessageBody=body, MessageGroupId=group,
        MessageDeduplicationId=once or f"{group}{body}",
    )  # fmt: skip


def receive(queue, most=10):
    got = queue.client.receive_message(
        QueueUrl=queue.url, MaxNumberOfMessages=most, MessageSystemAttributeNames=["All"]
    )
    return got.get("Messages", [])


def delete(queue, message):
    queue.client.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])


def see_again(queue, message, seconds=0):
    queue.client.change_message_visibility(
        QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
    )


def test_a_group_is_worked_on_in_order_and_one_at_a_time(queue):
    """While its first message is being worked on, the others wait; other groups do not."""
    send(queue, "a", "1")
    send(queue, "a", "2")
    send(queue, "b", "3")
    (first,) = receive(queue, most=1)
    assert first["Body"] == "1"
    (other,) = receive(queue, most=1)
    assert other["Body"] == "3"
    assert receive(queue) == []
    delete(queue, first)
    assert [m["Body"] for m in receive(queue)] == ["2"]


def test_a_message_that_is_let_go_comes_again_first(queue):
    """Its receives are counted, and it keeps its place."""
    send(queue, "a", "1")
    send(queue, "a", "2")
    (first,) = receive(queue, most=1)
    see_again(queue, first)
    (again,) = receive(queue, most=1)
    assert (again["Body"], again["Attributes"]["ApproximateReceiveCount"]) == ("1", "2")


def test_what_is_received_too_often_is_a_dead_letter(queue):
    """After five receives; the rest of its group goes on."""
    send(queue, "a", "1")
    send(queue, "a", "2")
    for _ in range(MAX_RECEIVES):
        (message,) = receive(queue, most=1)
        assert message["Body"] == "1"
        see_again(queue, message)
    assert [m["Body"] for m in [*receive(queue, most=1), *receive(queue, most=1)]] == ["2"]
    assert queue.dead() == ["1"]


def test_the_same_deduplication_id_is_swallowed(queue):
    """Whatever it carries."""
    send(queue, "a", "1", once="x")
    send(queue, "a", "2", once="x")
    assert [m["Body"] for m in receive(queue)] == ["1"]
    assert receive(queue) == []


@pytest.mark.parametrize("group", ["", "g" * 129, "a b", "é", "a\n"])
def test_only_ours_refuses_a_group_that_sqs_does_not_take(group):
    """As SQS does; moto would take it."""
    with pytest.raises(Exception, match="InvalidParameterValue"):
        send(Memory(), group, "1")


@pytest.mark.parametrize(
    "key", ["g" * 129, "evt 1", "evt_é", "evt_\n", "\ud800", "evt_1", "g" * 128]
)
def test_every_key_has_a_group_that_sqs_takes(key):
    """Its own text where that fits, and always the same one; the body is the key as it is."""
    ours = Memory()
    queue = SqsQueue("q.fifo", ours.client)
    with correlation.about(event_id=key):
        queue.send_event(key)
    queue.send_event(key)
    first, second = ours.client.messages
    assert first.group == second.group
    assert (first.group == key) == (key in {"evt_1", "g" * 128})
    assert json.loads(first.body)["eventId"] == key


def test_an_id_that_no_attribute_takes_is_left_out():
    """It is for the log alone, and keeps no key from being sent."""
    with correlation.about(event_id="evt_\x01", request_id="r-1"):
        assert set(_causes()) == {"request_id"}


def test_only_ours_refuses_a_receipt_that_has_expired():
    """As SQS does for FIFO; moto would take it."""
    now = [0.0]
    ours = Memory()
    ours.client = MemorySqs(lambda: now[0])
    send(ours, "a", "1")
    (message,) = receive(ours)
    now[0] = 61.0
    with pytest.raises(Exception, match="InvalidParameterValue"):
        delete(ours, message)
