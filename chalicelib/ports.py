"""What services ask of the outside. Gateways fit these; nothing here says how."""

from __future__ import annotations  # a webhook loads this, and nothing of what it names

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from chalicelib.domain.disputes import Verdict
    from chalicelib.domain.fitting import Over
    from chalicelib.domain.record import Record, User
    from chalicelib.domain.stripe_event import StripeEvent
    from chalicelib.domain.subscription import CheckoutSession, Subscription
    from chalicelib.domain.tenant import Manifest, TenantNamespace
    from chalicelib.domain.timeline import Line

Clock = Callable[[], float]
NewId = Callable[[], str]
Nudged = Literal["nudged", "duplicate", "unknown"]


@dataclass(frozen=True, slots=True)
class Due:
    """Something whose time has come: a tenant, or an event whose tenant is still unknown."""

    tenant_id: str | None
    event_id: str | None
    pending: bool
    attempts: int
    nudged: int
    due_at: int


@dataclass(frozen=True, slots=True)
class DisputeFound:
    """Whose dispute an event is about, as Stripe tells when asked.

    Attributes:
        open: whether it needs a look: it lasts, or was lost. An inquiry, and what is over, do not.
    """

    dispute_id: str
    customer_id: str | None
    open: bool


class Nudges(Protocol):
    """What asks for a look: it reads no record. Temporary when the table cannot be reached."""

    def nudge(
        self,
        tenant_id: str,
        now: int,
        *,
        line: Line | None = None,
        paid_session: str | None = None,
        polled: bool = False,
    ) -> Nudged:
        """Ask for a look, without reading: raise `nudged`, note the line, in one transaction.

        `duplicate`: the line is there already (or, `polled`, the last poll is not 10 seconds
        ago); nothing was changed. `unknown`: there is no such tenant.
        """

    def put_off(self, due: Due, retry_at: int) -> None:
        """Look at a due item again at `retry_at`, unless it changed since it was found."""

    def due(self, now: int) -> Iterator[Due]:
        """Everything whose `due_at` has come."""

    def tenant_of(self, customer_id: str) -> str | None:
        """Whose Stripe customer this is (a consistent read)."""

    def keep_event(self, event_id: str, line: Line, due_at: int) -> None:
        """Keep an event until the worker has found whom it concerns; keeping twice is fine."""

    def kept_event(self, event_id: str) -> Line | None:
        """The line of a kept event, while it is kept."""

    def drop_event(self, event_id: str) -> None:
        """Forget a kept event."""

    def note_dispute(self, tenant_id: str, now: int, line: Line, dispute: DisputeFound) -> Nudged:
        """Put a dispute on the record, or take it off, with its line and a nudge."""


class Records(Nudges, Protocol):
    """The table. Everything raises Temporary when it cannot be reached."""

    def read(self, tenant_id: str) -> Record | None:
        """The record as it is now (a consistent read)."""

    def own(self, user: User) -> Record | None:
        """The same for whoever is signed in, who may not be any more.

        Raises:
            Unauthenticated: the session was ended since this token's log-in.
        """

    def create(self, record: Record) -> None:
        """Write a first record; Conflict when there is one already."""

    def save(  # noqa: PLR0913 - one write, and each of these must be in it or none
        self,
        before: Record,
        after: Record,
        *,
        nudge_at: int | None = None,
        nothing_new: bool = False,
        free_change: int = 0,
        free_cap: int | None = None,
        free_mark: str | None = None,
        lines: Sequence[Line] = (),
    ) -> Record:
        """Write what differs, on condition that nobody decided anything since `before` was read.

        Args:
            before: as it was read; its version is the condition.
            after: as it should be; `version` is raised by one in the writing.
            nudge_at: also nudge, at this moment (epoch seconds).
            nothing_new: also on condition that nothing nudged since (for what is irreversible).
            free_change: how the count of Free grants moves, in the same transaction.
            free_cap: the most grants that may stand; FreeFull when it is reached.
            free_mark: the mark of an address that has Free by this write; FreeUsed when it has
                had it before.
            lines: timeline lines that go with it.

        Returns:
            The record as it now stands. A new `customer_id` gets its pointer in the same write.

        Raises:
            Conflict: somebody else decided meanwhile.
        """

    def conclude(
        self, before: Record, after: Record, *, free_change: int = 0, lines: Sequence[Line] = ()
    ) -> Record:
        """Save as the end of a reconcile: if nudges came meanwhile, their deadlines stay.

        Raises:
            Conflict: somebody else decided meanwhile.
        """

    def note_spent(self, record: Record, busy_until: int) -> None:
        """Note what is left of a budget, on its own, like a nudge; Conflict when it has moved."""

    def swept_until(self) -> int | None:
        """Up to when Stripe's undelivered events were looked at; None before the first time."""

    def note_swept_until(self, at: int) -> None:
        """Note up to when they were looked at."""

    def all(self) -> Iterator[Record]:
        """Every record there is, page by page. For the audit only: nothing else may scan."""


