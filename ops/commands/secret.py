"""`ops secret`."""

from typing import IO

import click
from stripe import StripeError

from chalicelib.domain import stripe_key
from chalicelib.domain.errors import Misconfigured
from ops import stripe_account, webhook
from ops.commands.common import say, shop_of, stage_option
from ops.deploying import home as homes
from ops.deploying.step import Shop, StepFailed
from ops.deploying.stripe_side import Webhook
from ops.parameters import STRIPE_KEY, WEBHOOK_SECRET


@click.command()
@stage_option
@click.argument("name", type=click.Choice([STRIPE_KEY, WEBHOOK_SECRET]))
@click.option("--value-from", type=click.File("r"), help="A file, `-` for standard input.")
def secret(stage: str, name: str, value_from: IO[str] | None) -> None:
    """Store a secret, encrypted. Running functions take it up within minutes, without a deploy.

    While the webhook's secret is rotated, give the new and the old one, with a comma.
    """
    shop = shop_of(stage)
    if shop.stage.account:
        homes.check(shop.stage, homes.here(shop.session))
    value = value_from.read() if value_from else click.prompt(name, hide_input=True)
    value = value.strip()
    if name == STRIPE_KEY:
        stripe_key.check(value, shop.stage.stripe_mode)
    elif not all(part.strip().startswith("whsec_") for part in value.split(",")):
        raise Misconfigured("that is no webhook secret: it must begin with whsec_")
    shop.parameters.put_secret(name, value)
    if name == WEBHOOK_SECRET:
        _note(shop, value.partition(",")[0].strip())
    say(f"{name} is stored below {shop.stage.parameters_path}")


def _note(shop: Shop, value: str) -> None:
    """The first one is what the endpoint signs with from now on, by the word of who stores it."""
    try:
        client = stripe_account.client(shop)
        for endpoint in Webhook(shop).endpoints()[0]:
            webhook.note_secret(client, endpoint.id, value)
    except (StepFailed, StripeError) as e:
        say(f"`ops doctor` will not know it: Stripe was not reached ({type(e).__name__})")
