"""`ops destroy`: the outside first, and `removed` only where nothing was found any more."""

from collections.abc import Iterator

from ops.deploying.code import Code
from ops.deploying.data import Data
from ops.deploying.pipeline import Title, told
from ops.deploying.site import Site
from ops.deploying.step import Say, Shop
from ops.deploying.stripe_side import Webhook
from ops.parameters import STRIPE_KEY
from ops.stacks import Stacks


def destroy(shop: Shop, stacks: Stacks, title: Title, say: Say, *, data: bool) -> None:
    """Take a stage down; the table, the accounts and the settings only when `data`.

    Each part is looked for by its name, so that whoever runs it again finds what is left.

    Raises:
        StepFailed: a part cannot be removed; those before it are.
    """
    title("webhook endpoint")
    with told("webhook endpoint"):
        say(_endpoint(shop))
    title("alarms, CDN and pages")
    with told("alarms, CDN and pages"):
        stacks.delete(shop.stage.stack("alarms"), say)
        Site(shop, stacks).empty()
        stacks.delete(shop.stage.stack("edge"), say)
        say("removed")
    title("functions and API")
    with told("functions and API"):
        say(Code(shop).remove(say))
    title("table, queue and user pool")
    with told("table, queue and user pool"):
        if data:
            Data(shop, stacks).remove(say)
        for line in _kept(shop, stacks):
            say(line)


def _endpoint(shop: Shop) -> str:
    """Without a key Stripe cannot be asked; with `--data` the key is what goes last."""
    if not (shop.env.get("STRIPE_SECRET_KEY") or shop.parameters.get(STRIPE_KEY)):
        return "there is no Stripe key any more, so Stripe was not asked whether it has an endpoint"
    return Webhook(shop).remove()


def _kept(shop: Shop, stacks: Stacks) -> Iterator[str]:
    """What is still there, by name, and how it goes."""
    there = Data(shop, stacks).names()
    again = f"make destroy STAGE={shop.stage.name} ARGS=--data"
    if there:
        yield f"kept: {', '.join(there)}; {again} removes them"
    if shop.parameters.get(STRIPE_KEY):
        yield (
            f"kept: the {shop.stage.stripe_mode} Stripe key, encrypted, in SSM "
            f"({shop.stage.parameters_path}/{STRIPE_KEY}); {again} removes it, too"
        )
    if not there:
        yield f"nothing of {shop.stage.deployment} is left in AWS"
