"""`/api/payments/webhook`: Stripe calls here, in no order, twice, at the worst moment."""

import time

from chalice.app import Blueprint

from chalicelib import correlation, wiring
from chalicelib.domain import stripe_event
from chalicelib.domain.errors import InvalidSignature, WebhookDisabled
from chalicelib.entrypoints.http import ANY_TYPE, answers, raw_body
from chalicelib.entrypoints.logs import say
from chalicelib.services.nudging import take_event

routes = Blueprint(__name__)


@routes.route("/api/payments/webhook", methods=["POST"], content_types=ANY_TYPE)
@answers(routes)
def webhook() -> dict[str, bool]:
    """Verify, make durable, answer. Whatever fails is a 5xx, and Stripe delivers again."""
    request = routes.current_request
    payload = raw_body(request)
    _verify(payload, request.headers.get("stripe-signature"))
    event = stripe_event.parse(payload)
    correlation.learn(event_id=event.id, tenant=event.tenant_id)
    outcome = take_event(
        event,
        records=wiring.nudges(),
        queue=wiring.queue(),
        clock=wiring.clock(),
        deployment=wiring.deployment(),
        livemode=wiring.livemode(),
    )
    say(
        "webhook",
        type=event.type,
        outcome=outcome,
        api_version=event.api_version if event.api_version != stripe_event.API_VERSION else None,
    )
    return {"received": True}


def _verify(payload: bytes, header: str | None) -> None:
    """Check the signature; a refused one is checked again where the secret has been rotated."""
    # Signatures go by the wall clock, whatever clock decisions go by.
    now = time.time()
    try:
        stripe_event.verify(payload, header, wiring.webhook_secrets(), now)
    except (InvalidSignature, WebhookDisabled):
        if not wiring.secrets_changed():
            raise
        stripe_event.verify(payload, header, wiring.webhook_secrets(), now)
