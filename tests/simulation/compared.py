"""Stripe, table and cluster of a running sandbox, each asked for its own word, and compared."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import requests
import stripe
import yaml

from chalicelib.domain import catalogue_file, tenant
from chalicelib.domain.labels import Labels
from chalicelib.gateways.cluster import KubernetesCluster
from chalicelib.gateways.dynamodb import DynamoDb
from chalicelib.gateways.kubernetes_http import KubernetesHttp, fixed
from chalicelib.gateways.queue import SqsQueue
from chalicelib.gateways.stripe_api import StripeApi
from chalicelib.gateways.table import Table
from chalicelib.gateways.wire import loaded
from chalicelib.services.auditing import Audit
from tests.simulation import oracle

if TYPE_CHECKING:
    from chalicelib.domain.catalogue import Catalogue

PLANS = Path(catalogue_file.__file__).parents[1] / "plans.toml"
STAGE = "dev"


class Compared:
    """The three, by what the ready file says of where they are."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self._ready = ready
        self._catalogue: Catalogue = catalogue_file.parse(PLANS.read_text("utf-8"))
        self.stripe = stripe.StripeClient(
            ready["stripeKey"], base_addresses={"api": ready["stripe"]}, max_network_retries=3
        ).v1
        session = boto3.Session("sandbox", "sandbox", region_name="us-east-1")
        self._table = session.client("dynamodb", endpoint_url=ready["aws"])
        config = yaml.safe_load(Path(ready["kubeconfig"]).read_text())
        token = config["users"][0]["user"]["token"]
        ca = Path(ready["ca"]).read_text()
        self._cluster = KubernetesCluster(
            KubernetesHttp(fixed(ready["kubernetes"], ca, token)),
            Labels.of(self._catalogue.product),
        )
        self._plan_of = {
            self._catalogue.product_id(STAGE, plan): plan.id for plan in self._catalogue.paid_plans
        }

    def records(self) -> dict[str, dict[str, Any]]:
        """All records, by tenant."""
        pages = self._table.get_paginator("scan").paginate(TableName=self._ready["table"])
        return {
            item["pk"]["S"].removeprefix("TENANT#"): loaded(item)
            for page in pages
            for item in page["Items"]
            if item["sk"]["S"] == "RECORD"
        }

    def now(self) -> int:
        """The sandbox's clock."""
        answer = requests.get(f"{self._ready['stripe']}/sandbox/clock", timeout=10)
        return int(answer.json()["now"])

    def pending(self) -> list[str]:
        """Tenants that wait for a look, or are due for one."""
        now = self.now()
        return [
            tenant_id
            for tenant_id, item in self.records().items()
            if item["nudged"] > item.get("reconciled", 0) or item.get("due_at", now + 1) <= now
        ]

    def owed(self) -> list[str]:
        """Events that are still on their way: a delivery that failed is tried again for a while."""
        answer = requests.get(f"{self._ready['stripe']}/sandbox/deliveries", timeout=30)
        return [f"{d['type']} {d['event']}" for d in answer.json() if not d["delivered"]]

    def differences(self) -> Iterator[str]:
        """Everything that the three do not say alike."""
        records, truths, now = self.records(), self._truths(), self.now()
        namespaces = {found.tenant_id: found for found in self._cluster.namespaces()}
        for tenant_id, item in sorted(records.items()):
            truth = truths.pop(tenant_id, oracle.Truth())
            live = [s.id for s in truth.subs if s.live]
            if len(live) > 1:
                yield f"{tenant_id} pays for {', '.join(live)}"
            yield from self._record(tenant_id, item, truth)
            yield from self._tenant(tenant_id, item, truth, namespaces.pop(tenant_id, None), now)
        yield from (f"{tenant_id} is at Stripe and has no record" for tenant_id in truths)
        yield from (f"{tenant_id} has a namespace and no record" for tenant_id in namespaces)

    def audit(self) -> Iterator[str]:
        """What our own audit finds, with the gateways that it has in production."""
        session = boto3.Session("sandbox", "sandbox", region_name="us-east-1")
        now = self.now()
        report = Audit(
            records=Table(DynamoDb(self._ready["table"], self._table)),
            payments=StripeApi(self._ready["stripeKey"], api_base=self._ready["stripe"]),
            cluster=self._cluster,
            queue=SqsQueue("unused", session.client("sqs", endpoint_url=self._ready["aws"])),
            catalogue=self._catalogue,
            stage=STAGE,
            clock=lambda: now,
            new_id=lambda: uuid4().hex,
        ).run()
        yield from (f"the audit: {found.kind}: {found.text}" for found in report.findings)

    def _truths(self) -> dict[str, oracle.Truth]:
        subs: dict[str, list[oracle.Sub]] = {}
        owners: dict[str, str] = {}
        for found in self.stripe.subscriptions.list({"status": "all"}).auto_paging_iter():
            raw = found.to_dict()
            tenant_id = raw["metadata"]["tenant_id"]
            owners[raw["customer"]] = tenant_id
            subs.setdefault(tenant_id, []).append(oracle.sub(raw, self._plan_of))
        said: dict[tuple[str, str], set[str]] = {}
        for found in self.stripe.disputes.list({"expand": ["data.charge"]}).auto_paging_iter():
            raw = found.to_dict()
            tenant_id = owners.get(raw["charge"]["customer"], "")
            said.setdefault((tenant_id, oracle.verdict(raw["status"])), set()).add(raw["id"])
        return {
            tenant_id: oracle.Truth(
                tuple(found),
                *(frozenset(said.get((tenant_id, how), ())) for how in ("open", "lost")),
            )
            for tenant_id, found in subs.items()
        }

    def _record(self, tenant_id: str, item: dict[str, Any], truth: oracle.Truth) -> Iterator[str]:
        counts, known = truth.counts, item["billing"].get("subscription")
        real = counts and (counts.id, counts.status, counts.ended_at, counts.period_end)
        seen = known and tuple(
            known[name] for name in ("id", "status", "ended_at", "current_period_end")
        )
        if seen != real:
            yield f"{tenant_id}: the record says {seen}, Stripe says {real}"
        if set(item.get("disputes", ())) != truth.disputes:
            yield f"{tenant_id}: the record's disputes are not {sorted(truth.disputes)}"

    def _tenant(
        self,
        tenant_id: str,
        item: dict[str, Any],
        truth: oracle.Truth,
        found: Any,
        now: int,
    ) -> Iterator[str]:
        due = _recorded(item, self._plan_of)
        stands = oracle.stands(truth, item, due, now)
        plan = self._catalogue.plan(stands.plan or "")
        if stands.tenant == "absent" or plan is None:
            if found is not None:
                yield f"{tenant_id} is {stands.status} and has a namespace"
            return
        if found is None:
            if stands.tenant == "running":
                yield f"{tenant_id} is {stands.status} and has no namespace"
            return
        if stands.tenant != "as it was":
            wanted = tenant.objects(
                self._catalogue, tenant_id, plan, suspended=stands.tenant == "suspended"
            )
            for line in self._cluster.drift(wanted, tenant.ownership(self._catalogue, tenant_id)):
                yield f"{tenant_id} ({stands.plan}, {stands.tenant}): {line}"


def _recorded(item: dict[str, Any], plan_of: dict[str, str]) -> oracle.Due:
    """When what only time ends is over, as the record has it: nobody has watched it begin."""
    free, known = item.get("free"), item["billing"].get("subscription")
    products = {} if known is None else {known["id"]: known.get("paid_product_id")}
    return oracle.Due(
        grace=item.get("grace_until"),
        free=free and (free.get("ended_at") or item["free_until"]),
        paid={sub: plan_of.get(product or "") for sub, product in products.items()},
    )
