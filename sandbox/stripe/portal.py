"""The hosted page on which a customer manages their billing."""

from datetime import UTC, datetime

from flask import Blueprint, Response, redirect, request
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from chalicelib.domain import money
from sandbox.stripe import cards, changes, html, subscriptions
from sandbox.stripe.configurations import features_of, offered
from sandbox.stripe.errors import Refusal
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.objects import Obj
from sandbox.stripe.periods import period_end
from sandbox.stripe.state import Stripe


def portal_pages(stripe: Stripe) -> Blueprint:
    """`/p/session/<session>`: what there is, and what can be done with it."""
    pages = Blueprint("portal", __name__)

    @pages.get("/p/session/<session_id>")
    def show(session_id: str) -> Response:
        stripe.catch_up()
        return _show(stripe.ledger, session_id)

    @pages.post("/p/session/<session_id>")
    def act(session_id: str) -> AnyResponse:
        ledger = stripe.ledger
        with ledger.lock:
            stripe.catch_up()
            session = ledger.tables["billing_portal.session"].get(session_id)
            mine = ledger.tables["subscription"].get(request.form.get("subscription", ""))
            if session is None or mine is None or mine["customer"] != session["customer"]:
                return _show(ledger, session_id, "There is no such subscription.")
            if mine["status"] in subscriptions.LIVE:
                action = request.form.get("action", "")
                try:
                    with ledger.at(ledger.time_of(mine["customer"])):
                        _act(ledger, mine, action, features_of(ledger, session))
                except (cards.CardRefused, Refusal) as e:
                    return _show(ledger, session_id, str(e))
        return redirect(f"/p/session/{session_id}", 303)

    return pages


def _act(ledger: Ledger, subscription: Obj, action: str, features: Obj) -> None:
    """Do what the configuration allows; a form that was made up changes nothing."""
    ending = features["subscription_cancel"]
    if action == "cancel" and ending["enabled"]:
        if ending["mode"] == "at_period_end":
            subscriptions.set_cancellation(ledger, subscription, at_period_end=True)
        else:
            subscriptions.cancel(ledger, subscription)
    elif action == "resume":
        subscriptions.set_cancellation(ledger, subscription, at_period_end=False)
    elif (
        action == "switch"
        and _has_one(subscription)
        and offered(features, request.form.get("price", ""))
    ):
        price = ledger.tables["price"][request.form["price"]]
        line = subscription["items"]["data"][0]
        changes.switch_in_portal(ledger, subscription, line, price, features["subscription_update"])
    elif action == "card" and features["payment_method_update"]["enabled"]:
        _new_card(ledger, subscription)


def _has_one(subscription: Obj) -> bool:
    """Stripe's portal changes no subscription of several items."""
    return len(subscription["items"]["data"]) == 1


def _new_card(ledger: Ledger, subscription: Obj) -> None:
    """Kept for what comes, and tried at once on what is owed."""
    form = request.form
    card = cards.read(
        form.get("card_number", ""), form.get("exp", ""), form.get("cvc", ""), ledger.now()
    )
    method = cards.payment_method(ledger, card, subscription["customer"])["id"]
    ledger.change(subscriptions.UPDATED, subscription, default_payment_method=method)
    customer = ledger.tables["customer"][subscription["customer"]]
    settings = customer["invoice_settings"] | {"default_payment_method": method}
    ledger.change("customer.updated", customer, invoice_settings=settings)
    subscriptions.pay_open(ledger, subscription)


def _show(ledger: Ledger, session_id: str, refused: str | None = None) -> Response:
    with ledger.lock:
        session = ledger.tables["billing_portal.session"].get(session_id)
        if session is None:
            return Response(html.message("Not found", "There is no such billing session."), 404)
        found = list(ledger.all("subscription", customer=session["customer"]))
        features = features_of(ledger, session)
        parts = [_subscription(ledger, each, features) for each in found]
        back = session["return_url"]
        body = Markup("<section><h1>Your billing</h1>{}{}</section>{}{}").format(
            html.refusal(refused),
            "" if parts else Markup("<p>There is no subscription.</p>"),
            Markup("").join(parts),
            _invoices(ledger, session) if features["invoice_history"]["enabled"] else "",
        )
        if back:
            body += Markup('<p><a href="{}">Back to the shop</a></p>').format(back)
        return Response(html.page("Your billing", body), 402 if refused else 200)


