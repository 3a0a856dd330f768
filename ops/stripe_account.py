"""The Stripe account of a stage."""

import stripe

from chalicelib.domain import stripe_key
from chalicelib.domain.errors import Misconfigured
from ops.deploying.step import Shop, StepFailed
from ops.parameters import STRIPE_KEY


def key_of(shop: Shop) -> str:
    """The key: from the environment when it is given there, else the one in SSM.

    Raises:
        StepFailed: there is none, or it is of the other mode.
    """
    key = shop.env.get("STRIPE_SECRET_KEY", "").strip() or shop.parameters.get(STRIPE_KEY)
    name = shop.stage.name
    todo = (
        f"get a {shop.stage.stripe_mode} key at https://dashboard.stripe.com/apikeys and store it: "
        f"python -m ops secret {STRIPE_KEY} --stage {name}"
    )
    if not key:
        raise StepFailed("there is no Stripe key", todo)
    try:
        stripe_key.check(key, shop.stage.stripe_mode)
    except Misconfigured as e:
        raise StepFailed(str(e), todo) from e
    return key


def client(shop: Shop) -> stripe.StripeClient:
    """Stripe, as whoever deploys."""
    return stripe.StripeClient(
        key_of(shop),
        base_addresses={"api": shop.stripe_base} if shop.stripe_base else {},
        max_network_retries=2,
        http_client=stripe.RequestsClient(timeout=20),
    )
