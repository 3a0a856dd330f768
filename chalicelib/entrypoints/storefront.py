"""`/api/subscriptions/*`: what is sold, buying it, and how it stands."""

from typing import TYPE_CHECKING, Any

from chalice.app import Blueprint, Response

from chalicelib import wiring
from chalicelib.domain.errors import AlreadySubscribed, PaymentProcessing
from chalicelib.entrypoints import metrics
from chalicelib.entrypoints.http import ANY_TYPE, Headers, accepted, answers, signed_in, texts
from chalicelib.entrypoints.logs import say
from chalicelib.services.portal import portal_url

if TYPE_CHECKING:
    from chalicelib.domain.catalogue import Catalogue, Plan

routes = Blueprint(__name__)
CACHEABLE: Headers = {"Cache-Control": "public, max-age=300"}


@routes.route("/api/subscriptions/plans", methods=["GET"], content_types=ANY_TYPE)
@answers(routes)
def plans() -> Response:
    """What is sold; public."""
    return Response(listed(wiring.catalogue()), headers=CACHEABLE)


@routes.route(
    "/api/subscriptions/create-checkout-session", methods=["POST"], content_types=ANY_TYPE
)
@answers(routes)
def create_checkout_session() -> dict[str, Any]:
    """Where to pay for a plan."""
    user = signed_in(routes.current_request)
    (plan_id,) = texts(routes.current_request, "planId")
    wiring.charge(user)
    try:
        session = wiring.checkouts().open(user, plan_id)
    except (AlreadySubscribed, PaymentProcessing) as e:
        metrics.count("DuplicatesRefused", reason=e.code)
        raise
    say("checkout", plan=plan_id, session=session.id)
    return {"sessionId": session.id, "checkoutUrl": session.url}


@routes.route("/api/subscriptions/status", methods=["GET"], content_types=ANY_TYPE)
@answers(routes)
def status() -> dict[str, Any]:
    """How the signed-in customer's subscription stands."""
    return wiring.statuses().of(signed_in(routes.current_request))


@routes.route("/api/subscriptions/start-free", methods=["POST"], content_types=ANY_TYPE)
@answers(routes)
def start_free() -> Response:
    """Grant the Free plan."""
    user = signed_in(routes.current_request)
    record = wiring.free_plan().start(user)
    say("free started")
    return accepted(wiring.statuses().shown(record))


@routes.route("/api/subscriptions/stop-free", methods=["POST"], content_types=ANY_TYPE)
@answers(routes)
def stop_free() -> Response:
    """Take the Free plan back."""
    user = signed_in(routes.current_request)
    record = wiring.free_plan().stop(user)
    say("free stopped")
    return accepted(wiring.statuses().shown(record))


@routes.route("/api/subscriptions/create-portal-session", methods=["POST"], content_types=ANY_TYPE)
@answers(routes)
def create_portal_session() -> dict[str, Any]:
    """Where to manage billing."""
    user = signed_in(routes.current_request)
    wiring.charge(user)
    return_url = f"{wiring.settings().site_url.rstrip('/')}/dashboard"
    url = portal_url(user, return_url, records=wiring.records(), payments=wiring.payments())
    say("portal")
    return {"portalUrl": url}


def listed(catalogue: "Catalogue") -> list[dict[str, Any]]:
    """What can be had now, in its order; a plan once for every price that it can be bought at."""
    return [entry for plan in catalogue.sold_plans for entry in _entries(plan, catalogue)]


def _entries(plan: "Plan", catalogue: "Catalogue") -> list[dict[str, Any]]:
    offers = [offer for offer in catalogue.offers if offer.plan == plan]
    if not offers:
        return [_card(plan.id, plan, 0, catalogue)]
    return [
        _card(offer.id, plan, offer.amount, catalogue) | {"interval": offer.interval}
        for offer in offers
    ]


def _card(shown_id: str, plan: "Plan", amount: int, catalogue: "Catalogue") -> dict[str, Any]:
    card = {
        "id": shown_id,
        "name": plan.name,
        "price": amount,
        "priceDisplay": catalogue.product.price_tag(amount),
        "features": list(plan.features),
    }
    return card | ({"popular": True} if plan.popular else {})
