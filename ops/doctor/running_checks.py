"""What can be wrong with what runs: functions, schedules, alarms, and the way in from outside."""

import json
import time
from http import HTTPStatus
from urllib.parse import urlsplit

from chalicelib.domain.stripe_event import API_VERSION
from ops import chalice_files, rights, webhook
from ops.doctor.finding import Finding, fail, ok, warn
from ops.doctor.looking import Look
from ops.parameters import SITE_URL, WEBHOOK_SECRET

DAYS = 3
"""How long Stripe tries to deliver an event."""

ENOUGH = 50
"""Functions at once that a shop wants; a new AWS account has ten in all."""

_LOG = "look at the log /aws/lambda/{}"


def functions(look: Look) -> Finding:
    """What runs is what .chalice/ says: memory, time limit, and the mode of the keys it takes."""
    name = "functions"
    for function in rights.FUNCTIONS:
        found = look.function(function)
        memory, timeout = chalice_files.SIZES[function]
        if (found["MemorySize"], found["Timeout"]) != (memory, timeout):
            said = f"{found['FunctionName']} has {found['MemorySize']} MB and {found['Timeout']} s"
            return fail(name, f"{said}, not {memory} MB and {timeout} s", look.redeploy)
        mode = found.get("Environment", {}).get("Variables", {}).get("STRIPE_MODE", "test")
        if mode != look.stage.stripe_mode:
            said = f"{found['FunctionName']} takes {mode} keys; this stage is {_live(look)}"
            return fail(name, said, look.redeploy)
    return ok(name, f"{len(rights.FUNCTIONS)} as .chalice/ says")


def _live(look: Look) -> str:
    return "live" if look.stage.live else "not live"


def sweep(look: Look) -> Finding:
    """Deadlines are looked at every minute."""
    return _schedule(look, rights.SWEEP, "deadlines pass unseen")


def daily_audit(look: Look) -> Finding:
    """Stripe, the table and the cluster are compared every day."""
    return _schedule(look, rights.AUDIT, "what drifts is not found")


def _schedule(look: Look, function: str, otherwise: str) -> Finding:
    rule = look.rule(f"{look.stage.function(function)}-event")
    if rule is None:
        return fail(function, f"is not scheduled: {otherwise}", look.redeploy)
    if rule.get("State") != "ENABLED":
        todo = f"aws events enable-rule --name {rule['Name']}"
        return fail(function, f"its schedule is disabled: {otherwise}", todo)
    return ok(function, str(rule.get("ScheduleExpression")))


def alarms(look: Look) -> Finding:
    """Somebody is told when something is wrong."""
    name, found = "alarms", look.alarm_subscriptions
    if found is None:
        return fail(name, "there are none", look.redeploy)
    if not found:
        todo = f"set alarm_email of [{look.stage.name}] in infra/stages.toml, and deploy"
        return warn(name, "nobody is woken by them", todo)
    if all(arn == "PendingConfirmation" for arn in found):
        return warn(name, "the address is not confirmed", "follow the link in AWS's mail")
    return ok(name, f"{len(found)} subscribed")


def concurrency(look: Look) -> Finding:
    """Customers do not wait for the account's limit."""
    name, limit = "functions at once", look.concurrency
    if limit < ENOUGH:
        todo = "ask AWS for more: Service Quotas, Lambda, concurrent executions"
        return warn(name, f"the account allows {limit} in all", todo)
    return ok(name, f"up to {limit}")


def way_in(look: Look) -> Finding:
    """An event signed with our secret gets through the CDN to the API, its bytes untouched.

    The event is of a type that is acknowledged and ignored, so nothing comes of it.
    """
    name, site = "webhook's way in", look.parameters.get(SITE_URL, "").rstrip("/")
    secret = look.parameters.get(WEBHOOK_SECRET, "").split(",")[0].strip()
    url = site + webhook.PATH
    if not (urlsplit(site).netloc and secret):
        return fail(name, "cannot be tried without the site's address and a secret", look.redeploy)
    status = look.deliver(url, json.dumps(_harmless(look)).encode(), secret)
    if status == HTTPStatus.OK:
        return ok(name, f"{url} takes what we sign")
    if isinstance(status, str):
        todo = "is the name known to DNS, the certificate valid, the CDN deployed?"
        return fail(name, f"{url} does not answer: {status}", todo)
    if status == HTTPStatus.BAD_REQUEST:
        said = "refuses what is signed with the secret in SSM: the API has another"
        return fail(name, said, f"wait five minutes; else python -m ops secret {WEBHOOK_SECRET}")
    return fail(name, f"{url} answers HTTP {status}", _LOG.format(look.stage.function(rights.API)))


def _harmless(look: Look) -> dict[str, object]:
    return {
        "id": f"evt_doctor_{int(time.time())}",
        "object": "event",
        "type": "ops.doctor",
        "created": int(time.time()),
        "livemode": look.stage.live,
        "api_version": API_VERSION,
        "data": {"object": {"object": "doctor"}},
    }


def secret_matches(look: Look) -> Finding:
    """The secret in SSM is the one that Stripe signs with, as far as anybody can tell."""
    name = "endpoint's secret"
    noted = next((e.secret_mark for e in look.endpoints if e.secret_mark), None)
    known = [part.strip() for part in look.parameters.get(WEBHOOK_SECRET, "").split(",")]
    if noted and noted not in {webhook.mark_of(secret) for secret in known}:
        return fail(
            name,
            "is not the one in SSM: every event is refused",
            f"copy the signing secret from the endpoint's page in Stripe's dashboard: "
            f"python -m ops secret {WEBHOOK_SECRET} --stage {look.stage.name}",
        )
    return ok(name, "the one in SSM" if noted else "unknown: Stripe tells it only once")


def undelivered(look: Look) -> Finding:
    """What Stripe has to tell arrives; what stands in a timeline has arrived."""
    name, count = "deliveries", look.undelivered(DAYS)
    if count:
        return warn(
            name,
            f"{count} events of the last {DAYS} days were not taken, by a delivery or by the sweep",
            "see their answers in Stripe's dashboard (Webhooks); `invalid_signature` is a wrong "
            f"secret: python -m ops secret {WEBHOOK_SECRET} --stage {look.stage.name}",
        )
    return ok(name, f"everything of the last {DAYS} days was taken")
