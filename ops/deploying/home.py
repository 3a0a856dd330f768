"""Where a stage lives: one AWS account and one region, for good.

IAM, CloudFront and Stripe know no regions, and Stripe no AWS accounts: the same stage at two places
would be one stage there. So the first deploy writes the place into infra/stages.toml, and whatever
changes a stage looks first whether it is there.
"""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ops import chalice_files, stages
from ops.deploying.step import StepFailed
from ops.stages import Stage


@dataclass(frozen=True, slots=True)
class Home:
    """An account's id, and a region of it."""

    account: str
    region: str

    def __str__(self) -> str:
        """In words."""
        return f"AWS account {self.account} in {self.region}"


def here(session: boto3.Session) -> Home:
    """Where the environment's credentials lead.

    Raises:
        StepFailed: nowhere.
    """
    region = session.region_name
    if not region:
        raise StepFailed("no AWS region is set", "export AWS_REGION=eu-central-1, say")
    _known(session, region)
    try:
        return Home(session.client("sts").get_caller_identity()["Account"], region)
    except (BotoCoreError, ClientError) as e:
        raise StepFailed(
            f"AWS does not know you: {e}",
            "aws configure sso, or aws sso login, or export AWS_PROFILE",
        ) from e


def _known(session: boto3.Session, region: str) -> None:
    names = [
        name
        for partition in session.get_available_partitions()
        for name in session.get_available_regions("lambda", partition)
    ]
    if region not in names:
        near = difflib.get_close_matches(region, names, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise StepFailed(
            f"there is no AWS region {region}",
            f"{meant}`export AWS_REGION=…` (one that is younger than boto3 here needs a newer one)",
        )


def check(stage: Stage, home: Home) -> None:
    """Whether a stage lives there.

    Raises:
        StepFailed: it has no home yet, or another.
    """
    if not stage.account:
        raise StepFailed(
            f"[{stage.name}] of infra/stages.toml has no account and region yet; this is {home}",
            f"make deploy STAGE={stage.name} asks, and writes them; or write them yourself",
        )
    if (stage.account, stage.region) != (home.account, home.region):
        raise StepFailed(
            f"[{stage.name}] lives in {Home(stage.account, stage.region)} (infra/stages.toml), and "
            f"this is {home}: nothing was done",
            "take the credentials of that account (AWS_PROFILE), or name another stage",
        )


def settle(stage: Stage, home: Home, file: Path = stages.FILE) -> list[str]:
    """Write a stage's home into infra/stages.toml, and .chalice/ after it; which files of that."""
    text = file.read_text("utf-8")
    lines = f'account = "{home.account}"\nregion = "{home.region}"\n'
    table = re.compile(rf"^\[{re.escape(stage.name)}\][^\n]*\n", re.MULTILINE)
    file.write_text(table.sub(lambda found: found[0] + lines, text, count=1), "utf-8")
    return chalice_files.write()
