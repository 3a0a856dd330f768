"""What the law asks: everything that is known of somebody, and forgetting it."""

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from chalicelib.domain.errors import Conflict, CustomerGone, DomainError, SessionClosed, Temporary
from chalicelib.domain.record import REMEMBERED, Record, tenant_id_of
from chalicelib.domain.tenant import namespace_of
from ops.desk import Desk
from ops.gateways.pool import Account
from ops.operating import customers
from ops.operating.acting import TRIES, line
from ops.operating.following import News, follow
from ops.operating.standing import detail
from ops.operating.words import in_order, moment, said

KEPT = (
    "Stripe keeps invoices and payments as the law on bookkeeping asks; their customer is gone.",
    "The table's backups keep the record for up to 35 days, and cannot be edited.",
    "That an address has had the Free plan stays for timeline_days of the policy, as a hash of it.",
    "Logs hold a tenant id, which is a hash, and no name or address; they end by their retention.",
)
"""What forgetting does not reach, and why."""

Say = Callable[[str], None]


class NotForgotten(DomainError):
    """It could not be seen through; running it again goes on where it was."""


def export(desk: Desk, record: Record) -> dict[str, Any]:
    """Everything that is known of a customer, as one JSON document."""
    account = desk.pool.by_subject(record.user.subject) if desk.pool else None
    lines = [
        {"at": moment(entry.created), "by": entry.kind, "what": said(entry)}
        for entry in in_order(desk.ledger.lines(record.tenant_id))
    ]
    return {
        "exportedAt": moment(desk.now),
        "account": account and {**account.attributes, "created": account.created},
        "tenant": detail(desk, record),
        "record": asdict(record),
        "timeline": lines,
        "stripe": desk.billing.everything(record.customer_id) if record.customer_id else None,
        "cluster": {
            "namespace": namespace_of(desk.catalogue, record.tenant_id),
            "note": "what runs and is stored in the namespace is the customer's own; "
            "`credentials` gives access to it",
        },
    }


def account_of(desk: Desk, user: str) -> Account | None:
    """The account of somebody who signed up and never bought or started anything."""
    return desk.pool.by_email(user) if desk.pool and "@" in user else None


def export_account(desk: Desk, account: Account) -> dict[str, Any]:
    """Everything that is known of somebody who only signed up."""
    return {
        "exportedAt": moment(desk.now),
        "account": {**account.attributes, "created": account.created},
    }


def forget_account(desk: Desk, account: Account, say: Say) -> None:
    """Remove somebody who only signed up; what they hold of a log-in opens nothing more."""
    if desk.pool:
        tenant_id = tenant_id_of(desk.issuer, account.subject)
        desk.sessions.forget(tenant_id, int(time.time()) + REMEMBERED)
        desk.pool.delete(account)
    say("the account is deleted; there was nothing else")


def forget(desk: Desk, record: Record, patience: float, say: Say) -> None:
    """Remove somebody from everything: Stripe, cluster, account, table; in an order that is safe.

    The account is shut first, and every session ended: nobody gets in meanwhile. Stripe's customer
    next, which ends what is paid for; then the namespace, claimed in the record (from then on
    nothing is sold to them) and deleted by the reconciler, as always. Only when all that can refuse
    is done goes the record; and the account last, since it is what an address is found by. Whatever
    stops it, running it again goes on.

    Raises:
        NotForgotten: the cluster did not let go in time.
        Temporary, Permanent: something did not answer, or refused.
    """
    tenant_id = record.tenant_id
    account = desk.pool.by_subject(record.user.subject) if desk.pool else None
    if desk.pool and account:
        desk.pool.shut(account)
    desk.sessions.forget(tenant_id, int(time.time()) + REMEMBERED)
    say("the account is shut" if account else "there is no account (any more)")
    for _ in range(TRIES):
        now_there = desk.records.read(tenant_id)
        if now_there is None:
            break
        try:
            _leave_cluster(desk, _leave_stripe(desk, now_there, say), patience, say)
            settled = desk.records.read(tenant_id)
            if settled:
                desk.ledger.remove(settled)
        except Conflict:
            continue  # an event of what was just deleted came in: once more
        break
    else:
        raise Temporary(f"tenant {tenant_id}: its record is written too often; run it again")
    say("the record and its timeline are removed")
    if desk.pool and account:
        desk.pool.delete(account)
        say("the account is deleted")


def _leave_stripe(desk: Desk, record: Record, say: Say) -> Record:
    """End what Stripe has of them; the record as it then stands."""
    customer_id = record.customer_id
    if customer_id is None:
        say("Stripe knows no customer")
        return record
    if not desk.billing.has_customer(customer_id):
        # Else every look at them would wait for a Stripe that knows nothing of them.
        say(f"Stripe has no customer {customer_id} (any more)")
        return customers.clear(desk, record, f"the Stripe customer {customer_id} is gone")
    try:
        desk.payments.expire_open_sessions(customer_id)
    except (CustomerGone, SessionClosed):
        say("an open checkout was closed meanwhile")
    desk.billing.delete_customer(customer_id)
    say(f"Stripe's customer {customer_id} is deleted, and what it subscribed to has ended")
    return record


def _leave_cluster(desk: Desk, record: Record, patience: float, say: Say) -> None:
    """Claim the namespace, under the condition that nothing nudged meanwhile; see it go."""
    news = News(desk, record.tenant_id)
    stands = record.free_stands(desk.now)
    free = replace(record.free, ended_at=desk.now) if record.free and stands else record.free
    claimed = replace(record, free=free, hold=None, phase="deleting", applied=None, checkout=None)
    desk.records.save(
        record,
        claimed,
        nudge_at=desk.now,
        nothing_new=True,
        free_change=-1 if stands else 0,
        lines=[line(desk, "forgotten, as the customer asked")],
    )
    desk.queue.send_tenant(record.tenant_id)
    followed = follow(desk, record.tenant_id, patience, say, news)
    gone = followed.record is None or followed.record.phase is None
    if followed.end in {"failed", "still pending"} or not gone:
        raise NotForgotten(
            f"the namespace is still there: {followed.reason or followed.end}; "
            "run the same command again"
        )
    say("the namespace is gone")
