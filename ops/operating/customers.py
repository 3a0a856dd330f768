"""A Stripe customer that is no more, by an operator's word.

Of a customer that Stripe says was deleted, the reconciler draws this conclusion by itself. One that
Stripe has never had may be a sign of a key of another account: for that nobody's tenant ends, so it
takes a person to say so.
"""

from dataclasses import replace

from chalicelib.domain.decision import decide
from chalicelib.domain.errors import Conflict, Temporary
from chalicelib.domain.record import Record
from chalicelib.domain.subscription import Truth
from chalicelib.services.verdicts import verdicts_on
from ops.desk import Desk
from ops.operating.acting import TRIES, NothingToDo, line


def gone(desk: Desk, record: Record, reason: str) -> Record:
    """End what a customer paid for whom Stripe does not have, and make way for a new one.

    Raises:
        NothingToDo: there is no customer on record, or Stripe has them.
        Temporary: others write this record all the time.
    """
    if record.customer_id is None:
        raise NothingToDo("there is no Stripe customer on the record")
    if desk.billing.has_customer(record.customer_id):
        raise NothingToDo(
            f"Stripe has {record.customer_id}: cancel or delete them there, and it ends by itself"
        )
    return clear(desk, record, f"the Stripe customer {record.customer_id} is gone: {reason}")


def clear(desk: Desk, record: Record, text: str) -> Record:
    """Take a customer off the record, as for one that Stripe has deleted, with a line and a nudge.

    Raises:
        Temporary: others write this record all the time.
    """
    customer_id = record.customer_id
    for _ in range(TRIES):
        verdicts = verdicts_on(record, desk.payments)
        truth = Truth(customer_gone=True, open_disputes=verdicts.open, lost_disputes=verdicts.lost)
        decided = decide(record, truth, desk.now, desk.catalogue, desk.stage)
        try:
            saved = desk.records.save(
                record,
                replace(decided.record, failure=None),
                nudge_at=desk.now,
                free_change=-1 if decided.free_ended else 0,
                lines=[line(desk, text)],
            )
        except Conflict:
            record = desk.records.read(record.tenant_id) or record
            if record.customer_id != customer_id:
                return record  # somebody else has done so meanwhile
            continue
        desk.queue.send_tenant(saved.tenant_id)
        return saved
    raise Temporary(f"tenant {record.tenant_id}: its record is written too often; try again")
