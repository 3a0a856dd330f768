"""All checks, one after the other."""

from collections.abc import Callable, Iterator, Sequence

import stripe
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import DomainError
from chalicelib.gateways.stripe_errors import key_refused
from ops.deploying.step import StepFailed
from ops.doctor import checks, running_checks, stripe_checks, surroundings
from ops.doctor.finding import Finding, fail
from ops.doctor.looking import Look
from ops.parameters import STRIPE_KEY

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})

Check = Callable[[Look], Finding]

CHECKS: Sequence[Check] = (
    checks.chalice_configuration,
    surroundings.clock,
    checks.settings,
    checks.site,
    running_checks.functions,
    stripe_checks.key,
    stripe_checks.plans,
    stripe_checks.webhook_secret,
    stripe_checks.endpoint,
    running_checks.secret_matches,
    running_checks.way_in,
    running_checks.undelivered,
    checks.table,
    checks.index,
    checks.queue,
    checks.dead_letters,
    checks.wiring,
    running_checks.sweep,
    running_checks.daily_audit,
    running_checks.alarms,
    running_checks.concurrency,
    surroundings.user_pool,
    surroundings.mail,
    surroundings.cluster,
    surroundings.isolation,
)

IN_A_SANDBOX: Sequence[Check] = (
    stripe_checks.plans,
    stripe_checks.webhook_secret,
    stripe_checks.endpoint,
    running_checks.secret_matches,
    running_checks.way_in,
    running_checks.undelivered,
    checks.index,
    checks.queue,
    checks.dead_letters,
    surroundings.user_pool,
)
"""What there is to look at where there are no functions, parameters, schedules and alarms."""


def examine(look: Look, todo: Sequence[Check] = CHECKS) -> Iterator[Finding]:
    """Every finding; a check that cannot look is one that failed."""
    for check in todo:
        try:
            yield check(look)
        except (BotoCoreError, ClientError, stripe.StripeError, DomainError, KeyError) as e:
            said = f"cannot be looked at: {_short(e)}"
            yield fail(check.__name__.replace("_", " "), said, _todo(e, look))


def _todo(error: Exception, look: Look) -> str:
    if isinstance(error, StepFailed):
        return error.todo
    if isinstance(error, stripe.PermissionError):
        return key_refused(error)
    if isinstance(error, stripe.AuthenticationError):
        stage = look.stage.name
        return f"Stripe does not take the key: python -m ops secret {STRIPE_KEY} --stage {stage}"
    if isinstance(error, ClientError) and error.response["Error"]["Code"] in _DENIED:
        return f"your AWS credentials need the right to {error.operation_name}"
    if isinstance(error, BotoCoreError):
        return "are AWS_PROFILE and AWS_REGION those of this stage?"
    return look.redeploy


def _short(error: Exception) -> str:
    if isinstance(error, ClientError):
        return f"{error.response['Error']['Code']} ({error.operation_name})"
    if isinstance(error, KeyError):
        return f"there is no {error.args[0]}"
    if isinstance(error, stripe.StripeError):
        return f"Stripe: {type(error).__name__}"
    if isinstance(error, StepFailed):
        return error.what
    return str(error)
