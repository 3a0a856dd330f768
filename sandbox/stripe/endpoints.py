"""Calls about events and the endpoints that they are delivered to."""

from sandbox.stripe.errors import Refusal, malformed
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.lists import page
from sandbox.stripe.metadata import merged
from sandbox.stripe.objects import Obj

MOST = 16
MOST_TYPES = 20
API_VERSION = "2026-10-28.endive"
"""The one version whose shapes the sandbox speaks."""


def create(ledger: Ledger, params: Obj) -> Obj:
    """An endpoint; its secret is told this once."""
    if len(ledger.tables["webhook_endpoint"]) >= MOST:
        raise Refusal(f"You have reached the maximum of {MOST} test webhook endpoints.")
    _version(params.get("api_version", API_VERSION))
    _url(params["url"])
    made = ledger.add(
        "webhook_endpoint",
        api_version=params.get("api_version"),
        description=params.get("description") or None,
        enabled_events=list(params["enabled_events"]),
        metadata=merged({}, params.get("metadata")),
        url=params["url"],
    )
    secret = ledger.new_id("whsec_")
    ledger.secrets[made["id"]] = secret
    return {**made, "secret": secret}


def _version(version: str) -> None:
    if version != API_VERSION:
        raise Refusal(
            f"The sandbox speaks version {API_VERSION} only.", param="api_version", executed=False
        )


def _url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise Refusal("Invalid URL: An explicit scheme must be provided.", param="url")


def retrieve(ledger: Ledger, _: Obj, endpoint_id: str) -> Obj:
    """One endpoint, without its secret."""
    return ledger.get("webhook_endpoint", endpoint_id)


def update(ledger: Ledger, params: Obj, endpoint_id: str) -> Obj:
    """Where it is, what it wants, whether it is asked at all."""
    endpoint = ledger.get("webhook_endpoint", endpoint_id)
    if "url" in params:
        _url(params["url"])
    endpoint |= {
        key: params[key] for key in ("url", "enabled_events", "description") if key in params
    }
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    endpoint["metadata"] = merged(endpoint["metadata"], params.get("metadata"))
    return endpoint


def delete(ledger: Ledger, _: Obj, endpoint_id: str) -> Obj:
    """Nothing is delivered there any more."""
    ledger.get("webhook_endpoint", endpoint_id)
    del ledger.tables["webhook_endpoint"][endpoint_id]
    del ledger.secrets[endpoint_id]
    return {"id": endpoint_id, "object": "webhook_endpoint", "deleted": True}


def list_all(ledger: Ledger, params: Obj) -> Obj:
    """All endpoints."""
    return page(ledger, "webhook_endpoint", "/v1/webhook_endpoints", params)


def retrieve_event(ledger: Ledger, _: Obj, event_id: str) -> Obj:
    """One event, with the number of deliveries that are still owed."""
    return _counted(ledger, ledger.get("event", event_id))


def list_events(ledger: Ledger, params: Obj) -> Obj:
    """By type and by whether all endpoints have them."""
    wanted = params.get("types") or ([params["type"]] if "type" in params else [])
    if len(wanted) > MOST_TYPES:
        raise malformed(f"Array types exceeded maximum {MOST_TYPES} allowed elements.", "types")
    if "type" in params and "types" in params:
        raise malformed("You may only specify one of these parameters: type, types.", "types")
    delivered = params.get("delivery_success")

    def keep(event: Obj) -> bool:
        if wanted and not any(_matches(event["type"], each) for each in wanted):
            return False
        return delivered is None or (ledger.owed(event["id"]) == 0) == delivered

    found = page(ledger, "event", "/v1/events", params, keep=keep)
    return found | {"data": [_counted(ledger, event) for event in found["data"]]}


def _counted(ledger: Ledger, event: Obj) -> Obj:
    return event | {"pending_webhooks": ledger.owed(event["id"])}


def _matches(kind: str, wanted: str) -> bool:
    return wanted in {kind, "*"} or (wanted.endswith(".*") and kind.startswith(wanted[:-1]))
