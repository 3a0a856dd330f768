"""The steps of a deploy, in their order."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import stripe
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.gateways.stripe_errors import key_refused
from ops.deploying.before import Check
from ops.deploying.code import Code
from ops.deploying.limits import Limits
from ops.deploying.site import Site
from ops.deploying.stacks import Stack, values
from ops.deploying.step import Say, Shop, Step, StepFailed
from ops.deploying.stripe_side import Plans, Webhook
from ops.stacks import Stacks

_AGAIN = (
    "see to your rights (infra/deployer-policy.json lists them), sign in again, or wait if it was "
    "an outage, and run the same command again; what is made is found made"
)
Title = Callable[[str], None]


def steps(shop: Shop, stacks: Stacks) -> Sequence[Step]:
    """All of a deploy; the doctor comes after it."""
    with_api = partial(values, shop, with_api=True)
    return (
        Check(shop),
        Stack(shop, stacks, "data", "table, queue and user pool", partial(values, shop)),
        Code(shop),
        Limits(shop),
        Stack(shop, stacks, "edge", "CDN, headers and routing", with_api),
        Stack(shop, stacks, "alarms", "alarms and dashboard", partial(values, shop)),
        Site(shop, stacks),
        Plans(shop),
        Webhook(shop),
    )


def run(todo: Sequence[Step], title: Title, say: Say, *, dry_run: bool) -> None:
    """Do one after the other, or only say what they would do.

    Raises:
        StepFailed: one of them cannot be done; those before it are.
    """
    for number, step in enumerate(todo, 1):
        title(f"{number}/{len(todo)} {step.name}")
        with told(step.name):
            say(step.plan() if dry_run else step.run(say))


@contextmanager
def told(name: str) -> Iterator[None]:
    """Whatever fails says which step it was, and what to do.

    Raises:
        StepFailed: for whatever AWS, Stripe or the step itself raises.
    """
    try:
        yield
    except StepFailed as e:
        raise StepFailed(f"{name}: {e.what}", e.todo) from e
    except stripe.PermissionError as e:
        raise StepFailed(f"{name}: {key_refused(e)}", _AGAIN) from e
    except (BotoCoreError, ClientError, stripe.StripeError) as e:
        raise StepFailed(f"{name}: {e}", _AGAIN) from e
