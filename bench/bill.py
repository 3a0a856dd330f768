"""What customers cost on AWS in a month, from counted calls and public prices."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.calls import counted
from bench.row import Row

CUSTOMERS = (1_000, 100_000)
EVENTS = 5
"""Of a renewal: invoice.paid, payment_intent.succeeded, customer.subscription.updated, and two to
spare."""

VISITS = 10
"""Of a customer to the dashboard; each reads the status once."""

SWEEPS = 60 * 24 * 30
POLLS = 5 * 3 * SWEEPS
"""Lambda's pollers of the queue: five, each asking anew every 20 seconds."""

MILLION = 1e6
API_CALL = 3.50 / MILLION
INVOKE = 0.20 / MILLION
GB_SECOND = 0.0000166667
WRITE = 0.625 / MILLION
READ = 0.125 / MILLION
SQS = 0.50 / MILLION
LOG_GB = 0.50
CDN_CALL = 1.00 / MILLION
LOGGED_IN = 0.0055
ALARM = 0.10
ALARMS = 21
METRIC = 0.30
"""Public prices in USD for us-east-1, without free tiers: REST API, Lambda (x86), DynamoDB on
demand, SQS FIFO, CloudWatch Logs, CloudFront (https), Cognito Lite (`UserPoolTier: LITE`; at
ESSENTIALS it would be 0.015), CloudWatch alarms and figures. What is cheaper for many is left
out."""

WATCHED_ROUTES = 5
PER_ROUTE = 5
"""Figures of a route that has its own: Count, 4XXError, 5XXError, Latency, IntegrationLatency."""

FIGURES: Mapping[str, int] = {
    "AuditFindings": 12,
    "BadSignatures": 1,
    "CheckoutSessions": 2,
    "Duplicates": 1,
    "DuplicatesRefused": 2,
    "PayToReady": 1,
    "EventsLag": 1,
    "PendingAge": 1,
    "PermanentFailures": 1,
    "ReconcileFailures": 3,
    "ReconcileTime": 6,
    "Stuck": 1,
    "TooManyRequests": 1,
}
"""How many CloudWatch counts each for, at most: one for every combination of its dimensions' values
that is written in a month."""

SECONDS, MEMORY = 0.1, 0.5
"""Of one run of a function, half a gigabyte: network included, and more than it takes."""

LINE_KB = 0.3


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the bill: `times` a month, at `price` USD each."""

    what: str
    times: float
    price: float

    @property
    def cost(self) -> float:
        """USD a month."""
        return self.times * self.price


def rows() -> Iterable[Row]:
    """The sum, and its lines."""
    for customers in CUSTOMERS:
        yield _row(customers)


def _row(customers: int) -> Row:
    items = tuple(_items(customers))
    total = sum(item.cost for item in items)
    table = [
        "| line | times a month | USD each | USD |",
        "| --- | --- | --- | --- |",
        *(f"| {i.what} | {i.times:,.0f} | {i.price:.3g} | {i.cost:.2f} |" for i in items),
        f"| **all** | | | **{total:.2f}** |",
        "",
        "Not in it: Stripe's share, the cluster and what runs there, a domain, mail by SES.",
        "Free tiers are left out.",
    ]
    return Row(
        what=f"the bill for {customers:,} customers a month, without the cluster",
        floor="",
        others="",
        ours=f"{total:.2f}",
        goal="computed",
        unit="USD",
        how=f"calls as counted in this run; a customer renews once ({EVENTS} events, each with its "
        f"reconcile) and looks at the dashboard {VISITS} times; every line below",
        why="\n".join(table),
    )


def _items(customers: int) -> Iterable[Item]:
    """Line by line."""
    found = counted()
    events, visits = customers * EVENTS, customers * VISITS
    webhook, renewal = found["webhook"].aws, found["steady renewal's reconcile"].aws
    sends = webhook["sqs.SendMessage"]
    yield Item("API Gateway: webhooks and statuses", events + visits, API_CALL)
    yield Item("CloudFront: a page of 8 files and its status, each visit", visits * 9, CDN_CALL)
    runs = 2 * events + visits + SWEEPS
    yield Item("Lambda: API, worker and sweep, invocations", runs, INVOKE)
    yield Item("Lambda: their GB-seconds", runs * SECONDS * MEMORY, GB_SECOND)
    # A write in a transaction costs two units; the record stands in the index too.
    nudges = webhook["dynamodb.TransactWriteItems"] * (2 * 2 + 1)
    concludes = sum(n for name, n in renewal.items() if name != "dynamodb.GetItem") * 2
    yield Item("DynamoDB: writes", events * (nudges + concludes), WRITE)
    reads = events * renewal["dynamodb.GetItem"] + visits + SWEEPS * 8 * 0.5
    yield Item("DynamoDB: reads, and 8 empty queries of each sweep", reads, READ)
    yield Item("SQS: send, receive and delete of each key", events * 3 * sends, SQS)
    yield Item("SQS: Lambda's empty polls", POLLS, SQS)
    yield Item("CloudWatch: log lines, GB", runs * LINE_KB / MILLION, LOG_GB)
    yield Item("CloudWatch: alarms", ALARMS, ALARM)
    yield Item("CloudWatch: our own figures", sum(FIGURES.values()), METRIC)
    yield Item("CloudWatch: figures of the watched routes", WATCHED_ROUTES * PER_ROUTE, METRIC)
    yield Item("Cognito: who logs in", customers, LOGGED_IN)
