"""What Stripe's refusals mean: each call's errors, by the names that the domain has for them."""

import re
from collections.abc import Callable
from typing import TypeVar

import stripe

from chalicelib.domain.errors import (
    DomainError,
    OtherCurrency,
    Permanent,
    Temporary,
    UpstreamBroken,
)

T = TypeVar("T")
SERVER_ERROR = 500
_PERMISSION = re.compile(r"'(rak_[a-z0-9_]{1,80})'")

_COMBINED_CURRENCIES = "cannot combine currencies"
"""Stripe's refusal to sell one customer in two currencies; it has no code to tell it by."""


class NoSuchThing(Permanent):
    """Stripe does not know what was asked for."""


class NoSuchCustomer(NoSuchThing):
    """Stripe does not know the customer that a parameter names."""


class Refused(Permanent):
    """Stripe understood, and will not."""


class KeyTaken(Refused):
    """The idempotency key was used with other parameters."""


class BadAddress(Refused):
    """Stripe does not take the e-mail address."""


class AlreadyRefunded(Refused):
    """All of that charge was given back before."""


def call(request: Callable[[], T]) -> T:
    """One call of the SDK's, whose errors get our names, but not its messages: those quote input.

    Raises:
        Temporary, UpstreamBroken: it does not answer, or fails.
        Permanent: it refuses; by a name from above where we know what to do about it.
    """
    try:
        return request()
    except (stripe.APIConnectionError, stripe.RateLimitError) as e:
        raise Temporary(f"Stripe does not answer: {type(e).__name__}") from e
    except stripe.IdempotencyError as e:
        raise KeyTaken(f"Stripe: the key was used with other parameters: {_said(e)}") from e
    except stripe.InvalidRequestError as e:
        raise _refusal(e) from e
    except (stripe.AuthenticationError, stripe.PermissionError) as e:
        # The deployment is wrong, not this tenant: all of them go on once the key is put right.
        raise Temporary(key_refused(e)) from e
    except stripe.StripeError as e:
        status = e.http_status
        if status is not None and status >= SERVER_ERROR:
            raise UpstreamBroken(f"Stripe fails: HTTP {status}") from e
        raise Temporary(f"Stripe answers with HTTP {status}: {_said(e)}") from e


def key_refused(error: stripe.AuthenticationError | stripe.PermissionError) -> str:
    """Why Stripe does not take the key, and what to do; the right it lacks by Stripe's own name.

    Of Stripe's text only that name is taken: the rest quotes the key and the account.
    """
    if isinstance(error, stripe.AuthenticationError):
        return "Stripe does not accept the key: is it of this account, and not rolled or expired?"
    request_id = f" (request {error.request_id})" if error.request_id else ""
    if found := _PERMISSION.search(str(error.user_message or "")):
        return (
            f"the Stripe key lacks the permission {found[1]}{request_id}: give it to "
            "the restricted key at https://dashboard.stripe.com/apikeys; "
            "docs/going-live.md lists all that it needs"
        )
    return (
        f"the Stripe key lacks a permission{request_id}: docs/going-live.md lists all that a "
        "restricted key needs"
    )


def _refusal(error: stripe.InvalidRequestError) -> DomainError:
    said = _said(error)
    if _COMBINED_CURRENCIES in (error.user_message or "").lower():
        return OtherCurrency()
    if error.code == "resource_missing":
        return NoSuchCustomer(said) if error.param == "customer" else NoSuchThing(said)
    named = {"email_invalid": BadAddress, "charge_already_refunded": AlreadyRefunded}
    if error.code in named:
        return named[error.code](said)
    return Refused(f"Stripe refuses: {said}")


def _said(error: stripe.StripeError) -> str:
    request_id = f" (request {error.request_id})" if error.request_id else ""
    about = " ".join(
        filter(None, (error.code or type(error).__name__, getattr(error, "param", "")))
    )
    return f"{about}{request_id}"
