"""What AWS itself tells of a stage's functions, their roles, what starts them, and the API."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ops import rights
from ops.stages import Stage

if TYPE_CHECKING:
    import boto3

_UNSETTLED = frozenset({"Pending", "InProgress", "Creating", "Updating", "Enabling", "Deleting"})


@dataclass(frozen=True, slots=True)
class Role:
    """A role that has the name of one of a stage's.

    IAM knows no regions, so the role of another region's stage of this name has the same name.

    Attributes:
        policies: its inline policies.
        last_used: the region that used it last, as far as IAM knows.
    """

    name: str
    arn: str
    policies: tuple[Mapping[str, Any], ...] = ()
    last_used: str | None = None

    def belongs_to(self, region: str, *, used: bool) -> bool:
        """Whether a stage in this region made it; `used`: a function there runs with it.

        Its policy names the region that it is for. One without a policy was just being made, and
        nothing can work with it. One whose policy names none was made before stages had a region.
        """
        named = {name for name in map(_region, _resources(self.policies)) if name not in {"", "*"}}
        if named:
            return named == {region}
        if self.policies:
            return used and self.last_used in {None, region}
        return True

    @property
    def home(self) -> str:
        """Whose it is, in words."""
        named = {name for name in map(_region, _resources(self.policies)) if name not in {"", "*"}}
        return ", ".join(sorted(named)) or self.last_used or "a region that it does not name"


def _resources(policies: tuple[Mapping[str, Any], ...]) -> Iterator[str]:
    for policy in policies:
        for statement in policy.get("Statement", ()):
            found = statement.get("Resource", ())
            yield from [found] if isinstance(found, str) else found


def _region(arn: str) -> str:
    parts = arn.split(":")
    return parts[3] if len(parts) > 3 else ""  # noqa: PLR2004 - arn:partition:service:region


@dataclass(frozen=True, slots=True)
class Source:
    """What feeds the worker from the queue."""

    uuid: str
    function: str
    queue: str
    state: str


@dataclass(frozen=True, slots=True)
class World:
    """What there is; roles and functions by the functions' names, rules by the schedules'."""

    roles: Mapping[str, Role]
    strangers: Mapping[str, Role]
    functions: Mapping[str, Mapping[str, Any]]
    sources: tuple[Source, ...]
    rules: Mapping[str, str]
    apis: tuple[str, ...]

    @property
    def settled(self) -> bool:
        """Whether AWS is done with what it was told before."""
        states = [source.state for source in self.sources]
        for function in self.functions.values():
            states += [function.get("State", ""), function.get("LastUpdateStatus", "")]
        return not _UNSETTLED.intersection(states)

    def names(self) -> list[str]:
        """Everything that is a stage's own, in words."""
        return [
            *(f"API {api}" for api in self.apis),
            *(f"schedule {rule}" for rule in self.rules.values()),
            *(f"event source {source.uuid}" for source in self.sources),
            *(f"function {found['FunctionName']}" for found in self.functions.values()),
            *(f"role {role.name}" for role in self.roles.values()),
        ]


def look(session: "boto3.Session", stage: Stage, edge_api: str | None = None) -> World:
    """Ask AWS; `edge_api` is the API that the CDN leads to, which comes first of several."""
    functions = _functions(session.client("lambda"), stage)
    roles = dict(_roles(session.client("iam"), stage))
    region = str(session.region_name)
    ours = {
        name: role
        for name, role in roles.items()
        if role.belongs_to(region, used=functions.get(name, {}).get("Role") == role.arn)
    }
    return World(
        roles=ours,
        strangers={name: role for name, role in roles.items() if name not in ours},
        functions=functions,
        sources=tuple(_sources(session, stage)),
        rules=dict(_rules(session.client("events"), stage)),
        apis=apis(session.client("apigateway"), stage, edge_api),
    )


def role_of(stage: Stage, function: str) -> str:
    """The name that Chalice gives a function's role."""
    return f"{stage.deployment}-{function}"


def _or_none(ask: Callable[[], Any], code: str) -> Any:  # noqa: ANN401 - boto3's answers
    try:
        return ask()
    except ClientError as e:
        if e.response["Error"]["Code"] == code:
            return None
        raise


def _functions(client: Any, stage: Stage) -> Mapping[str, Mapping[str, Any]]:  # noqa: ANN401
    found = {
        name: _or_none(
            partial(client.get_function_configuration, FunctionName=stage.function(name)),
            "ResourceNotFoundException",
        )
        for name in rights.FUNCTIONS
    }
    return {name: there for name, there in found.items() if there}


def _roles(client: Any, stage: Stage) -> Iterator[tuple[str, Role]]:  # noqa: ANN401 - boto3's
    for function in rights.FUNCTIONS:
        name = role_of(stage, function)
        there = _or_none(partial(client.get_role, RoleName=name), "NoSuchEntity")
        if there:
            names = client.list_role_policies(RoleName=name)["PolicyNames"]
            documents = [client.get_role_policy(RoleName=name, PolicyName=n) for n in names]
            yield (
                function,
                Role(
                    name=name,
                    arn=there["Role"]["Arn"],
                    policies=tuple(document["PolicyDocument"] for document in documents),
                    last_used=there["Role"].get("RoleLastUsed", {}).get("Region"),
                ),
            )


def _sources(session: "boto3.Session", stage: Stage) -> Iterator[Source]:
    region = str(session.region_name)
    account = stage.account or session.client("sts").get_caller_identity()["Account"]
    partition = session.get_partition_for_region(region)
    queue = f"arn:{partition}:sqs:{region}:{account}:{stage.queue}"
    pages = session.client("lambda").get_paginator("list_event_source_mappings")
    for page in pages.paginate(EventSourceArn=queue):
        for found in page["EventSourceMappings"]:
            # Of a function that is gone as well: what feeds it outlives it.
            if found["FunctionArn"].split(":")[6] == stage.function(rights.WORKER):
                yield Source(found["UUID"], found["FunctionArn"], queue, found.get("State", ""))


def _rules(client: Any, stage: Stage) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - boto3's
    for function in (rights.SWEEP, rights.AUDIT):
        name = f"{stage.function(function)}-event"
        if _or_none(partial(client.describe_rule, Name=name), "ResourceNotFoundException"):
            yield function, name


def apis(client: Any, stage: Stage, edge_api: str | None) -> tuple[str, ...]:  # noqa: ANN401
    """Those that ask the stage's own function, for all of them have the same name."""
    pages = client.get_paginator("get_rest_apis").paginate()
    found = [
        api
        for page in pages
        for api in page["items"]
        if api["name"] == stage.app and _asks(client, api["id"], stage.function(rights.API))
    ]
    found.sort(key=lambda api: (api["id"] != edge_api, api["createdDate"]))
    return tuple(api["id"] for api in found)


def _asks(client: Any, api: str, function: str) -> bool:  # noqa: ANN401 - boto3's
    pages = client.get_paginator("get_resources").paginate(restApiId=api, embed=["methods"])
    return any(
        f":function:{function}/" in method.get("methodIntegration", {}).get("uri", "")
        for page in pages
        for resource in page["items"]
        for method in resource.get("resourceMethods", {}).values()
    )