class Queue(Protocol):
    """Keys to tenants that should be looked at; Temporary when it cannot be reached."""

    def send_tenant(self, tenant_id: str) -> None:
        """Ask the worker to look at a tenant."""

    def send_event(self, event_id: str) -> None:
        """Ask the worker to find out whom an event concerns."""

    def look_again_in(self, seconds: int, receipt_handle: str) -> None:
        """Make a message that is being worked on visible again after so many seconds."""


class Payments(Protocol):
    """Stripe. Temporary: may work later; Permanent: will not."""

    def subscriptions(self, customer_id: str) -> tuple[Subscription, ...]:
        """All of a customer's subscriptions, ended ones too; CustomerGone when it was deleted."""

    def find_customer(self, *, email: str | None, metadata: Mapping[str, str]) -> str | None:
        """A customer that an earlier call made and nobody wrote down, if there is one."""

    def create_customer(
        self, *, email: str | None, metadata: Mapping[str, str], idempotency_key: str
    ) -> str:
        """Make a customer; the same key gives the same one."""

    def price_id(self, lookup_key: str) -> str:
        """The id of an active price; Permanent when there is none."""

    def create_session(self, params: Mapping[str, Any], idempotency_key: str) -> CheckoutSession:
        """Make a checkout session, or get the one that the same call made before.

        Raises:
            UpstreamBroken: a 5xx, which Stripe replays under this key.
            Permanent: the parameters are refused, and will be again. A price that was remembered
                is looked up anew for the next call.
            OtherCurrency: this customer has paid in another one.
            CustomerGone: the customer in it was deleted.
        """

    def session(self, session_id: str) -> CheckoutSession | None:
        """A checkout session as it is now, and its customer; None when Stripe knows none."""

    def expire_session(self, session_id: str) -> None:
        """Expire an open session; SessionClosed when it is not open any more."""

    def expire_open_sessions(self, customer_id: str, *, but: str | None = None) -> None:
        """Expire those of our sessions that can still be paid, but for those of one nonce.

        What somebody else sells the same customer is left alone.

        Raises:
            SessionClosed: one of them was paid, or expired, meanwhile.
            CustomerGone: the customer was deleted.
        """

    def portal_url(self, customer_id: str, return_url: str) -> str:
        """Where a customer manages their billing; CustomerGone when it was deleted."""

    def dispute_of(self, event_id: str) -> DisputeFound | None:
        """Whom a dispute's event concerns; None when it is not about a dispute any more."""

    def verdict(self, dispute_id: str) -> Verdict:
        """How a dispute stands; one that Stripe does not know any more is over."""

    def pause_collection(self, subscription_id: str) -> None:
        """Charge nothing from now on: invoices are voided. Marked as ours; repeating is fine."""

    def resume_collection(self, subscription_id: str) -> None:
        """Lift a pause of ours; repeating is fine."""

    def void_open_invoices(self, subscription_id: str) -> tuple[int, ...]:
        """Void what an ended subscription still asks for; the amounts, in the smallest unit."""

    def cancel_subscription(self, subscription_id: str) -> None:
        """End it now, without a bill for the rest; one that has ended already is fine."""

    def refund_subscription(self, subscription_id: str, *, since: int) -> int:
        """Give back what it charged since then (epoch seconds); how much, in the smallest unit.

        What was given back before, by whomever, is not given back twice.
        """

    def undelivered_events(self, since: int, until: int) -> Iterator[StripeEvent]:
        """Events made in that time (epoch seconds, both included) that no endpoint has taken.

        The newest first, page by page; only those of a type that we subscribe to.
        """

    def live_subscriptions(self) -> Iterator[tuple[str, Subscription]]:
        """All subscriptions of the account that have not ended, with their customers, by page."""


