"""All checks, one after the other."""

from collections.abc import Callable, Iterator, Sequence

import stripe
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import DomainError
from ops.doctor import checks, stripe_checks, surroundings
from ops.doctor.finding import Finding, fail
from ops.doctor.looking import Look

Check = Callable[[Look], Finding]

CHECKS: Sequence[Check] = (
    checks.chalice_configuration,
    surroundings.clock,
    checks.settings,
    checks.site,
    stripe_checks.key,
    stripe_checks.webhook_secret,
    stripe_checks.endpoint,
    stripe_checks.plans,
    checks.table,
    checks.index,
    checks.queue,
    checks.dead_letters,
    checks.wiring,
    surroundings.user_pool,
    surroundings.mail,
    surroundings.cluster,
)


def examine(look: Look, todo: Sequence[Check] = CHECKS) -> Iterator[Finding]:
    """Every finding; a check that cannot look is one that failed."""
    for check in todo:
        try:
            yield check(look)
        except (BotoCoreError, ClientError, stripe.StripeError, DomainError, KeyError) as e:
            said = f"cannot be looked at: {_short(e)}"
            yield fail(check.__name__.replace("_", " "), said, look.redeploy)


def _short(error: Exception) -> str:
    if isinstance(error, ClientError):
        return f"{error.response['Error']['Code']} ({error.operation_name})"
    if isinstance(error, KeyError):
        return f"there is no {error.args[0]}"
    if isinstance(error, stripe.StripeError):
        return f"Stripe: {type(error).__name__}"
    return str(error)
