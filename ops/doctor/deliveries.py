"""Which of the events that Stripe lists as undelivered never reached us.

Stripe lists what *an* endpoint of the account has not taken: another one that is dead makes it list
all that we took. So each is looked for in the table, where whatever was taken stands.
"""

from collections.abc import Iterable

import stripe

from chalicelib.domain.stripe_event import StripeEvent
from chalicelib.gateways.dynamodb import DynamoDb
from chalicelib.gateways.nudges import NudgeTable
from ops.gateways.ledger import Ledger


class Deliveries:
    """A stage's table, asked whether an event came."""

    def __init__(self, client: stripe.StripeClient, db: DynamoDb) -> None:
        self._stripe = client
        self._nudges = NudgeTable(db)
        self._ledger = Ledger(db)

    def missing(self, events: Iterable[StripeEvent], deployment: str) -> list[StripeEvent]:
        """Those that concern a tenant of ours, and stand nowhere."""
        return [event for event in events if self._is_missing(event, deployment)]

    def _is_missing(self, event: StripeEvent, deployment: str) -> bool:
        if not event.concerns_us or event.account or event.deployment not in {None, deployment}:
            return False
        if event.hides_its_customer and self._nudges.kept_event(event.id):
            return False  # taken; the worker looks whose it is
        whose = self._whose(event)
        return bool(whose) and not any(
            self._ledger.has_line(tenant_id, event.created, event.id) for tenant_id in whose
        )

    def _whose(self, event: StripeEvent) -> list[str]:
        """The tenants that it may have been noted for; none when it concerns nobody of ours."""
        customer = event.customer_id
        if event.hides_its_customer:
            customer = self._of_dispute(event.id)
        named = [event.tenant_id, self._nudges.tenant_of(customer) if customer else None]
        return [t for t in dict.fromkeys(named) if t and self._ledger.has_record(t)]

    def _of_dispute(self, event_id: str) -> str | None:
        """A dispute names its charge, and the charge its customer."""
        event = self._stripe.v1.events.retrieve(event_id)
        charge_id = event.to_dict()["data"]["object"].get("charge")
        if not isinstance(charge_id, str):
            return None
        customer = self._stripe.v1.charges.retrieve(charge_id).customer
        return customer if isinstance(customer, str | None) else customer.id
