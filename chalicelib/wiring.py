"""Puts everything together, once per container, as late as possible.

The only place with imports inside functions: a webhook must not pay for the Stripe SDK, nor the
API for the way to the cluster. Each factory can be replaced from outside as a whole.
"""

import os
import time
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chalicelib.config import Settings
from chalicelib.domain import stripe_key
from chalicelib.domain.errors import Misconfigured
from chalicelib.domain.timeline import TIMELINE_DAYS

# ruff: noqa: PLC0415 - this is what the module is for
if TYPE_CHECKING:
    from chalicelib.domain.catalogue import Catalogue
    from chalicelib.domain.record import User
    from chalicelib.gateways.dynamodb import DynamoDb
    from chalicelib.gateways.kubernetes_http import AccessProvider, KubernetesHttp
    from chalicelib.gateways.parameters import Pairs, Parameters
    from chalicelib.gateways.tokens import Tokens
    from chalicelib.ports import (
        Accounts,
        Clock,
        Cluster,
        Nudges,
        Payments,
        Queue,
        Records,
        Sessions,
        Subjects,
    )
    from chalicelib.services.accounts import AccountBook
    from chalicelib.services.auditing import Audit
    from chalicelib.services.checkout import Checkouts
    from chalicelib.services.departed import DepartedPayers
    from chalicelib.services.free import FreePlan
    from chalicelib.services.missed import MissedEvents
    from chalicelib.services.reconciling import Reconciler
    from chalicelib.services.status import Statuses

AUDITED_PER_SECOND = 50
"""Tenants, at most: what the cluster's API server and Stripe's rate limits bear beside the rest."""


SECRETS = frozenset({"stripe_secret_key", "stripe_webhook_secret"})
"""What is rotated while a container lives, and so is not kept among its settings."""


def settings() -> Settings:
    """The settings: the environment's, and what it does not have from SSM.

    One fetch per container serves them and the secrets; when parameters have changed (a domain
    was added, say), the settings are read anew.
    """
    parameters = _parameters()
    return _settings(parameters.settings(without=SECRETS) if parameters else ())


@cache
def _settings(stored: "Pairs") -> Settings:
    return Settings.from_env({**dict(stored), **os.environ})


@cache
def _parameters() -> "Parameters | None":
    path = os.environ.get("PARAMETERS_PATH", "").strip()
    if not path:
        return None
    from chalicelib.gateways.parameters import Parameters

    return Parameters(path)


@cache
def catalogue() -> "Catalogue":
    """What is sold."""
    from chalicelib.domain import catalogue_file

    found = catalogue_file.parse(_plans())
    if any(plan.folder for plan in found.plans):
        from chalicelib.domain import templates

        found = templates.loaded(found, _template_files)
    return found


def _template_files(folder: str) -> dict[str, str]:
    files = (Path(__file__).parent / "templates" / folder).glob("*.yaml")
    return {file.name: file.read_text("utf-8") for file in files}


def _plans() -> str:
    return Path(__file__).with_name("plans.toml").read_text("utf-8")


