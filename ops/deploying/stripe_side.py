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
            home=self._shop.stage.home,
        )
        return f"{url}: {_said(todo)}"

    def remove(self) -> str:
        """Have nothing delivered any more."""
        client = stripe_account.client(self._shop)
        ours, others = self.endpoints()
        for endpoint in ours:
            client.v1.webhook_endpoints.delete(endpoint.id)
        if self.endpoints()[0]:
            raise StepFailed("Stripe still has the webhook endpoint", "run the same command again")
        self._shop.parameters.delete(WEBHOOK_SECRET)
        kept = f"; kept, since it is not this site's: {_addresses(others)}" if others else ""
        return f"{len(ours)} endpoints removed{kept}"

    def endpoints(self) -> tuple[list[webhook.Endpoint], list[webhook.Endpoint]]:
        """Ours, and those of other deployments of this name."""
        stage, site = self._shop.stage, self._shop.parameters.get(SITE_URL)
        found = webhook.find(stripe_account.client(self._shop), stage.deployment)
        ours = webhook.ours(found, _url(site) if site else None, stage.home)
        return ours, [endpoint for endpoint in found if endpoint not in ours]

    def check(self) -> None:
        """Whether this Stripe account is this deployment's.

        Raises:
            StepFailed: another deployment of this name, or a sandbox, takes its events.
        """
        if others := self.endpoints()[1]:
            name = self._shop.stage.deployment
            raise StepFailed(
                f"this Stripe account already serves a {name}: {_addresses(others)}",
                "stop that one (a sandbox is one, too), or remove its endpoint at "
                "https://dashboard.stripe.com/webhooks; or give this stage another name in "
                "infra/stages.toml, or a Stripe account of its own",
            )

    def _look(self) -> tuple[webhook.Plan, str]:
        known = self._shop.parameters.all()
        if SITE_URL not in known:
            raise StepFailed("the site has no address yet", "deploy the edge first")
        self.check()
        url = _url(known[SITE_URL])
        home, secret_known = self._shop.stage.home, WEBHOOK_SECRET in known
        return webhook.plan(self.endpoints()[0], url, secret_known=secret_known, home=home), url


def _url(site: str) -> str:
    return site.rstrip("/") + webhook.PATH


def _addresses(endpoints: list[webhook.Endpoint]) -> str:
    return ", ".join(f"{endpoint.url} ({endpoint.id})" for endpoint in endpoints)


def _said(todo: webhook.Plan) -> str:
    if todo.nothing:
        return "as it should be"
    parts = [
        *(["make a new one"] if todo.create else []),
        *([f"update {todo.update}"] if todo.update else []),
        *(f"remove {endpoint_id}" for endpoint_id in todo.remove),
    ]
    return f"{', '.join(parts)} ({todo.why})"
