"""Stripe, through its SDK. The webhook's path does not come here."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, cast

import stripe

from chalicelib.domain.disputes import Verdict, verdict_of
from chalicelib.domain.errors import (
    CustomerGone,
    Permanent,
    SessionClosed,
    Temporary,
    UpstreamBroken,
)
from chalicelib.domain.stripe_event import SUBSCRIBED, StripeEvent, event_of
from chalicelib.domain.subscription import CheckoutSession, Subscription
from chalicelib.gateways.stripe_errors import (
    AlreadyRefunded,
    BadAddress,
    KeyTaken,
    NoSuchCustomer,
    NoSuchThing,
    Refused,
    call,
)
from chalicelib.gateways.stripe_http import FreshKey, StripeHttp
from chalicelib.gateways.stripe_objects import (
    PAUSED_BY_US,
    id_of,
    metadata_of,
    optional,
    session_of,
    subscription_of,
)
from chalicelib.ports import DisputeFound

T = TypeVar("T")

TIMEOUT = 8
"""Seconds; with its retries a call ends before the API's own time, which is 29. The SDK has 80."""

RETRIES = 2
"""The SDK's own default is none."""


class StripeApi:
    """Fits `chalicelib.ports.Payments`. Raises Temporary and Permanent, and what it names."""

    def __init__(
        self,
        secret_key: str,
        *,
        api_base: str | None = None,
        fresh_key: FreshKey = lambda: None,
        deployment: str | None = None,
        http_client: stripe.HTTPClient | None = None,
    ) -> None:
        self._deployment = deployment
        server = api_base or stripe.DEFAULT_API_BASE
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": server},
            max_network_retries=RETRIES,
            http_client=http_client or StripeHttp(server, fresh_key, timeout=TIMEOUT),
        ).v1
        self._prices: dict[str, str] = {}
        self._portal: str | None = None

    def subscriptions(self, customer_id: str) -> tuple[Subscription, ...]:
        """All of a customer's subscriptions, ended ones too: one call up to a hundred of them."""
        found = self._of_customer(
            customer_id,
            lambda: list(
                self._client.subscriptions.list(
                    {"customer": customer_id, "status": "all", "limit": 100}
                ).auto_paging_iter()
            ),
        )
        return tuple(subscription_of(s) for s in found)

    def live_subscriptions(self) -> Iterator[tuple[str, Subscription]]:
        """All subscriptions of the account that have not ended, with their customers, by page."""
        page = call(lambda: self._client.subscriptions.list({"limit": 100}))
        while True:
            for found in page.data:
                yield str(id_of(found.customer)), subscription_of(found)
            if not page.has_more:
                return
            page = call(page.next_page)

    def find_customer(self, *, email: str | None, metadata: Mapping[str, str]) -> str | None:
        """A customer with this address and these metadata, if there is one."""
        if not email:
            return None
        found = call(lambda: self._client.customers.list({"email": email, "limit": 100}))
        return next(
            (c.id for c in found.data if metadata.items() <= dict(metadata_of(c)).items()), None
        )

    def create_customer(
        self, *, email: str | None, metadata: Mapping[str, str], idempotency_key: str
    ) -> str:
        """Make a customer; the same key gives the same one."""
        params: dict[str, Any] = {"metadata": dict(metadata)}
        if email:
            params["email"] = email
        try:
            return self._create_customer(params, idempotency_key)
        except BadAddress:
            # It is who pays that counts; the hosted page asks for an address that it can use.
            del params["email"]
            return self._create_customer(params, f"{idempotency_key}-no-email")

    def _create_customer(self, params: Mapping[str, Any], idempotency_key: str) -> str:
        try:
            customer = call(
                lambda: self._client.customers.create(
                    cast("stripe.params.CustomerCreateParams", dict(params)),
                    {"idempotency_key": idempotency_key},
                )
            )
        except KeyTaken as e:
            # Their address has changed since: this key gives no customer for a day.
            raise UpstreamBroken(str(e)) from e
        return customer.id

    def price_id(self, lookup_key: str) -> str:
        """The id of an active price; remembered until a session with it is refused."""
        if lookup_key not in self._prices:
            found = call(
                lambda: self._client.prices.list({"lookup_keys": [lookup_key], "active": True})
            )
            if not found.data:
                raise Permanent(f"Stripe has no active price {lookup_key}: push the catalogue")
            self._prices[lookup_key] = found.data[0].id
        return self._prices[lookup_key]

    def create_session(self, params: Mapping[str, Any], idempotency_key: str) -> CheckoutSession:
        """Make a checkout session, or get the one that the same call made before."""
        try:
            created = self._of_customer(
                str(params["customer"]),
                lambda: self._client.checkout.sessions.create(
                    cast("stripe.params.checkout.SessionCreateParams", dict(params)),
                    {"idempotency_key": idempotency_key},
                ),
            )
        except Permanent:
            self._prices.clear()  # a price may have been replaced since it was looked up
            raise
        return session_of(created)

    def session(self, session_id: str) -> CheckoutSession | None:
        """A checkout session as it is now; None when Stripe does not know it."""
        try:
            found = call(
                lambda: self._client.checkout.sessions.retrieve(
                    session_id, {"expand": ["customer", "line_items"]}
                )
            )
        except NoSuchThing:
            return None
        return session_of(found)

    def expire_session(self, session_id: str) -> None:
        """Expire an open session; SessionClosed when it is not open any more."""
        try:
            call(lambda: self._client.checkout.sessions.expire(session_id))
        except (Refused, NoSuchThing) as e:
            raise SessionClosed(str(e)) from e

    def expire_open_sessions(self, customer_id: str, *, but: str | None = None) -> None:
        """Expire those of our sessions that can still be paid, but for those of one nonce."""
        found = self._of_customer(
            customer_id,
            lambda: list(
                self._client.checkout.sessions.list(
                    {"customer": customer_id, "status": "open", "limit": 100}
                ).auto_paging_iter()
            ),
        )
        for session in found:
            metadata = metadata_of(session)
            # What an operator sells the same customer by a session of their own is not ours.
            is_ours = metadata.get("deployment") == self._deployment
            if is_ours and (but is None or metadata.get("checkout") != but):
                self.expire_session(session.id)

    def portal_url(self, customer_id: str, return_url: str) -> str:
        """Where a customer manages their billing."""
        configuration = self._portal_configuration()
        session = self._of_customer(
            customer_id,
            lambda: self._client.billing_portal.sessions.create(
                {
                    "customer": customer_id,
                    "return_url": return_url,
                    "configuration": configuration,
                }
            ),
        )
        return session.url

    def _portal_configuration(self) -> str:
        """The configuration that was pushed with the catalogue; remembered once it was found."""
        if self._portal is None:
            found = call(
                lambda: list(
                    self._client.billing_portal.configurations.list(
                        {"active": True, "limit": 100}
                    ).auto_paging_iter()
                )
            )
            ours = [c.id for c in found if metadata_of(c).get("deployment") == self._deployment]
            if not ours:
                raise Permanent(f"Stripe has no portal for {self._deployment}: push the catalogue")
            self._portal = ours[0]
        return self._portal

    def dispute_of(self, event_id: str) -> DisputeFound | None:
        """Whom a dispute's event concerns: the event names the charge, the charge its customer."""
        try:
            event = call(lambda: self._client.events.retrieve(event_id))
            dispute = call(
                lambda: self._client.disputes.retrieve(
                    event.data.object["id"], {"expand": ["charge"]}
                )
            )
        except NoSuchThing:
            return None
        charge: Any = dispute.charge
        return DisputeFound(
            dispute_id=dispute.id,
            customer_id=id_of(optional(charge, "customer")),
            open=verdict_of(dispute.status) in {"open", "lost"},
        )

    def verdict(self, dispute_id: str) -> Verdict:
        """How a dispute stands; one that Stripe does not know any more is over."""
        try:
            found = call(lambda: self._client.disputes.retrieve(dispute_id))
        except NoSuchThing:
            return "over"
        return verdict_of(found.status)

    def pause_collection(self, subscription_id: str) -> None:
        """Void the invoices of the time to come, marked as ours; one that has ended needs none."""
        self._update(
            subscription_id,
            {
                "pause_collection": {"behavior": "void"},
                "metadata": {PAUSED_BY_US: self._deployment or "us"},
            },
        )

    def resume_collection(self, subscription_id: str) -> None:
        """Lift a pause of ours; one that has ended needs none."""
        # An empty text is how Stripe unsets a field.
        self._update(subscription_id, {"pause_collection": "", "metadata": {PAUSED_BY_US: ""}})

    def _update(self, subscription_id: str, params: Mapping[str, Any]) -> None:
        try:
            call(
                lambda: self._client.subscriptions.update(
                    subscription_id,
                    cast("stripe.params.SubscriptionUpdateParams", dict(params)),
                )
            )
        except NoSuchThing:
            return  # Stripe's word for one that is canceled

    def void_open_invoices(self, subscription_id: str) -> tuple[int, ...]:
        """Void what an ended subscription still asks for; the amounts, in the smallest unit."""
        invoices = call(
            lambda: list(
                self._client.invoices.list(
                    {"subscription": subscription_id, "status": "open", "limit": 100}
                ).auto_paging_iter()
            )
        )
        # What is paid by transfer is a claim that somebody follows up by hand.
        asked = [i for i in invoices if optional(i, "collection_method") != "send_invoice"]
        voided = [i.amount_remaining for i in asked if i.id and self._void(i.id)]
        return tuple(voided)

    def _void(self, invoice_id: str) -> bool:
        try:
            call(lambda: self._client.invoices.void_invoice(invoice_id))
        except Refused:
            return False  # it was paid, or voided, meanwhile
        return True

    def cancel_subscription(self, subscription_id: str) -> None:
        """End it now, without a bill for the rest; one that has ended already is fine."""
        try:
            call(
                lambda: self._client.subscriptions.cancel(
                    subscription_id, {"invoice_now": False, "prorate": False}
                )
            )
        except NoSuchThing:
            return  # Stripe's word for one that is canceled

    def refund_subscription(self, subscription_id: str, *, since: int) -> int:
        """Give back what it charged since then (epoch seconds); how much, in the smallest unit."""
        invoices = call(
            lambda: list(
                self._client.invoices.list(
                    {
                        "subscription": subscription_id,
                        "status": "paid",
                        "created": {"gte": since},
                        "limit": 100,
                    }
                ).auto_paging_iter()
            )
        )
        return sum(self._refund_invoice(i.id) for i in invoices if i.amount_paid and i.id)

    def _refund_invoice(self, invoice_id: str) -> int:
        payments = call(
            lambda: self._client.invoice_payments.list({"invoice": invoice_id, "status": "paid"})
        )
        return sum(self._refund(p.payment, invoice_id) for p in payments.data)

    def _refund(self, payment: Any, invoice_id: str) -> int:  # noqa: ANN401 - an InvoicePayment's
        """A charge can be refunded whole only once: Stripe itself refuses the second time."""
        paid_by = {kind: id_of(optional(payment, kind)) for kind in ("payment_intent", "charge")}
        kind, paid = next(((k, v) for k, v in paid_by.items() if v), ("", None))
        if paid is None:
            raise Permanent(f"{invoice_id} was not paid through Stripe: give it back by hand")
        try:
            made = call(
                lambda: self._client.refunds.create(
                    cast("stripe.params.RefundCreateParams", {kind: paid, "reason": "duplicate"}),
                    {"idempotency_key": f"refund-{paid}"},
                )
            )
        except AlreadyRefunded:
            return 0
        return made.amount

    def undelivered_events(self, since: int, until: int) -> Iterator[StripeEvent]:
        """Events made in that time that an endpoint has not taken, the newest first, by page."""
        page = call(
            lambda: self._client.events.list(
                {
                    "delivery_success": False,
                    "created": {"gte": since, "lte": until},
                    "types": sorted(SUBSCRIBED),
                    "limit": 100,
                }
            )
        )
        while True:
            for event in page.data:
                yield event_of(event.to_dict())
            if not page.has_more:
                return
            page = call(page.next_page)

    def _of_customer(self, customer_id: str, request: Callable[[], T]) -> T:
        """A request that names a customer: one that Stripe does not find may have been deleted.

        Raises:
            CustomerGone: it was.
            Temporary: this account never had it, so the key is another account's, or another
                mode's: nobody's tenant may be ended for that.
        """
        try:
            return call(request)
        except NoSuchCustomer as e:
            try:
                there = call(lambda: self._client.customers.retrieve(customer_id))
            except NoSuchThing:
                raise Temporary(
                    f"Stripe has never had the customer {customer_id}: does the key belong to "
                    "another account, or to another mode?"
                ) from e
            if optional(there, "deleted"):
                raise CustomerGone(str(e)) from e
            raise Temporary(f"Stripe is not of one mind about the customer {customer_id}") from e
