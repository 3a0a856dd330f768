"""What Chalice remembers of a stage, written anew from what AWS tells, before each of its commands.

Chalice keeps it in `.chalice/deployed`, on one machine, and writes it when a command has ended: one
that was killed, or a colleague's, is not in it, and the next would make things a second time.
"""

import json
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ops import rights
from ops.deploying import world
from ops.deploying.step import Say, Shop, StepFailed
from ops.deploying.world import World
from ops.stacks import Stacks

if TYPE_CHECKING:
    from pathlib import Path

GLANCE = 2
"""Seconds between two looks at what is being made."""

PATIENCE = 300
"""Seconds that AWS is waited for: Lambda itself gives up sooner."""


class Memory:
    """Chalice's file of one stage."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._file: Path = shop.root / ".chalice/deployed" / f"{shop.stage.name}.json"

    def look(self) -> World:
        """What there is."""
        return world.look(self._shop.session, self._shop.stage, self._edge_api())

    def api_id(self) -> str | None:
        """The API's id; None when there is none yet."""
        gateway = self._shop.session.client("apigateway")
        found = world.apis(gateway, self._shop.stage, self._edge_api())
        return found[0] if found else None

    def _edge_api(self) -> str | None:
        stack = Stacks(self._shop.session).find(self._shop.stage.stack("edge")) or {}
        known = {p["ParameterKey"]: p.get("ParameterValue") for p in stack.get("Parameters", [])}
        return known.get("ApiId")

    def check(self, there: World | None = None) -> None:
        """Whether the roles are this region's to make.

        Raises:
            StepFailed: another region's stage of this name has them.
        """
        if strangers := (there or self.look()).strangers.values():
            raise StepFailed(
                "; ".join(f"role {role.name} belongs to {role.home}" for role in strangers),
                "IAM knows no regions, so a stage of this name lives in one region of an account: "
                "deploy that one, or give this one another name in infra/stages.toml",
            )

    def complete(self, say: Say, *, deploys: bool) -> bool:
        """Write it from what AWS tells, once AWS has ended what it was at; whether it was another.

        What was made twice by an earlier death is made one: the API that the CDN leads to stays.

        Raises:
            StepFailed: another region's stage of this name has the roles, and this `deploys`.
        """
        there = self._settled(say)
        if deploys:
            self.check(there)
        for api in there.apis[1:]:
            self._shop.session.client("apigateway").delete_rest_api(restApiId=api)
            say(f"API {api} was made a second time, and is removed")
        for role in there.strangers.values():
            say(f"role {role.name} belongs to {role.home}, and is left alone")
        found = {
            "resources": list(resources(there, self._shop)),
            "schema_version": "2.0",
            "backend": "api",
        }
        if self._read() == found:
            return False
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(found, indent=2), "utf-8")
        return True

    def forget(self) -> None:
        """Remove the file, and what earlier versions of this kept of it in SSM."""
        self._file.unlink(missing_ok=True)
        stage = self._shop.stage
        self._shop.session.client("ssm").delete_parameters(
            Names=[f"/{stage.app}/deployed/{stage.name}"]
        )

    def _settled(self, say: Say) -> World:
        until = time.monotonic() + PATIENCE
        while not (there := self.look()).settled:
            if time.monotonic() > until:
                raise StepFailed(
                    "AWS is still at work on what an earlier command began",
                    "wait some minutes, and run the same command again",
                )
            say("AWS is at work on what an earlier command began")
            time.sleep(GLANCE)  # AWS tells nobody when it is done: it can only be asked again
        return there

    def _read(self) -> Any:  # noqa: ANN401 - JSON
        try:
            return json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            return None


def resources(there: World, shop: Shop) -> Iterator[Mapping[str, str]]:
    """The same in Chalice's words, in its order: it removes from the last to the first."""
    for function in (rights.WORKER, rights.SWEEP, rights.AUDIT, rights.API):
        if role := there.roles.get(function):
            yield {
                "name": f"{function}_role",
                "resource_type": "iam_role",
                "role_arn": role.arn,
                "role_name": role.name,
            }
        if found := there.functions.get(function):
            yield {
                "name": function,
                "resource_type": "lambda_function",
                "lambda_arn": found["FunctionArn"],
            }
        if function == rights.WORKER:
            for source in there.sources[:1]:
                yield {
                    "name": "worker-sqs-event-source",
                    "resource_type": "sqs_event",
                    "queue_arn": source.queue,
                    "event_uuid": source.uuid,
                    "queue": shop.stage.queue,
                    "lambda_arn": source.function,
                }
        if rule := there.rules.get(function):
            yield {
                "name": f"{function}-event",
                "resource_type": "cloudwatch_event",
                "rule_name": rule,
            }
    for api in there.apis[:1]:
        region = shop.session.region_name
        yield {
            "name": "rest_api",
            "resource_type": "rest_api",
            "rest_api_id": api,
            "rest_api_url": f"https://{api}.execute-api.{region}.amazonaws.com/{shop.stage.name}/",
        }
