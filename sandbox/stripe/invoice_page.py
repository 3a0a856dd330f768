"""The hosted page of an invoice: what is owed can be paid there, whatever became of the rest."""

from flask import Blueprint, Response, redirect
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from chalicelib.domain import money
from sandbox.stripe import cards, html, subscriptions
from sandbox.stripe.challenges import Challenges, card_of_form
from sandbox.stripe.objects import Obj
from sandbox.stripe.state import Stripe

_FORM = Markup("""
<section><h1>Invoice {number}</h1><p><span class="price">{amount}</span></p>
<ul>{lines}</ul></section>
<section><h2 style="font-size:1rem;margin:0">Pay with card</h2>{refused}
<form method="post" autocomplete="off">{fields}<button type="submit">Pay</button></form></section>
""")
_SAID = {
    "paid": "This invoice is paid. Thank you.",
    "void": "This invoice was voided. There is nothing to pay.",
}
PAYABLE = frozenset({"open", "uncollectible"})


def invoice_pages(stripe: Stripe) -> Blueprint:
    """`/i/<invoice>`: the form, and what it is posted to."""
    pages, challenges = Blueprint("invoice", __name__), Challenges()

    @pages.get("/i/<invoice_id>")
    def show(invoice_id: str) -> Response:
        return _show(stripe, invoice_id)

    @pages.post("/i/<invoice_id>")
    def pay(invoice_id: str) -> AnyResponse:
        ledger = stripe.ledger
        with ledger.lock:
            stripe.catch_up()
            invoice = ledger.tables["invoice"].get(invoice_id)
            if invoice is None or invoice["status"] not in PAYABLE:
                return _show(stripe, invoice_id)
            with ledger.at(ledger.time_of(invoice["customer"])):
                try:
                    card, _ = challenges.answered(invoice_id) or (None, None)
                    if card is None:
                        card = card_of_form(ledger.now())
                        if card.behaviour in cards.ASKING:
                            return challenges.ask(invoice_id, card)
                    _pay(stripe, invoice, card)
                except cards.CardRefused as e:
                    return _show(stripe, invoice_id, str(e))
        return redirect(f"/i/{invoice_id}", 303)

    return pages


def _pay(stripe: Stripe, invoice: Obj, card: cards.Card) -> None:
    ledger = stripe.ledger
    if invoice["customer"] not in ledger.tables["customer"]:
        raise cards.CardRefused("This invoice's customer was deleted.")
    method = cards.payment_method(ledger, card, invoice["customer"])
    subscriptions.retry(ledger, invoice, method_id=method["id"], present=True)
    if invoice["status"] != "paid" and invoice["id"] not in ledger.settling:
        raise cards.CardRefused("Your card was declined.")


def _show(stripe: Stripe, invoice_id: str, refused: str | None = None) -> Response:
    with stripe.ledger.lock:
        stripe.catch_up()
        invoice = stripe.ledger.tables["invoice"].get(invoice_id)
        if invoice is None or invoice["status"] == "draft":
            return Response(html.message("Not found", "There is no such invoice."), 404)
        if invoice["status"] not in PAYABLE:
            title = f"Invoice {invoice['number']}"
            return Response(html.message(title, _SAID[invoice["status"]]))
        lines = [
            Markup("<li>{} <span class=soft>{}</span></li>").format(
                line["description"], money.shown(line["amount"], line["currency"])
            )
            for line in invoice["lines"]["data"]
        ]
        body = _FORM.format(
            number=invoice["number"],
            amount=money.shown(invoice["amount_remaining"], invoice["currency"]),
            lines=Markup("").join(lines),
            refused=html.refusal(refused),
            fields=html.card_fields(),
        )
        return Response(html.page(f"Invoice {invoice['number']}", body), 402 if refused else 200)
