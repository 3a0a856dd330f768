"""The table of docs/lifecycle.md, told by the code itself: `python -m tests.lifecycle` prints it."""

import sys
from dataclasses import replace
from pathlib import Path

import chalicelib
from chalicelib.domain import catalogue_file
from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.decision import decide, standing_of
from chalicelib.domain.record import Billing, Checkout, FreeGrant, Hold, Record, User
from chalicelib.domain.status import status_of
from chalicelib.domain.subscription import CheckoutSession, Item, Subscription, Truth

PAGE = Path(__file__).parents[1] / "docs/lifecycle.md"
BEGIN, END = "<!-- the table: told by tests/lifecycle.py -->", "<!-- the table ends -->"
HEAD = ("truth", "on the record", "what the customer reads", "the tenant")
NOW = 1_800_000_000
DAY = 24 * 3600
USER = User(issuer="https://issuer.example", subject="u-1")
READY = {"phase": "running", "ready_since": NOW - 90 * DAY, "applied": "0" * 16}
NEVER = {}
OPEN = Checkout(
    plan_id="basic", nonce="n", params={}, started_at=NOW - 60, session_id="cs_1",
    expires_at=NOW + DAY,
)  # fmt: skip
FREE = {"free": FreeGrant(started_at=NOW - DAY), "free_until": NOW + 29 * DAY}
FREE_OVER = {"free": FreeGrant(started_at=NOW - 31 * DAY, ended_at=NOW - DAY)}


def sub(status: str, plan: str = "basic", **facts: object) -> Truth:
    """One subscription, as Stripe lists it."""
    usual = {
        "id": "sub_1", "created": NOW - 40 * DAY, "product_id": f"arm-engine-dev-{plan}",
        "current_period_end": NOW + 20 * DAY,
    }  # fmt: skip
    return Truth(subscriptions=(Subscription(status=status, **(usual | facts)),))  # type: ignore[arg-type]


def session(status: str, **facts: object) -> Truth:
    """No subscription, and the recorded checkout's session."""
    found = CheckoutSession(id="cs_1", status=status, url=None, expires_at=NOW, **facts)  # type: ignore[arg-type]
    return Truth(session=found)


def judged(opened: tuple[str, ...] = (), lost: tuple[str, ...] = ()) -> Truth:
    """An active subscription, and how the disputes on record stand."""
    return replace(sub("active"), open_disputes=opened, lost_disputes=lost)


ACTIVE = sub("active")
LIVES = [
    ("nothing was ever bought", NEVER, Truth()),
    ("a checkout is open", {"checkout": OPEN}, session("open")),
    ("a checkout has expired", {"checkout": OPEN}, session("expired")),
    (
        "paid, the subscription not seen yet",
        {"checkout": OPEN, "paid_session": "cs_1"},
        session("complete", paid=True),
    ),
    ("active, for the first time", NEVER, sub("active")),
    ("active; renewed", READY, sub("active")),
    ("trialing", READY, sub("trialing", "pro", trialed_at=NOW - DAY)),
    ("active on another plan", READY, sub("active", "pro")),
    ("to end with its period", READY, sub("active", cancel_at_period_end=True)),
    ("past_due, within grace", READY, sub("past_due")),
    ("past_due, beyond grace", READY | {"grace_until": NOW - 1}, sub("past_due")),
    ("unpaid", READY | {"grace_until": NOW - 1}, sub("unpaid")),
    ("paused: a trial ended, and there was nothing to pay with", READY, sub("paused")),
    ("collection paused, by the merchant", READY, sub("active", collection_paused=True)),
    ("an upgrade whose difference was declined", READY | {"billing": Billing(
        subscription=replace(ACTIVE.subscriptions[0], paid_product_id="arm-engine-dev-basic"))}, sub("past_due", "pro")),
    ("an item of ours and one of another product", READY, Truth(subscriptions=(replace(
        ACTIVE.subscriptions[0], items=(Item(product_id="prod_addon"), Item(
            product_id="arm-engine-dev-pro"))),))),
    ("its plan charged five times", READY, Truth(subscriptions=(replace(
        ACTIVE.subscriptions[0], items=(Item(
            product_id="arm-engine-dev-pro", quantity=5),)),))),
    ("two plans of ours in one", READY, Truth(subscriptions=(replace(
        ACTIVE.subscriptions[0], items=(Item(product_id="arm-engine-dev-pro"), Item(
            product_id="arm-engine-dev-basic"))),))),
    ("canceled, within retention", READY, sub("canceled", ended_at=NOW - DAY)),
    (
        "canceled, beyond retention, and something live that cannot be read",
        READY | {"phase": "suspended"},
        Truth(subscriptions=(
            *sub("canceled", ended_at=NOW - 31 * DAY).subscriptions,
            *sub("active", "", id="sub_2", product_id="prod_retainer").subscriptions,
        )),
    ),
    ("canceled, Stripe names no end", READY, sub("canceled")),
    ("canceled, beyond retention", READY, sub("canceled", ended_at=NOW - 31 * DAY)),
    ("a deletion is claimed", READY | {"phase": "deleting"}, sub("canceled", ended_at=NOW - 31 * DAY)),
    (
        "the customer was deleted",
        READY | {"customer_id": "cus_1", "billing": Billing(subscription=ACTIVE.subscriptions[0])},
        Truth(customer_gone=True),
    ),
    ("incomplete: the first payment is under way", NEVER, sub("incomplete")),
    (
        "incomplete, and retention has passed",
        READY | {"phase": "suspended"},
        Truth(subscriptions=(
            *sub("canceled", ended_at=NOW - 31 * DAY).subscriptions,
            *sub("incomplete", id="sub_2").subscriptions,
        )),
    ),
    ("incomplete_expired", NEVER, sub("incomplete_expired")),
    ("a dispute is open", READY | {"disputes": ("dp_1",)}, judged(opened=("dp_1",))),
    ("an inquiry, or a dispute that was won", READY | {"disputes": ("dp_1",)}, judged()),
    ("a dispute was lost", READY | {"disputes": ("dp_1",)}, judged(lost=("dp_1",))),
    ("held by an operator", READY | {"hold": Hold(reason="abuse", since=1)}, sub("active")),
    ("Free stands", READY | FREE, Truth()),
    ("Free stands, and a paid plan beside it", READY | FREE, sub("active")),
    ("Free stands, a paid plan has ended", READY | FREE, sub("canceled", ended_at=NOW - DAY)),
    ("Free was stopped, or has run out", READY | FREE_OVER, Truth()),
    ("two live subscriptions", READY, Truth(subscriptions=(
        *sub("past_due", id="sub_0").subscriptions, *sub("active").subscriptions))),
    ("a product that is not in plans.toml, paid for", READY, sub("active", "gold")),
    ("a product that is not in plans.toml, unpaid", READY, sub("unpaid", "gold")),
]  # fmt: skip
"""In words, what stands on the record, and what Stripe says now."""


