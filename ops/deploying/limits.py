"""How much the API takes, route by route: API Gateway throttles before a function is paid for.

And what it answers then, and whenever else it does not ask a function.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops.deploying import answers
from ops.deploying.stacks import api_id
from ops.deploying.step import Say, Shop


@dataclass(frozen=True, slots=True)
class Limit:
    """Requests a second in the long run, and how many may come at once.

    Attributes:
        watched: an alarm goes by this route's own figures. API Gateway keeps five for each, and
            CloudWatch takes 0.30 USD a month for one, so no other route has any.
    """

    rate: int
    burst: int
    watched: bool = False


ALL = "*/*"
LIMITS: Mapping[str, Limit] = {
    ALL: Limit(50, 100),
    # Stripe sends bursts, and delivers again what is refused.
    "~1api~1payments~1webhook/POST": Limit(200, 400, watched=True),
    # Guessing passwords and codes; Cognito has limits of its own behind these.
    "~1api~1auth~1login/POST": Limit(10, 20, watched=True),
    "~1api~1auth~1signup/POST": Limit(5, 10, watched=True),
    "~1api~1auth~1confirm/POST": Limit(5, 10),
    "~1api~1auth~1resend/POST": Limit(2, 5),
    "~1api~1auth~1logout/POST": Limit(10, 20),
    "~1api~1auth~1password-reset/POST": Limit(2, 5),
    "~1api~1auth~1password-reset~1confirm/POST": Limit(5, 10),
    "~1api~1subscriptions~1create-checkout-session/POST": Limit(10, 20, watched=True),
    "~1api~1subscriptions~1status/GET": Limit(50, 100, watched=True),
}
"""By API Gateway's name of a method: `/` is `~1` in it."""


class Limits:
    """Throttling and metrics of the API's stage, and API Gateway's own answers.

    Chalice makes neither, and each of its deploys may take the answers away.
    """

    name = "limits per route"

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def plan(self) -> str:
        """Which routes' limits would change, and which answers."""
        routes = ", ".join(path.replace("~1", "/") for path in LIMITS)
        return (
            f"see to it that these have the limits of ops/deploying/limits.py: {routes}; and that "
            f"API Gateway's own answers have the contract's form: {', '.join(answers.ANSWERS)}"
        )

    def run(self, _: Say) -> str:
        """Set what differs."""
        api, stage = api_id(self._shop), self._shop.stage.name
        gateway: Any = self._shop.session.client("apigateway")
        there = gateway.get_stage(restApiId=api, stageName=stage).get("methodSettings", {})
        todo = patches(there)
        missing = answers.missing(gateway.get_gateway_responses(restApiId=api, limit=500)["items"])
        for answer in missing:
            gateway.put_gateway_response(restApiId=api, **answer)
        if missing:  # they are answered once they are deployed
            made = gateway.create_deployment(restApiId=api)["id"]
            todo.append({"op": "replace", "path": "/deploymentId", "value": made})
        if not todo:
            return "the limits and the answers are as they should be"
        gateway.update_stage(restApiId=api, stageName=stage, patchOperations=todo)
        return f"{len(todo) - bool(missing)} values and {len(missing)} answers set"


def patches(there: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """What has to be changed in a stage's settings; pure.

    API Gateway names a method with `/` when it is asked, and with `~1` when it is told.
    """
    todo = []
    for path, limit in LIMITS.items():
        found = there.get(path) or there.get(path.replace("~1", "/").removeprefix("/")) or {}
        for key, attribute, value in (
            ("throttling/rateLimit", "throttlingRateLimit", limit.rate),
            ("throttling/burstLimit", "throttlingBurstLimit", limit.burst),
            ("metrics/enabled", "metricsEnabled", limit.watched),
        ):
            if found.get(attribute) != value:
                text = str(value).lower()
                todo.append({"op": "replace", "path": f"/{path}/{key}", "value": text})
    return todo
