"""How much the API takes, route by route: API Gateway throttles before a function is paid for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops.deploying.stacks import api_id
from ops.deploying.step import Say, Shop


@dataclass(frozen=True, slots=True)
class Limit:
    """Requests a second in the long run, and how many may come at once."""

    rate: int
    burst: int


ALL = "*/*"
LIMITS: Mapping[str, Limit] = {
    ALL: Limit(50, 100),
    # Stripe sends bursts, and delivers again what is refused.
    "~1api~1payments~1webhook/POST": Limit(200, 400),
    # Guessing passwords and codes; Cognito has limits of its own behind these.
    "~1api~1auth~1login/POST": Limit(10, 20),
    "~1api~1auth~1signup/POST": Limit(5, 10),
    "~1api~1auth~1confirm/POST": Limit(5, 10),
    "~1api~1auth~1resend/POST": Limit(2, 5),
    "~1api~1auth~1password-reset/POST": Limit(2, 5),
    "~1api~1auth~1password-reset~1confirm/POST": Limit(5, 10),
    "~1api~1subscriptions~1create-checkout-session/POST": Limit(10, 20),
}
"""By API Gateway's name of a method: `/` is `~1` in it."""


class Limits:
    """Throttling and metrics of the API's stage, which Chalice makes without either."""

    name = "limits per route"

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def plan(self) -> str:
        """Which routes' limits would change."""
        routes = ", ".join(path.replace("~1", "/") for path in LIMITS)
        return f"see to it that these have the limits of ops/deploying/limits.py: {routes}"

    def run(self, _: Say) -> str:
        """Set what differs."""
        where = {"restApiId": api_id(self._shop), "stageName": self._shop.stage.name}
        gateway: Any = self._shop.session.client("apigateway")
        todo = patches(gateway.get_stage(**where).get("methodSettings", {}))
        if not todo:
            return "the limits are as they should be"
        gateway.update_stage(**where, patchOperations=todo)
        return f"{len(todo)} values set"


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
            ("metrics/enabled", "metricsEnabled", True),
        ):
            if found.get(attribute) != value:
                text = str(value).lower()
                todo.append({"op": "replace", "path": f"/{path}/{key}", "value": text})
    return todo
