"""What holds data: found by name, so that it is found without its stack, too."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from ops.deploying.step import Say, Shop, StepFailed
from ops.stacks import Stacks


class Data:
    """The table, the user pools, the queues and the settings of a stage."""

    def __init__(self, shop: Shop, stacks: Stacks) -> None:
        self._shop = shop
        self._stacks = stacks
        self._stack = shop.stage.stack("data")

    def names(self) -> list[str]:
        """What there is of it, in words."""
        return list(self._names())

    def without_stack(self) -> list[str]:
        """Table and pools that no stack has any more: a new stack could not be made over them."""
        if self._stacks.stands(self._stack):
            return []
        return [
            *([f"table {self._shop.stage.table}"] if self._table() else []),
            *self._pool_names(),
        ]

    def remove(self, say: Say) -> None:
        """Remove all of it. What is protected against exactly this is let go of first.

        Raises:
            StepFailed: something is left.
        """
        self._stacks.delete(self._stack, say)
        self._remove_table(say)
        self._remove_pools(say)
        self._remove_queues(say)
        parameters = self._shop.parameters
        for name in parameters.all():  # the keys of Stripe among them
            parameters.delete(name)
            say(f"parameter {self._shop.stage.parameters_path}/{name} is removed")
        # SQS tells of a queue for a minute after it was removed.
        if left := [name for name in self.names() if not name.startswith("queue ")]:
            raise StepFailed(f"there still is: {', '.join(left)}", "run the same command again")

    def _remove_queues(self, say: Say) -> None:
        sqs, stage = self._shop.session.client("sqs"), self._shop.stage
        for name in (stage.queue, stage.dead_letters):
            if self._is_queue(name):  # it goes with its stack, if that was there
                sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"])
                say(f"queue {name} is removed")

    def _names(self) -> Iterator[str]:
        if self._stacks.find(self._stack):
            yield f"stack {self._stack}"
        if self._table():
            yield f"table {self._shop.stage.table}"
        yield from self._pool_names()
        stage = self._shop.stage
        for name in (stage.queue, stage.dead_letters):
            if self._is_queue(name):
                yield f"queue {name}"

    def has_queue(self) -> bool:
        """Whether there is what feeds the worker."""
        return self._is_queue(self._shop.stage.queue)

    def _is_queue(self, name: str) -> bool:
        try:
            self._shop.session.client("sqs").get_queue_url(QueueName=name)
        except ClientError as e:
            if "NonExistentQueue" not in e.response["Error"]["Code"]:
                raise
            return False
        return True

    def _table(self) -> str | None:
        """The table's status; None when there is none."""
        dynamodb = self._shop.session.client("dynamodb")
        try:
            found = dynamodb.describe_table(TableName=self._shop.stage.table)
        except dynamodb.exceptions.ResourceNotFoundException:
            return None
        return str(found["Table"]["TableStatus"])

    def _remove_table(self, say: Say) -> None:
        dynamodb, name = self._shop.session.client("dynamodb"), self._shop.stage.table
        status = self._table()
        if status is None:
            say(f"there was no table {name}")
            return
        if status != "DELETING":  # which an earlier run has begun
            dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
            dynamodb.get_waiter("table_exists").wait(TableName=name)
            dynamodb.delete_table(TableName=name)
        dynamodb.get_waiter("table_not_exists").wait(TableName=name)
        say(f"table {name} is removed")

    def _pools(self) -> Iterator[str]:
        cognito: Any = self._shop.session.client("cognito-idp")
        for page in cognito.get_paginator("list_user_pools").paginate(
            PaginationConfig={"PageSize": 60}
        ):
            for pool in page["UserPools"]:
                if pool["Name"] == self._shop.stage.deployment:
                    yield pool["Id"]

    def _pool_names(self) -> list[str]:
        return [f"user pool {pool_id}" for pool_id in self._pools()]

    def _remove_pools(self, say: Say) -> None:
        cognito = self._shop.session.client("cognito-idp")
        for pool_id in list(self._pools()):
            pool = cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"]
            cognito.update_user_pool(
                UserPoolId=pool_id,
                DeletionProtection="INACTIVE",
                Policies=pool.get("Policies", {}),
                AutoVerifiedAttributes=["email"],
            )
            cognito.delete_user_pool(UserPoolId=pool_id)
            say(f"user pool {pool_id} is removed")
