"""Who is meant: a tenant by its id or namespace, an e-mail address, a Stripe id."""

import re
from collections.abc import Iterator

from chalicelib.domain.errors import DomainError
from chalicelib.domain.record import Record, tenant_id_of
from ops.desk import Desk

_TENANT = re.compile(r"[0-9a-f]{16}")


class NotFound(DomainError):
    """There is nobody of that name; the message says what was looked for."""


def find(desk: Desk, user: str) -> Record:
    """The record of whoever is meant.

    Raises:
        NotFound: nobody, or more than one.
    """
    records = find_all(desk, user)
    if len(records) > 1:
        several = ", ".join(record.tenant_id for record in records)
        raise NotFound(f"{user} is several tenants: say which of {several}")
    return records[0]


def find_all(desk: Desk, user: str) -> list[Record]:
    """The records of whoever is meant: an address may have had several accounts, one after another.

    An address reads the whole table: that of an account which was deleted is only on its record.

    Raises:
        NotFound: nobody.
    """
    tenants = list(dict.fromkeys(_tenants(desk, user.strip())))
    records = [record for record in map(desk.records.read, tenants) if record]
    if "@" in user:
        known = {record.tenant_id for record in records}
        records += [
            record
            for record in desk.records.all()
            if _same(record.user.email, user) and record.tenant_id not in known
        ]
    if not records:
        where = f"tenant {tenants[0]} has no record" if tenants else _looked_for(user)
        raise NotFound(f"{user}: {where}; `tenants list` shows everybody")
    return records


def _tenants(desk: Desk, user: str) -> Iterator[str]:
    prefix = f"{desk.catalogue.product.namespace_prefix}-"
    name = user.removeprefix(prefix)
    if _TENANT.fullmatch(name):
        yield name
    elif "@" in user:
        account = desk.pool.by_email(user) if desk.pool else None
        if account:
            yield tenant_id_of(desk.issuer, account.subject)
    else:
        customer = desk.billing.customer_of(user) if user.startswith("sub_") else user
        tenant_id = customer and desk.records.tenant_of(customer)
        if tenant_id:
            yield tenant_id


def _same(email: str | None, other: str) -> bool:
    return bool(email) and str(email).casefold() == other.strip().casefold()


def _looked_for(user: str) -> str:
    if "@" in user:
        return "nobody with that address has signed up, or they have not bought or started anything"
    if user.startswith(("cus_", "sub_")):
        return "no tenant of this stage belongs to it"
    return "that is no e-mail address, tenant id, namespace, Stripe customer or subscription"