def _subscription(ledger: Ledger, subscription: Obj, features: Obj) -> Markup:
    lines = subscription["items"]["data"]
    price = lines[0]["price"]
    total = sum(line["price"]["unit_amount"] * line["quantity"] for line in lines)
    names = [ledger.tables["product"][line["price"]["product"]]["name"] for line in lines]
    head = Markup("<h2>{}</h2><p>{} per {} <span class=soft>{}</span></p>").format(
        ", ".join(names),
        money.shown(total, price["currency"]),
        price["recurring"]["interval"],
        _state(subscription),
    )
    if subscription["status"] not in subscriptions.LIVE:
        return Markup("<section>{}</section>").format(head)
    forms = [
        *_ending(subscription, features["subscription_cancel"]),
        *(
            _button(subscription, "switch", f"Switch to {name}", other["id"])
            for name, other in _other_prices(ledger, price, features)
            if _has_one(subscription)
        ),
    ]
    if features["payment_method_update"]["enabled"]:
        forms.append(
            Markup('<form method="post" autocomplete="off">{}{}{}</form>').format(
                _hidden(subscription),
                html.card_fields(),
                Markup('<button name="action" value="card">Use this card</button>'),
            )
        )
    return Markup("<section>{}{}</section>").format(head, Markup("").join(forms))


def _ending(subscription: Obj, feature: Obj) -> list[Markup]:
    if subscription["cancel_at_period_end"]:
        return [_button(subscription, "resume", "Keep the subscription")]
    if not feature["enabled"]:
        return []
    label = (
        "Cancel at the end of the period" if feature["mode"] == "at_period_end" else "Cancel now"
    )
    return [_button(subscription, "cancel", label)]


def _invoices(ledger: Ledger, session: Obj) -> Markup:
    lines = [
        Markup('<li>{} <a href="{}">{}</a> <span class=soft>{}</span></li>').format(
            f"{datetime.fromtimestamp(invoice['created'], UTC):%-d %B %Y}",
            f"/i/{invoice['id']}",
            money.shown(invoice["total"], invoice["currency"]),
            invoice["status"],
        )
        for invoice in ledger.all("invoice", customer=session["customer"])
    ]
    return Markup("<section><h2>Invoices</h2><ul>{}</ul></section>").format(Markup("").join(lines))


def _state(subscription: Obj) -> str:
    end = datetime.fromtimestamp(period_end(subscription), UTC)
    if subscription["status"] == "canceled":
        return "ended"
    if subscription["cancel_at_period_end"]:
        return f"ends on {end:%-d %B %Y}"
    if subscription["status"] in {"past_due", "unpaid"}:
        return "the last payment failed"
    return f"renews on {end:%-d %B %Y}"


def _other_prices(ledger: Ledger, current: Obj, features: Obj) -> list[tuple[str, Obj]]:
    """What the configuration lets a customer move to."""
    return [
        (_name(ledger, price), price)
        for price in ledger.all("price", active=True, type="recurring")
        if price["id"] != current["id"] and offered(features, price["id"])
    ]


def _name(ledger: Ledger, price: Obj) -> str:
    name = ledger.tables["product"][price["product"]]["name"]
    return f"{name} ({price['recurring']['interval']}ly)"


def _hidden(subscription: Obj) -> Markup:
    return Markup('<input type="hidden" name="subscription" value="{}">').format(subscription["id"])


def _button(subscription: Obj, action: str, label: str, price: str = "") -> Markup:
    return Markup(
        '<form method="post">{}<input type="hidden" name="price" value="{}">'
        '<button class="plain" name="action" value="{}">{}</button></form>'
    ).format(_hidden(subscription), price, action, label)
