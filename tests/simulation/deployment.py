"""The deployment that every history has: settings, catalogue, and who may come in."""

import functools
from dataclasses import replace
from pathlib import Path

import jwt

from chalicelib import wiring
from chalicelib.config import Settings
from chalicelib.domain import catalogue_file, templates
from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.labels import Labels
from chalicelib.gateways.tokens import Tokens
from sandbox.kubernetes import kinds, setup
from sandbox.kubernetes.authorization import ADMIN, service_account
from sandbox.kubernetes.cluster import Cluster

TABLE = "arm-engine-dev"
QUEUE = "arm-engine-dev-tenants.fifo"
STRIPE_KEY = "sk_test_simulation"
KUBE_TOKEN = "provisioner"
WORKER_TOKEN, ADMIN_TOKEN = "worker", "administrator"
ISSUER = "https://issuer.test"
JWT_SECRET = "a shared secret of more than 32 bytes"
SECRET = "whsec_simulation"
SETTINGS = Settings.from_env(
    {
        "STAGE": "dev",
        "TABLE_NAME": TABLE,
        "QUEUE_NAME": QUEUE,
        "SITE_URL": "https://shop.test",
        "CHECKOUT_SUCCESS_URL": "https://shop.test/ok?session_id={CHECKOUT_SESSION_ID}",
        "CHECKOUT_CANCEL_URL": "https://shop.test/no",
        "STRIPE_SECRET_KEY": STRIPE_KEY,
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": "client",
        "JWT_SECRET": JWT_SECRET,
        "KUBE_SERVER": "https://cluster.test",
        "KUBE_TOKEN": KUBE_TOKEN,
    }
)
TEMPLATES = {
    "basic": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: product}
spec:
  replicas: 2
  selector: {matchLabels: {app: product}}
  template:
    metadata: {labels: {app: product}}
    spec: {containers: [{name: product, image: "registry.test/product:{{plan}}"}]}
""",
    "pro": """
apiVersion: v1
kind: ConfigMap
metadata: {name: extras}
data: {tenant: "{{tenant}}"}
""",
}
"""An adopter's own objects, by plan: some run, and some leave with a change of plan."""


TRIALS = {"pro": 7}
"""Days on trial, by plan."""


def _catalogue() -> Catalogue:
    text = Path(wiring.__file__).with_name("plans.toml").read_text("utf-8")
    found = catalogue_file.parse(text)
    plans = tuple(
        replace(
            p, folder=p.id if p.id in TEMPLATES else None, trial_days=TRIALS.get(p.id, p.trial_days)
        )
        for p in found.plans
    )
    read = lambda folder: {"objects.yaml": TEMPLATES[folder]}  # noqa: E731 - one line of a test
    return templates.loaded(replace(found, plans=plans), read)


CATALOGUE = _catalogue()
LABELS = Labels.of(CATALOGUE.product)
PLAN_OF = {CATALOGUE.product_id("dev", plan): plan.id for plan in CATALOGUE.paid_plans}
TOKENS = Tokens(issuer=ISSUER, audience="client", jwks_url=None, secret=JWT_SECRET)


USERS = {KUBE_TOKEN: ADMIN, WORKER_TOKEN: service_account(*setup.WORKER), ADMIN_TOKEN: ADMIN}


@functools.cache
def bounds() -> tuple[tuple[kinds.Kind, kinds.Object], ...]:
    """What `infra/cluster.yaml` makes of a cluster: the worker's rights, and where they end."""
    cluster = Cluster(USERS)
    setup.apply(cluster, ADMIN_TOKEN)
    made = [(kinds.by_name(obj["kind"]), obj["metadata"]) for obj in setup.objects()]
    return tuple(
        (kind, cluster._store.get(kind, m.get("namespace", ""), m["name"])) for kind, m in made
    )


@functools.cache
def token(name: str) -> str:
    """An ID token that does not run out."""
    claims = {
        "sub": name, "iss": ISSUER, "aud": "client", "exp": 4_000_000_000, "token_use": "id",
        "email": f"{name}@example.com",
    }  # fmt: skip
    return jwt.encode(claims, JWT_SECRET, "HS256")