def rows(catalogue: Catalogue) -> list[tuple[str, ...]]:
    """What the code makes of each."""
    return [_row(words, facts, truth, catalogue) for words, facts, truth in LIVES]


def _row(
    words: str, facts: dict[str, object], truth: Truth, catalogue: Catalogue
) -> tuple[str, ...]:
    before = Record(tenant_id=USER.tenant_id, user=USER, **facts)  # type: ignore[arg-type]
    decision = decide(before, truth, NOW, catalogue, "dev")
    record = decision.record
    shown = status_of(record, NOW, catalogue, "dev")
    standing = standing_of(record, NOW, catalogue, "dev")
    active = "active" if shown["active"] else "not active"
    reads = [f"`{shown['status']}`, {active}, plan {shown['planId'] or '–'}"]
    if shown["cancelAtPeriodEnd"]:
        reads.append("the day it ends")
    if shown["paymentProblem"]:
        reads.append("by when to act")
    if shown["dataKeptUntil"]:
        reads.append("until when data are kept")
    if shown["tenant"]["message"]:
        reads.append("why")
    plan = f", {standing.plan_id}'s quota" if standing.wanted == "running" else ""
    return words, _facts(before, record), "; ".join(reads), standing.wanted + plan


def _facts(before: Record, record: Record) -> str:
    found = []
    if record.subscription:
        found.append(f"subscription {record.subscription.status}")
    for name, there in (
        ("incomplete", record.billing.incomplete),
        ("duplicates", record.billing.duplicates),
        ("checkout", record.checkout),
        ("paid_session", record.paid_mark),
        ("free", record.free and record.free.ended_at is None),
        ("free ended", record.free and record.free.ended_at is not None),
        ("grace_until", record.grace_until),
        ("retention_until", record.retention_until),
        ("disputes", record.disputes),
        ("lost_disputes", record.lost_disputes),
        ("unread", record.billing.unread),
        ("hold", record.hold),
        ("phase deleting", record.phase == "deleting"),
        ("trialed_at", record.trialed_at),
        ("customer_generation + 1", record.customer_generation > before.customer_generation),
    ):
        if there:
            found.append(name)
    return ", ".join(found) or "nothing"


def told(catalogue: Catalogue) -> str:
    """The table in Markdown."""
    lines = [HEAD, tuple("---" for _ in HEAD), *rows(catalogue)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shipped() -> Catalogue:
    """The catalogue as it ships."""
    text = (Path(chalicelib.__file__).parent / "plans.toml").read_text("utf-8")
    return catalogue_file.parse(text)


def written() -> str:
    """The table as it stands in the page."""
    return PAGE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0].strip()


if __name__ == "__main__":
    sys.stdout.write(told(shipped()) + "\n")
