"""What can be wrong with a stage's settings, table and queue; each check a function of a `Look`."""

import json

from chalicelib.domain.errors import Misconfigured
from chalicelib.entrypoints.worker import MAX_RECEIVES
from ops import chalice_files, rights
from ops.doctor.finding import Finding, fail, ok, warn
from ops.doctor.looking import Look

RUNS_HIDDEN = 6
"""How many of the worker's longest runs a message is hidden for, by AWS's rule: it is given back
and taken again while the function is throttled, and must not become a dead letter by that."""


def chalice_configuration(_: Look) -> Finding:
    """.chalice/ is what infra/stages.toml and ops/rights.py say."""
    name = ".chalice/"
    if differing := chalice_files.differing():
        return fail(name, f"differs: {', '.join(differing)}", "python -m ops configure")
    return ok(name, "as infra/stages.toml says")


def settings(look: Look) -> Finding:
    """Every function would start: nothing is missing or malformed."""
    name = "settings"
    for function in rights.FUNCTIONS:
        try:
            look.settings_of(function)
        except Misconfigured as e:
            return fail(name, f"{look.stage.function(function)}: {e}", look.redeploy)
    return ok(name, "every function has all of them")


def site(look: Look) -> Finding:
    """The API knows where the pages are."""
    name, url = "site's address", look.parameters.get("site_url")
    if not url:
        return fail(name, "there is none below the parameters' path", look.redeploy)
    if look.stage.domain and url != f"https://{look.stage.domain}":
        return fail(name, f"{url}, though the domain is {look.stage.domain}", look.redeploy)
    return ok(name, url)


def table(look: Look) -> Finding:
    """The table is there, protected, and can be brought back."""
    name, found = "table", look.table
    if found.get("TableStatus") != "ACTIVE":
        return fail(name, f"{found.get('TableStatus')}", "wait, and look again")
    if not found.get("DeletionProtectionEnabled"):
        return warn(name, "can be deleted by one call", look.redeploy)
    if look.backups != "ENABLED":
        return warn(name, "cannot be brought back to an earlier moment", look.redeploy)
    return ok(name, "active, protected, can be brought back to any second")


def index(look: Look) -> Finding:
    """The sweep finds what is due."""
    name = "index `due`"
    for found in look.table.get("GlobalSecondaryIndexes", []):
        if found["IndexName"] == "due":
            keys = [k["AttributeName"] for k in found["KeySchema"]]
            if keys != ["due_shard", "due_at"]:
                return fail(name, f"has the keys {keys}", look.redeploy)
            if found.get("IndexStatus", "ACTIVE") != "ACTIVE":
                return warn(name, "is being filled", "wait, and look again")
            return ok(name, "there")
    return fail(name, "there is none: nothing that is due is ever found", look.redeploy)


def queue(look: Look) -> Finding:
    """FIFO, with dead letters, and visible again only when the worker must have ended."""
    name, found = "queue", look.queue(look.stage.queue)
    if found.get("FifoQueue") != "true":
        return fail(name, "is not FIFO: two workers could be at one tenant", look.redeploy)
    redrive = json.loads(found.get("RedrivePolicy", "{}"))
    if not str(redrive.get("deadLetterTargetArn", "")).endswith(look.stage.dead_letters):
        return fail(name, "has no dead-letter queue: a bug would be tried for ever", look.redeploy)
    if int(redrive.get("maxReceiveCount", 0)) != MAX_RECEIVES:
        return fail(name, f"must give a message up after {MAX_RECEIVES} receives", look.redeploy)
    hidden = RUNS_HIDDEN * chalice_files.SIZES[rights.WORKER][1]
    if int(found.get("VisibilityTimeout", 0)) < hidden:
        return fail(name, f"must hide a message for {hidden} s or more", look.redeploy)
    return ok(name, "FIFO, with dead letters")


def dead_letters(look: Look) -> Finding:
    """Nothing has been given up."""
    name, found = "dead letters", look.queue(look.stage.dead_letters)
    count = int(found.get("ApproximateNumberOfMessages", 0))
    if count:
        return warn(name, f"{count}", "find the bug in the worker's log; the sweep still tries")
    return ok(name, "none")


def wiring(look: Look) -> Finding:
    """The queue feeds the worker, one message at a time."""
    name = "queue to worker"
    sources = [
        s for s in look.event_sources if str(s["EventSourceArn"]).endswith(f":{look.stage.queue}")
    ]
    if not sources:
        return fail(name, "nothing feeds the worker: nobody gets what they pay for", look.redeploy)
    if sources[0].get("State", "Enabled") != "Enabled":
        return fail(name, f"it is {sources[0].get('State')}", "enable it in Lambda's console")
    if sources[0].get("BatchSize") != 1:
        return fail(name, "must hand over one message at a time", look.redeploy)
    return ok(name, "one message at a time")
