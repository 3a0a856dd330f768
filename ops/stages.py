"""infra/stages.toml: what differs between stages, checked when it is read."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from chalicelib import wiring
from chalicelib.domain.errors import Misconfigured
from chalicelib.domain.stripe_key import Mode

ROOT = Path(__file__).parents[1]
INFRA = ROOT / "infra"
FILE = INFRA / "stages.toml"
_STAGE = re.compile(r"[a-z][a-z0-9]{0,15}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_LEAST_AT_ONCE, _MOST_AT_ONCE = 2, 1000
_TOGETHER = (
    ("account", "region"),
    ("domain", "certificate_arn"),
    ("mail_from", "mail_identity_arn"),
    ("subnet_ids", "security_group_ids"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage; every name outside follows from `app` and `name`.

    Attributes:
        account: the AWS account that it lives in, and
        region: its region; empty until the first deploy has written them.
    """

    app: str
    name: str
    live: bool
    cluster_name: str
    account: str = ""
    region: str = ""
    subnet_ids: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    domain: str = ""
    certificate_arn: str = ""
    hosted_zone_id: str = ""
    alarm_email: str = ""
    login_url: str = ""
    mail_from: str = ""
    mail_identity_arn: str = ""
    log_retention_days: int = 90
    workers_at_once: int = 5

    @property
    def deployment(self) -> str:
        """`<app>-<stage>`."""
        return f"{self.app}-{self.name}"

    @property
    def home(self) -> str:
        """`<account>/<region>`."""
        return f"{self.account}/{self.region}"

    @property
    def table(self) -> str:
        """The table's name."""
        return self.deployment

    @property
    def queue(self) -> str:
        """The queue's name."""
        return f"{self.deployment}-tenants.fifo"

    @property
    def dead_letters(self) -> str:
        """The dead-letter queue's name."""
        return f"{self.deployment}-tenants-dead.fifo"

    @property
    def parameters_path(self) -> str:
        """Where secrets and settings stand in SSM."""
        return f"/{self.app}/{self.name}"

    @property
    def stripe_mode(self) -> Mode:
        """Which keys are accepted."""
        return "live" if self.live else "test"

    def function(self, name: str) -> str:
        """The name that Chalice gives a function; the API's is the deployment's."""
        return self.deployment if name == "api_handler" else f"{self.deployment}-{name}"

    def stack(self, part: str) -> str:
        """The name of a CloudFormation stack."""
        return f"{self.deployment}-{part}"


def region_of(stage: Stage, env: Mapping[str, str]) -> str | None:
    """The region to work in: the stage's own; before it has one, what the environment says.

    AWS's tools read either of two names, boto3 and Chalice one of them. None: the profile's.

    Raises:
        Misconfigured: the environment names another than the stage's.
    """
    said = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION")
    if stage.region and said and said != stage.region:
        raise Misconfigured(
            f"[{stage.name}] lives in AWS account {stage.account}, {stage.region} "
            f"(infra/stages.toml), and the environment says {said}: nothing was done. "
            f"Unset AWS_REGION and AWS_DEFAULT_REGION, or name another stage"
        )
    return stage.region or said


def load(name: str) -> Stage:
    """One stage.

    Raises:
        Misconfigured: the file is wrong, or has no such stage.
    """
    stages = load_all()
    if name not in stages:
        raise Misconfigured(f"{FILE.name} has no [{name}]; it has {', '.join(stages)}")
    return stages[name]


def load_all() -> Mapping[str, Stage]:
    """All stages, by their names."""
    return parse(FILE.read_text("utf-8"), wiring.catalogue().product.app)


def parse(text: str, app: str) -> Mapping[str, Stage]:
    """Read the file.

    Raises:
        Misconfigured: every problem at once, each with its stage and key.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise Misconfigured(f"{FILE.name} is not TOML: {e}") from e
    problems: list[str] = []
    stages = {name: _stage(app, name, table, problems) for name, table in tables.items()}
    if problems:
        raise Misconfigured(f"{FILE.name}: " + "; ".join(problems))
    return stages


def _stage(app: str, name: str, table: Any, problems: list[str]) -> Stage:  # noqa: ANN401 - TOML
    known = {f.name: f for f in fields(Stage) if f.name not in {"app", "name"}}
    given = dict(table) if isinstance(table, dict) else {}
    if not _STAGE.fullmatch(name):
        problems.append(f"[{name}] must be lower case, at most 16 letters and digits")
    problems += [f"{name}.{key}: unknown key" for key in given if key not in known]
    values: dict[str, Any] = {}
    for key, field in known.items():
        value = given.get(key, None if field.default is MISSING else field.default)
        if isinstance(value, list):
            value = tuple(value)
        if not isinstance(value, _kind(field.type)):
            problems.append(f"{name}.{key}: must be a {_kind(field.type).__name__}, not {value!r}")
        values[key] = value
    problems += [
        f"{name}: {a} and {b} go together"
        for a, b in _TOGETHER
        if bool(values[a]) != bool(values[b])
    ]
    if values["account"] and not _ACCOUNT.fullmatch(str(values["account"])):
        problems.append(f"{name}.account: must be the twelve digits of an AWS account")
    if not _LEAST_AT_ONCE <= values["workers_at_once"] <= _MOST_AT_ONCE:
        problems.append(f"{name}.workers_at_once: must be 2 to 1000, as Lambda's pollers take it")
    if values["hosted_zone_id"] and not values["domain"]:
        problems.append(f"{name}: hosted_zone_id needs domain")
    if values["certificate_arn"] and ":us-east-1:" not in str(values["certificate_arn"]):
        problems.append(f"{name}.certificate_arn: CloudFront takes certificates of us-east-1 only")
    return Stage(app=app, name=name, **values)


def _kind(annotation: Any) -> type:  # noqa: ANN401 - a class, or a generic alias of tuple
    return annotation if isinstance(annotation, type) and annotation in {bool, int, str} else tuple
