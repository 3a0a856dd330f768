"""What Stripe has to hold: the catalogue, the portal, the webhook endpoint."""

from ops import plans, stripe_account, webhook
from ops.deploying.step import Say, Shop, StepFailed
from ops.parameters import SITE_URL, WEBHOOK_SECRET


class Plans:
    """Products, prices and the portal's configuration; a price in use is never edited."""

    name = "plans at Stripe"

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def plan(self) -> str:
        """What would be made or changed."""
        want = plans.wanted(self._shop.catalogue, self._shop.stage.name)
        todo = plans.changes(want, plans.look(stripe_account.client(self._shop), want))
        return "; ".join(f"{c.what} {c.name}" for c in todo) or "nothing: the plans are there"

    def run(self, say: Say) -> str:
        """Push."""
        client = stripe_account.client(self._shop)
        done = plans.push(client, self._shop.catalogue, self._shop.stage.name)
        for change in done:
            say(f"{change.what} {change.name}")
        return f"{len(done)} changes" if done else "the plans are as they should be"


class Webhook:
    """The endpoint that Stripe delivers to, and its secret in SSM."""

    name = "webhook endpoint"

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def plan(self) -> str:
        """What would be made or changed."""
        try:
            todo, _ = self._look()
        except StepFailed:
            return "make an endpoint for the site's address, once that is known"
        return _said(todo)

    def run(self, _: Say) -> str:
        """Make it so."""
        todo, url = self._look()
        parameters = self._shop.parameters
        webhook.carry_out(
            todo,
            stripe_account.client(self._shop),
            url=url,
            deployment=self._shop.stage.deployment,
            known=parameters.get(WEBHOOK_SECRET),
            store=lambda secret: parameters.put_secret(WEBHOOK_SECRET, secret),
        )
        return f"{url}: {_said(todo)}"

    def remove(self) -> str:
        """Have nothing delivered any more."""
        client = stripe_account.client(self._shop)
        ours = webhook.find(client, self._shop.stage.deployment)
        for endpoint in ours:
            client.v1.webhook_endpoints.delete(endpoint.id)
        self._shop.parameters.delete(WEBHOOK_SECRET)
        return f"{len(ours)} endpoints removed"

    def _look(self) -> tuple[webhook.Plan, str]:
        known = self._shop.parameters.all()
        if SITE_URL not in known:
            raise StepFailed("the site has no address yet", "deploy the edge first")
        url = known[SITE_URL].rstrip("/") + webhook.PATH
        ours = webhook.find(stripe_account.client(self._shop), self._shop.stage.deployment)
        return webhook.plan(ours, url, secret_known=WEBHOOK_SECRET in known), url


def _said(todo: webhook.Plan) -> str:
    if todo.nothing:
        return "as it should be"
    parts = [
        *(["make a new one"] if todo.create else []),
        *([f"update {todo.update}"] if todo.update else []),
        *(f"remove {endpoint_id}" for endpoint_id in todo.remove),
    ]
    return f"{', '.join(parts)} ({todo.why})"
