"""Chalice's least, and the two AWS clients as everybody makes them, each with its first call."""

import os
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
from chalice.app import Chalice

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

app = Chalice(app_name="boto")
key: "dict[str, AttributeValueTypeDef]" = {"pk": {"S": "TENANT#bench"}, "sk": {"S": "RECORD"}}
table = os.environ["TABLE_NAME"]
boto3.client("dynamodb").transact_write_items(
    TransactItems=[
        {"Put": {"TableName": table, "Item": key}},
        {"Put": {"TableName": table, "Item": {**key, "sk": {"S": "LINE"}}}},
    ]
)
sqs = boto3.client("sqs")
url = sqs.get_queue_url(QueueName=os.environ["QUEUE_NAME"])["QueueUrl"]
sqs.send_message(
    QueueUrl=url, MessageBody="{}", MessageGroupId="g", MessageDeduplicationId=uuid4().hex
)
os._exit(0)