class Cluster(Protocol):
    """Kubernetes. Temporary, Permanent; Waiting while a namespace is Terminating."""

    def apply(self, manifests: Sequence[Manifest], owner: Mapping[str, str]) -> None:
        """Make the objects be as given, the namespace first; prune what was applied and has left.

        Who was suspended runs again as before. Permanent when the namespace exists without the
        labels in `owner`: never adopted.
        """

    def suspend(self, manifests: Sequence[Manifest], owner: Mapping[str, str]) -> bool:
        """Apply, and stop what runs, each size remembered; False when there is no namespace.

        Waiting until no pod is left.
        """

    def stop(self, namespace: str, owner: Mapping[str, str]) -> bool:
        """As `suspend`, with what stands there: nothing has to be wanted for it to be stopped."""

    def overuse(self, namespace: str, owner: Mapping[str, str]) -> tuple[Over, ...]:
        """What is used beyond the plan's quota, in one look; () when there is no namespace."""

    def fit(self, namespace: str, owner: Mapping[str, str]) -> tuple[Over, ...]:
        """Make what runs smaller until it fits, each size remembered; what is still too much.

        Volumes and counts of objects are a customer's, and stay. Waiting while pods are ending.
        `apply` gives back what there is room for.
        """

    def stands(self, namespace: str, owner: Mapping[str, str]) -> bool:
        """Whether the namespace is there; Permanent when it is somebody else's."""

    def delete(self, namespace: str, owner: Mapping[str, str]) -> None:
        """Delete the namespace; returns when it is gone, raises Waiting while it goes."""

    def namespaces(self) -> Iterator[TenantNamespace]:
        """Every namespace of ours, page by page as it is asked for, so that it can be bounded."""

    def drift(self, manifests: Sequence[Manifest], owner: Mapping[str, str]) -> list[str]:
        """What is missing or not as given, one text each; Permanent when it is somebody else's.

        One request per object; nothing is changed.
        """


class Subjects(Protocol):
    """Who has an account, for the audit. Temporary, Permanent."""

    def subjects(self) -> Iterator[str]:
        """What tokens call everybody who has one, page by page."""

    def knows(self, subject: str) -> bool:
        """Whether somebody of this subject has one at this moment."""


class Sessions(Protocol):
    """What ends ID tokens before their time. Temporary when the table cannot be reached."""

    def end(self, user: User, at: int) -> None:
        """From now on, tokens of a log-in before `at` (epoch seconds) open nothing."""

    def forget(self, tenant_id: str, until: int) -> None:
        """Let no token of a log-in before then (epoch seconds) open anything, record or not."""


class Accounts(Protocol):
    """The user pool: sign-up, log-in, reset. Refusals as the domain names them."""

    def sign_up(self, email: str, password: str) -> None:
        """Make an account and mail a code; AccountExists, WeakPassword."""

    def withdraw(self, email: str) -> bool:
        """Remove an account whose address nobody has confirmed; False when it is none such."""

    def confirm(self, email: str, code: str) -> None:
        """Confirm an address; InvalidCode."""

    def make_anew(self, email: str, password: str) -> str | None:
        """Put a confirmed account with this password in the place of the one that is there.

        Returns:
            The subject of the one that is gone.

        Raises:
            AccountExists: somebody has signed up in between; theirs is not confirmed.
        """

    def resend(self, email: str) -> None:
        """Mail a new code, if there is somebody to mail it to."""

    def log_in(self, email: str, password: str) -> Mapping[str, str | int]:
        """`token`, `refreshToken`, `expiresIn` (seconds).

        Raises:
            InvalidCredentials: whatever is wrong: unknown, not confirmed, another password.
        """

    def refresh(self, refresh_token: str) -> Mapping[str, str | int]:
        """`token`, `expiresIn` (seconds); Unauthenticated."""

    def log_out(self, refresh_token: str) -> None:
        """Make a refresh token worthless; one that is no good already is."""

    def forgot_password(self, email: str) -> None:
        """Mail a reset code, if there is somebody to mail it to."""

    def reset_password(self, email: str, code: str, password: str) -> None:
        """Set a new password; InvalidCode, WeakPassword."""

    def log_out_everywhere(self, email: str) -> str | None:
        """Make every refresh token of an account worthless; its subject, if there is one."""
