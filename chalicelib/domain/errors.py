"""What can go wrong, in the words of this domain. None of it knows HTTP.

Three families: `Refusal` (the caller asked for something that cannot be had; its message may be
shown to a customer), `Temporary` (the same thing may work later) and `Permanent` (it will not,
until somebody changes something).
"""

from typing import ClassVar


class DomainError(Exception):
    """The base of everything below."""


class Refusal(DomainError):
    """A request that is answered with no; `code` is stable, the message can be shown."""

    code: ClassVar[str] = "invalid_request"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__ or self.code)


class InvalidRequest(Refusal):
    """The request could not be understood. Please check it and try again."""

    code = "invalid_request"


class UnknownPlan(Refusal):
    """There is no such plan. Please choose one from the pricing page."""

    code = "unknown_plan"


class TooLarge(Refusal):
    """The request is too large."""

    code = "too_large"


class UnsupportedMediaType(Refusal):
    """This address takes JSON only. Send it with Content-Type: application/json."""

    code = "unsupported_media_type"


class NotFound(Refusal):
    """There is nothing here."""

    code = "not_found"


class Unauthenticated(Refusal):
    """Please log in."""

    code = "unauthenticated"


class InvalidCredentials(Refusal):
    """The address or the password is wrong, or the address has not been confirmed yet."""

    code = "invalid_credentials"


class InvalidCode(Refusal):
    """The code is wrong or has expired. Please ask for a new one."""

    code = "invalid_code"


class WeakPassword(Refusal):
    """The password is too weak: please use at least 8 characters."""

    code = "weak_password"


class TooManyRequests(Refusal):
    """Too many attempts. Please wait a few minutes and try again."""

    code = "too_many_requests"

    def __init__(self, message: str | None = None, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds after which it is worth trying again, where that is known."""


class AlreadySubscribed(Refusal):
    """You already have an active subscription. Visit your dashboard."""

    code = "already_subscribed"


class PaymentProcessing(Refusal):
    """Your payment is being processed. Your dashboard shows how it goes."""

    code = "payment_processing"


class TenantBeingRemoved(Refusal):
    """Your previous workspace is still being removed. Please try again in a minute."""

    code = "tenant_being_removed"


class WorkspaceHeld(Refusal):
    """Your workspace was suspended by our team. Please contact support before you buy a plan."""

    code = "workspace_held"


class PaymentDisputed(Refusal):
    """A payment of yours is disputed with your bank. You can buy a plan once that is settled."""

    code = "payment_disputed"


class OtherCurrency(Refusal):
    """You have paid in another currency before. Please contact support: we will make it fit."""

    code = "other_currency"


class FreeUsed(Refusal):
    """The Free plan can be had once, and you have had it."""

    code = "free_used"


class FreeFull(Refusal):
    """All places of the Free plan are taken at the moment."""

    code = "free_full"


class NothingToStop(Refusal):
    """There is no Free plan to stop."""

    code = "nothing_to_stop"


class NoCustomer(Refusal):
    """There is no billing to manage yet: nothing was ever paid for."""

    code = "no_customer"


class InvalidSignature(Refusal):
    """The signature does not match."""

    code = "invalid_signature"


class WebhookDisabled(Refusal):
    """No webhook secret is configured, so nothing can be trusted."""

    code = "webhook_disabled"


class UpstreamUnavailable(Refusal):
    """Something we depend on does not answer. Please try again in a moment."""

    code = "upstream_unavailable"


class Temporary(DomainError):
    """May work later: an outage, a throttle, a time-out. The message is for operators."""


class Permanent(DomainError):
    """Will not work until somebody changes something. The message is for operators."""


class Waiting(DomainError):
    """Something short is under way (a namespace that is Terminating): look again in seconds."""


class Conflict(DomainError):
    """Somebody else wrote the record meanwhile: read it again and start over."""


class Misconfigured(DomainError):
    """Settings or the catalogue are wrong; the message names every one at once."""


class Changed(Temporary):
    """An object was changed by somebody else since it was looked at."""


class UpstreamBroken(Temporary):
    """It answered with a failure of its own, which it may repeat for the same idempotency key."""


class CustomerGone(DomainError):
    """The Stripe customer on the record was deleted."""


class SessionClosed(DomainError):
    """The checkout session is no longer open: it was paid, or it expired."""


class AccountExists(DomainError):
    """The address has an account already; never told to whoever asks."""
