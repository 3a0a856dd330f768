"""The steps of a deploy and of its opposite, in their order."""

from collections.abc import Callable, Sequence
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
    "see to your rights, or wait if it was an outage, and run the same command again; "
    "what is made is found made"
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
        try:
            say(step.plan() if dry_run else step.run(say))
        except StepFailed as e:
            raise StepFailed(f"{step.name}: {e.what}", e.todo) from e
        except stripe.PermissionError as e:
            raise StepFailed(f"{step.name}: {key_refused(e)}", _AGAIN) from e
        except (BotoCoreError, ClientError, stripe.StripeError) as e:
            raise StepFailed(f"{step.name}: {e}", _AGAIN) from e


def destroy(shop: Shop, stacks: Stacks, title: Title, say: Say, *, data: bool) -> None:
    """Take a stage down, the outside first; the table and the accounts only when `data`."""
    title("webhook endpoint")
    say(Webhook(shop).remove())
    title("alarms, CDN and pages")
    stacks.delete(shop.stage.stack("alarms"), say)
    Site(shop, stacks).empty()
    stacks.delete(shop.stage.stack("edge"), say)
    title("functions and API")
    say(Code(shop).remove(say))
    if data:
        title("table, queue and user pool")
        _destroy_data(shop, stacks, say)


def _destroy_data(shop: Shop, stacks: Stacks, say: Say) -> None:
    """What is protected against exactly this is let go of first, and removed by itself last."""
    pool_id = stacks.outputs(shop.stage.stack("data")).get("UserPoolId")
    stacks.delete(shop.stage.stack("data"), say)
    dynamodb = shop.session.client("dynamodb")
    try:
        dynamodb.update_table(TableName=shop.stage.table, DeletionProtectionEnabled=False)
        dynamodb.get_waiter("table_exists").wait(TableName=shop.stage.table)
        dynamodb.delete_table(TableName=shop.stage.table)
    except dynamodb.exceptions.ResourceNotFoundException:
        say(f"there was no table {shop.stage.table}")
    else:
        say(f"table {shop.stage.table} is removed")
    if pool_id:
        cognito = shop.session.client("cognito-idp")
        pool = cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"]
        cognito.update_user_pool(
            UserPoolId=pool_id,
            DeletionProtection="INACTIVE",
            Policies=pool.get("Policies", {}),
            AutoVerifiedAttributes=["email"],
        )
        cognito.delete_user_pool(UserPoolId=pool_id)
        say(f"user pool {pool_id} is removed")
