"""3-D Secure on the hosted pages: the bank asks its cardholder to confirm, or to say no."""

from flask import Response, request
from markupsafe import Markup

from sandbox.stripe import cards, html
from sandbox.stripe.objects import Obj

REFUSED = (
    "We are unable to authenticate your payment method. Please choose a different payment method "
    "and try again."
)

_QUESTION = Markup("""
<section><h1>Your bank asks you to confirm</h1>
<p>3-D Secure, as a test: confirm this payment, or let it fail.</p>
<form method="post"><button name="authentication" value="complete">Complete</button>
<button class="plain" name="authentication" value="fail">Fail</button></form></section>
""")


class Challenges:
    """The cards whose bank has asked and was not answered yet, by what they are to pay."""

    def __init__(self) -> None:
        self._asked: dict[str, tuple[cards.Card, Obj | None]] = {}

    def answered(self, what: str) -> tuple[cards.Card, Obj | None] | None:
        """The card that this form confirms; None when it confirms none.

        Raises:
            CardRefused: it says no, or nothing was asked.
        """
        answer = request.form.get("authentication")
        if answer is None:
            return None
        asked = self._asked.pop(what, None)
        if asked is None or answer != "complete":
            raise cards.CardRefused(REFUSED)
        return asked

    def ask(self, what: str, card: cards.Card, coupon: Obj | None = None) -> Response:
        """The bank's question, in place of the page."""
        self._asked[what] = (card, coupon)
        return Response(html.page("Confirm your payment", _QUESTION))


def card_of_form(now: int) -> cards.Card:
    """The card that was typed.

    Raises:
        CardRefused: it cannot be tried, or is declined.
    """
    form = request.form
    return cards.read(form.get("card_number", ""), form.get("exp", ""), form.get("cvc", ""), now)
