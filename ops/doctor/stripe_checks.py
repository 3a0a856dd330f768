"""What can be wrong on Stripe's side."""

from chalicelib.domain import stripe_key
from chalicelib.domain.stripe_event import API_VERSION, SUBSCRIBED
from ops import webhook
from ops.doctor.finding import Finding, fail, ok
from ops.doctor.looking import Look
from ops.parameters import SITE_URL, STRIPE_KEY, WEBHOOK_SECRET


def key(look: Look) -> Finding:
    """The key in SSM is of the mode that the stage is for."""
    name, mode = "Stripe key", look.stage.stripe_mode
    found = look.parameters.get(STRIPE_KEY)
    store = f"python -m ops secret {STRIPE_KEY} --stage {look.stage.name}"
    if not found:
        return fail(name, "there is none in SSM", store)
    if stripe_key.mode_of(found) != mode:
        kind = stripe_key.mode_of(found) or "unknown"
        return fail(name, f"a key of the mode {kind}; this stage is for {mode}", store)
    return ok(name, f"a {mode} key")


def webhook_secret(look: Look) -> Finding:
    """The API can tell Stripe's events from anybody else's."""
    name, found = "webhook secret", look.parameters.get(WEBHOOK_SECRET, "")
    secrets = [part.strip() for part in found.split(",") if part.strip()]
    if not secrets:
        return fail(name, "there is none in SSM: every webhook is refused", look.redeploy)
    if not all(secret.startswith("whsec_") for secret in secrets):
        return fail(name, "is no webhook secret (whsec_…)", look.redeploy)
    return ok(name, f"{len(secrets)} in use")


def endpoint(look: Look) -> Finding:
    """Stripe delivers to the right address, all that is wanted, in the version that is read."""
    name, found = "webhook endpoint", look.endpoints
    if not found:
        return fail(name, "Stripe delivers nothing to us", look.redeploy)
    if len(found) > 1:
        return fail(name, f"there are {len(found)} of ours", look.redeploy)
    ours = found[0]
    url = look.parameters.get(SITE_URL, "").rstrip("/") + webhook.PATH
    if wrong := _wrong(ours, url):
        return fail(name, wrong, look.redeploy)
    return ok(name, f"{len(SUBSCRIBED)} events to {url}")


def _wrong(ours: webhook.Endpoint, url: str) -> str | None:
    if ours.url != url:
        return f"delivers to {ours.url}, not to {url}"
    if not ours.enabled:
        return "is disabled"
    if ours.api_version != API_VERSION:
        return f"sends the version {ours.api_version}; we read {API_VERSION}"
    if lacking := sorted(SUBSCRIBED - ours.events):
        return f"does not send {', '.join(lacking)}"
    if extra := sorted(ours.events - SUBSCRIBED):
        return f"also sends {', '.join(extra)}"
    return None


def plans(look: Look) -> Finding:
    """Prices and portal are what the catalogue says."""
    name = "plans at Stripe"
    if todo := look.plan_changes:
        said = "; ".join(f"{change.what} {change.name}" for change in todo)
        return fail(name, f"to do: {said}", f"python -m ops plans push --stage {look.stage.name}")
    return ok(name, "products, prices and portal are as in plans.toml")