@cache
def common_passwords() -> frozenset[str]:
    """What nobody may choose as a password; read by whoever sets one."""
    text = Path(__file__).with_name("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))


def clock() -> "Clock":
    """The time that decisions go by, in epoch seconds."""
    return time.time


def new_id() -> str:
    """A new id that nobody can guess."""
    return uuid4().hex


def deployment() -> str:
    """`<app>-<stage>`: all that a webhook wants of the catalogue, so that is all it pays for."""
    return f"{_app()}-{settings().stage}"


@cache
def _app() -> str:
    return str(_raw_plans()["product"]["app"])


def _timeline_days() -> int:
    """What the catalogue says, without what it takes to check it: a webhook writes lines, too."""
    return int(_raw_plans()["policy"].get("timeline_days", TIMELINE_DAYS))


@cache
def _raw_plans() -> "dict[str, dict[str, Any]]":
    return tomllib.loads(_plans())


@cache
def _db() -> "DynamoDb":
    from chalicelib.gateways.dynamodb import DynamoDb

    return DynamoDb(settings().table_name)


@cache
def records() -> "Records":
    """The table."""
    from chalicelib.gateways.table import Table

    return Table(_db(), keep_lines_days=_timeline_days())


@cache
def nudges() -> "Nudges":
    """The same table, for whoever reads no record."""
    from chalicelib.gateways.nudges import NudgeTable

    return NudgeTable(_db(), keep_lines_days=_timeline_days())


@cache
def queue() -> "Queue":
    """The queue."""
    from chalicelib.gateways.queue import SqsQueue

    return SqsQueue(settings().queue_name)


@cache
def _payments(secret_key: str) -> "Payments":
    from chalicelib.gateways.stripe_api import StripeApi

    return StripeApi(
        secret_key,
        api_base=settings().stripe_api_base,
        fresh_key=_fresh_key,
        deployment=deployment(),
    )


def payments() -> "Payments":
    """Stripe; a new client when the key was rotated."""
    return _payments(stripe_secret_key())


def stripe_secret_key() -> str:
    """The key, from the environment or from SSM; of the mode that this stage is for."""
    parameters = _parameters()
    key = settings().stripe_secret_key or (parameters and parameters.get("stripe_secret_key"))
    if not key:
        raise Misconfigured("there is no stripe_secret_key below PARAMETERS_PATH")
    stripe_key.check(key, settings().stripe_mode)
    return key


def secrets_changed() -> bool:
    """Look again, after something was refused that a rotated secret would have let through."""
    parameters = _parameters()
    return parameters is not None and parameters.fetch_again()


def _fresh_key() -> str | None:
    return stripe_secret_key() if secrets_changed() else None


def webhook_secrets() -> tuple[str, ...]:
    """The secrets that a webhook's signature may be made with; several while one is rotated."""
    given = settings().stripe_webhook_secrets
    if given or not settings().parameters_path:
        return given
    parameters = _parameters()
    found = (parameters and parameters.get("stripe_webhook_secret")) or ""
    return tuple(part.strip() for part in found.split(",") if part.strip())


def livemode() -> bool:
    """Whether real money moves."""
    return settings().livemode


@cache
def kubernetes() -> "KubernetesHttp":
    """The way to the API server: by a server and a token, or to an EKS cluster by its name."""
    from chalicelib.gateways.kubernetes_http import KubernetesHttp

    return KubernetesHttp(_access())


@cache
def cluster() -> "Cluster":
    """The cluster."""
    from chalicelib.domain.labels import Labels
    from chalicelib.gateways.cluster import KubernetesCluster

    return KubernetesCluster(kubernetes(), Labels.of(catalogue().product))


def _access() -> "AccessProvider":
    given = settings()
    if given.kube_server and given.kube_token_file:
        from chalicelib.gateways.kubernetes_http import FromFile

        return FromFile(given.kube_server, given.kube_ca, Path(given.kube_token_file))
    if given.kube_server and given.kube_token:
        from chalicelib.gateways.kubernetes_http import fixed

        return fixed(given.kube_server, given.kube_ca, given.kube_token)
    if given.cluster_name:
        from chalicelib.gateways.eks import EksAccess

        return EksAccess(given.cluster_name)
    raise Misconfigured(
        "settings: CLUSTER_NAME, or KUBE_SERVER and KUBE_TOKEN (or KUBE_TOKEN_FILE), are needed "
        "to reach the cluster"
    )


@cache
def tokens() -> "Tokens":
    """Verifies ID tokens."""
    from chalicelib.gateways.tokens import Tokens

    given = settings()
    return Tokens(
        issuer=given.jwt_issuer or "",
        audience=given.jwt_audience or "",
        jwks_url=given.jwt_jwks_url,
        secret=given.jwt_secret,
    )


@cache
def sessions() -> "Sessions":
    """The table, for ending sessions."""
    from chalicelib.gateways.sessions import SessionTable

    return SessionTable(_db())


@cache
def accounts() -> "Accounts | None":
    """The user pool, if this deployment has one; it is the one that issues the tokens."""
    from chalicelib.gateways.user_pool import UserPool

    given = settings()
    if not given.user_pool_client_id:
        return None
    return UserPool(
        given.user_pool_client_id,
        client_secret=given.user_pool_client_secret,
        pool_id=(given.jwt_issuer or "").rpartition("/")[2],
    )


def account_book() -> "AccountBook | None":
    """Signs up, confirms, resets."""
    from chalicelib.services.accounts import AccountBook

    pool = accounts()
    if pool is None:
        return None
    return AccountBook(
        accounts=pool,
        sessions=sessions(),
        issuer=settings().jwt_issuer or "",
        common=common_passwords,
        words=(catalogue().product.name,),
        clock=time.time,  # tokens know no other
    )


def departed_payers() -> "DepartedPayers | None":
    """Finds payers whose account is gone; None when somebody else keeps the accounts."""
    from chalicelib.services.departed import DepartedPayers

    issuer = settings().jwt_issuer or ""
    host, _, pool_id = issuer.rpartition("/")
    if not (host.startswith("https://cognito-idp.") and pool_id):
        return None
    return DepartedPayers(pool=_pool_subjects(pool_id), issuer=issuer)


@cache
def _pool_subjects(pool_id: str) -> "Subjects":
    from chalicelib.gateways.pool_subjects import PoolSubjects

    return PoolSubjects(pool_id)


def checkouts() -> "Checkouts":
    """Sells."""
    from chalicelib.domain.checkout import Shop
    from chalicelib.services.checkout import Checkouts

    given = settings()
    return Checkouts(
        records=records(),
        payments=payments(),
        queue=queue(),
        shop=Shop(catalogue(), given.stage, given.success_url, given.cancel_url),
        clock=clock(),
        new_id=new_id,
    )


def charge(user: "User") -> None:
    """Take what costs calls of Stripe from a customer's budget."""
    from chalicelib.services import budgets

    budgets.charge(user, records=records(), clock=clock())


def free_plan() -> "FreePlan":
    """Grants Free."""
    from chalicelib.services.free import FreePlan

    return FreePlan(
        records=records(),
        queue=queue(),
        catalogue=catalogue(),
        stage=settings().stage,
        clock=clock(),
    )


def statuses() -> "Statuses":
    """Answers what the dashboard asks."""
    from chalicelib.services.status import Statuses

    return Statuses(
        records=records(),
        queue=queue(),
        catalogue=catalogue(),
        stage=settings().stage,
        clock=clock(),
    )


def reconciler() -> "Reconciler":
    """Decides."""
    from chalicelib.services.reconciling import Reconciler

    return Reconciler(
        records=records(),
        payments=payments(),
        cluster=cluster(),
        catalogue=catalogue(),
        stage=settings().stage,
        clock=clock(),
        new_id=new_id,
    )


def missed_events() -> "MissedEvents":
    """Takes what Stripe could not deliver."""
    from chalicelib.services.missed import MissedEvents

    return MissedEvents(
        records=records(),
        payments=payments(),
        queue=queue(),
        clock=clock(),
        deployment=deployment(),
        livemode=livemode(),
    )


def audit() -> "Audit":
    """Compares Stripe, the table and the cluster, so many tenants a second."""
    from chalicelib.services.auditing import Audit

    return Audit(
        records=records(),
        payments=payments(),
        cluster=cluster(),
        queue=queue(),
        catalogue=catalogue(),
        stage=settings().stage,
        clock=clock(),
        new_id=new_id,
        # Stripe, the table and the cluster serve customers while an audit goes on.
        pace=lambda: time.sleep(1 / AUDITED_PER_SECOND),
        departed=departed_payers(),
    )
