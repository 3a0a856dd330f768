"""A Stripe account of its own in memory: the official SDK, the hosted pages, and time that is moved."""

from urllib.parse import urlsplit

import stripe
from flask import Flask

from sandbox.stripe import cards, checkout
from sandbox.stripe.invoice_page import invoice_pages
from sandbox.stripe.pages import hosted_pages
from sandbox.stripe.portal import portal_pages
from sandbox.stripe.state import Stripe
from sandbox.stripe.transport import InMemory

DAY = 86_400
START = 1_780_315_200  # 1 June 2026, noon (UTC): a month of 30 days
CARDS = {
    "pays": "4242424242424242",
    "declined": "4000000000000002",
    "fails later": "4000000000000341",
    "asks once": "4000002500003155",
    "always asks": "4000002760003184",
    "inquiry": "4000000000001976",
    "disputed": "4000000000000259",
}


class Alone:
    """The account; prices are made as they are asked for."""

    def __init__(self):
        self.now = START
        self.state = Stripe(lambda: self.now)
        self.ledger = self.state.ledger
        self.sdk = self.client("sk_test_alone")
        pages = Flask("hosted")
        for each in (hosted_pages, portal_pages, invoice_pages):
            pages.register_blueprint(each(self.state))
        self.browser = pages.test_client()

    def client(self, key):
        """The SDK with a key."""
        return stripe.StripeClient(key, http_client=InMemory(self.state)).v1

    def price(self, product, amount, interval="month", currency="usd", count=1):
        """A price, and its product where it is new."""
        if product not in self.ledger.tables["product"]:
            self.sdk.products.create({"id": product, "name": product.title()})
        return self.sdk.prices.create({
            "product": product, "unit_amount": amount, "currency": currency,
            "recurring": {"interval": interval, "interval_count": count},
        }).id  # fmt: skip

    def customer(self, card="pays", **more):
        """A customer with a card that is there to pay."""
        made = self.sdk.customers.create({"email": "ada@example.com", **more}).id
        self.give(made, card)
        return made

    def give(self, customer, card):
        """Another card for a customer."""
        with self.ledger.at(self.ledger.time_of(customer)):
            read = cards.read(CARDS[card], "12/40", "123", self.ledger.now())
            method = cards.payment_method(self.ledger, read, customer)["id"]
        self.sdk.customers.update(
            customer, {"invoice_settings": {"default_payment_method": method}}
        )
        return method

    def subscribe(self, customer, *prices, **more):
        """A subscription to these prices, in this order."""
        items = [p if isinstance(p, dict) else {"price": p} for p in prices]
        return self.sdk.subscriptions.create({"customer": customer, "items": items, **more})

    def session(self, price, **more):
        """An open checkout session."""
        return self.sdk.checkout.sessions.create({
            "mode": "subscription", "success_url": "https://shop.example/ok",
            "line_items": [{"price": price, "quantity": 1}], **more,
        })  # fmt: skip

    def buy(self, price, card="pays", **more):
        """A subscription that was bought at checkout."""
        session = self.session(price, **more)
        read = cards.read(CARDS[card], "12/40", "123", self.now)
        done = checkout.complete(self.ledger, session.id, read)
        return self.sdk.subscriptions.retrieve(done["subscription"])

    def fill_in(self, url, card="pays", **form):
        """Send a card in from a hosted page."""
        card_form = {"card_number": CARDS[card], "exp": "12/40", "cvc": "123"}
        return self.browser.post(urlsplit(url).path, data=card_form | form)

    def advance(self, seconds):
        """Time goes on, and what falls due on the way happens at its moment."""
        target = self.now + seconds
        while (due := self.state.next_due()) is not None and due <= target:
            self.now = max(self.now, due)
            self.state.catch_up()
        self.now = target
        self.state.catch_up()

    def types(self, prefix=""):
        """The types of all events, oldest first."""
        types = [e["type"] for e in self.ledger.tables["event"].values()]
        return [t for t in types if t.startswith(prefix)]

    def invoices(self, subscription, **more):
        """A subscription's invoices, newest first."""
        return self.sdk.invoices.list({"subscription": subscription, **more}).data
