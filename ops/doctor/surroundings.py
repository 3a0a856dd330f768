"""What can be wrong around a stage: accounts, mail, time, the cluster."""

import time

from ops import rights
from ops.doctor.finding import Finding, fail, ok, warn
from ops.doctor.looking import Look

SKEW = 60
"""Seconds that this machine's clock may be off; a webhook's signature is good for 300."""

VPC_CNI = "vpc-cni"
"""EKS's own network plugin. It can enforce NetworkPolicies, and does not unless told."""


_PROBE = (
    "see for yourself: a pod in a tenant's namespace that asks for http://169.254.169.254 must get "
    "no answer (docs/going-live.md, `The cluster's network`)"
)


def _no_cluster(name: str, look: Look) -> Finding:
    wanted = look.stage.cluster_name
    return fail(
        name,
        f"there is no EKS cluster {wanted} in this account and region",
        "make one (docs/going-live.md, `The cluster`), or name yours as cluster_name in "
        "infra/stages.toml; then python -m ops configure, and make deploy",
    )


def user_pool(look: Look) -> Finding:
    """Accounts work as the pages expect, and nobody learns who has one."""
    name, client = "user pool", look.pool_client
    flows = set(client.get("ExplicitAuthFlows", []))
    if lacking := {"ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"} - flows:
        return fail(name, f"the client lacks {', '.join(sorted(lacking))}", look.redeploy)
    if client.get("PreventUserExistenceErrors") != "ENABLED":
        return fail(name, "tells strangers who has an account", look.redeploy)
    if not client.get("ClientSecret"):
        return fail(name, "anybody may call it past our limits: no client secret", look.redeploy)
    if look.parameters.get("user_pool_client_secret") != client["ClientSecret"]:
        return fail(name, "the API has another secret than its client", look.redeploy)
    if look.parameters.get("jwt_audience") != client["ClientId"]:
        return fail(name, "tokens are made for another client than the API takes", look.redeploy)
    return ok(name, "the pages can sign people in")


def mail(look: Look) -> Finding:
    """Enough mails can be sent for a real shop."""
    name, sending = "mail", look.pool.get("EmailConfiguration", {})
    if sending.get("EmailSendingAccount") != "DEVELOPER":
        return warn(
            name,
            "Cognito's own: at most 50 mails a day, from an address that is not yours",
            "verify your domain in SES, leave its sandbox, and set mail_from and "
            "mail_identity_arn in infra/stages.toml",
        )
    return ok(name, f"by SES, from {sending.get('From')}")


def clock(look: Look) -> Finding:
    """This machine agrees with AWS about the time."""
    name, off = "clock", abs(time.time() - look.aws_time)
    if off > SKEW:
        return fail(name, f"this machine is {off:.0f} s off", "let it keep time (NTP)")
    return ok(name, f"within {SKEW} s of AWS")


def cluster(look: Look) -> Finding:
    """The cluster is there, and lets the worker's role in."""
    name, wanted = "cluster", look.stage.cluster_name
    settings = look.settings_of(rights.WORKER)
    if settings.kube_server:
        return ok(name, f"{settings.kube_server}, by a token")
    if (found := look.cluster(wanted)) is None:
        return _no_cluster(name, look)
    if found.get("status") != "ACTIVE":
        return fail(name, f"{wanted} is {found.get('status')}", "wait, and look again")
    private = not found.get("resourcesVpcConfig", {}).get("endpointPublicAccess", True)
    if private and not look.stage.subnet_ids:
        return fail(
            name,
            f"{wanted} has a private endpoint only, and the worker is in no network",
            "set subnet_ids and security_group_ids in infra/stages.toml, and deploy",
        )
    group = f"{look.stage.app}:workers"
    for function in rights.CLUSTER:
        role = str(look.function(function)["Role"])
        if group not in look.groups_of(role, wanted):
            return fail(
                name,
                f"{wanted} does not take the {function} for one of {group}",
                "kubectl apply --server-side -f infra/cluster.yaml; aws eks create-access-entry "
                f"--cluster-name {wanted} --principal-arn {role} --kubernetes-groups {group}",
            )
    return ok(name, f"{wanted} is active, and lets {' and '.join(rights.CLUSTER)} in")


def isolation(look: Look) -> Finding:
    """The cluster's network enforces NetworkPolicies: without that no tenant is kept to itself."""
    name, wanted = "isolation", look.stage.cluster_name
    if look.settings_of(rights.WORKER).kube_server:
        return warn(name, "cannot be looked at: the cluster is reached by a token", _PROBE)
    if look.cluster(wanted) is None:
        return _no_cluster(name, look)
    settings = look.addon(VPC_CNI, wanted)
    if settings is None:
        return warn(
            name, f"cannot be known: EKS does not keep {VPC_CNI} of {wanted} as an add-on", _PROBE
        )
    if str(settings.get("enableNetworkPolicy")).lower() != "true":
        return warn(
            name,
            f"{VPC_CNI} of {wanted} enforces no NetworkPolicies: tenants reach each other",
            f"aws eks update-addon --cluster-name {wanted} --addon-name {VPC_CNI} "
            "--resolve-conflicts PRESERVE --configuration-values "
            """'{"enableNetworkPolicy": "true"}'; if another plugin enforces them, leave it""",
        )
    return ok(name, f"{VPC_CNI} enforces NetworkPolicies")
