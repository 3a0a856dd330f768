"""The hosted checkout page."""

from flask import Blueprint, Response, redirect, request
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from chalicelib.domain import money
from sandbox.stripe import cards, checkout, coupons, html
from sandbox.stripe.challenges import Challenges, card_of_form
from sandbox.stripe.errors import Refusal
from sandbox.stripe.objects import Obj
from sandbox.stripe.state import Stripe

_FORM = Markup("""
<section><h1>Subscribe to {name}</h1><p><span class="price">{price}</span>
<span class="soft">per {interval}</span></p></section>
<section><h2 style="font-size:1rem;margin:0">Pay with card</h2>{refused}
<form method="post" autocomplete="off">{fields}{code}
<button type="submit">Subscribe</button></form>
<p class="soft">Test card: 4242 4242 4242 4242, any future date, any security code.
4000 0000 0000 0002 is declined; 4000 0000 0000 0341 pays now and fails on renewal;
4000 0025 0000 3155 is confirmed once, 4000 0027 6000 3184 each time;
4000 0000 0000 0259 is disputed, 4000 0000 0000 1976 inquired about.
The bank account 000123456789 pays in four days, 000222222227 turns out to be empty.</p>
{back}</section>
""")


_CODE = Markup("""
<label for="promotion_code">Promotion code (optional)</label>
<input id="promotion_code" name="promotion_code" autocomplete="off">
""")


def hosted_pages(stripe: Stripe) -> Blueprint:
    """`/c/pay/<session>`: the form, and what it is posted to."""
    pages, challenges = Blueprint("pay", __name__), Challenges()

    @pages.get("/c/pay/<session_id>")
    def show(session_id: str) -> Response:
        return _show(stripe, session_id)

    @pages.post("/c/pay/<session_id>")
    def pay(session_id: str) -> AnyResponse:
        try:
            card, coupon = challenges.answered(session_id) or (None, None)
            if card is None:
                card = card_of_form(stripe.ledger.now())
                typed = request.form.get("promotion_code", "")
                coupon = coupons.coupon_of(stripe.ledger, session_id, typed)
                if card.behaviour in cards.ASKING and _can_be_paid(stripe, session_id):
                    return challenges.ask(session_id, card, coupon)
            session = checkout.complete(stripe.ledger, session_id, card, coupon)
        except (cards.CardRefused, coupons.CodeRefused) as e:
            return _show(stripe, session_id, str(e))
        except Refusal:
            return _show(stripe, session_id)
        target = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id)
        return redirect(target, 303)

    return pages


def _can_be_paid(stripe: Stripe, session_id: str) -> bool:
    with stripe.ledger.lock:
        stripe.catch_up()
        session = stripe.ledger.tables["checkout.session"].get(session_id)
        return (
            session is not None
            and session["status"] == "open"
            and not checkout.unsold(stripe.ledger, session)
        )


def _show(stripe: Stripe, session_id: str, refused: str | None = None) -> Response:
    with stripe.ledger.lock:
        stripe.catch_up()
        session = stripe.ledger.tables["checkout.session"].get(session_id)
        if session is None:
            return Response(html.message("Not found", "There is no such checkout."), 404)
        if session["status"] == "complete":
            target = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id)
            return Response(
                html.message(
                    "You are all done here",
                    "This checkout has been paid. You were not charged again.",
                    (target, "Continue"),
                )
            )
        if session["status"] == "expired":
            back = (session["cancel_url"], "Back to the shop") if session["cancel_url"] else None
            text = "This checkout has expired. You have not been charged; start again at the shop."
            return Response(html.message("This checkout has expired", text, back), 410)
        if checkout.unsold(stripe.ledger, session):
            text = "The page you were looking for could not be found. Contact the merchant."
            return Response(html.message("Something went wrong", text), 404)
        return Response(_form(stripe, session, refused), 402 if refused else 200)


def _form(stripe: Stripe, session: Obj, refused: str | None) -> str:
    lines = stripe.ledger.orders[session["id"]]["lines"]
    names = [stripe.ledger.tables["product"][price["product"]]["name"] for price, _ in lines]
    back = session["cancel_url"]
    return html.page(
        f"Subscribe to {names[0]}",
        _FORM.format(
            name=", ".join(names),
            price=money.shown(session["amount_subtotal"], session["currency"]),
            interval=lines[0][0]["recurring"]["interval"],
            refused=html.refusal(refused),
            fields=html.card_fields(),
            code=_CODE if session["allow_promotion_codes"] else "",
            back=Markup('<p><a href="{}">Back</a></p>').format(back) if back else "",
        ),
    )
