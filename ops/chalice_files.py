"""The files of .chalice/, written from infra/stages.toml and `ops.rights`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chalicelib import wiring
from ops import rights
from ops.stages import ROOT, Stage, load_all

FOLDER = ROOT / ".chalice"

SIZES: Mapping[str, tuple[int, int]] = {
    rights.API: (512, 29),
    rights.WORKER: (512, 45),
    rights.SWEEP: (256, 45),
    rights.AUDIT: (512, 900),
}
"""Memory in MiB, and seconds: API Gateway waits 29, the queue hides six times 45, Lambda 900."""


def files() -> Mapping[str, str]:
    """Every file by its name."""
    stages = load_all()
    config = {
        "version": "2.0",
        "app_name": wiring.catalogue().product.app,
        "autogen_policy": False,
        "xray": True,
        "stages": {name: _stage(stage) for name, stage in stages.items()},
    }
    policies = {
        _policy_name(stage, function): rights.policy(function, stage)
        for stage in stages.values()
        for function in rights.FUNCTIONS
    }
    return {name: _text(body) for name, body in {"config.json": config, **policies}.items()}


def differing(folder: Path = FOLDER) -> list[str]:
    """Names of files that are not as they should be, or should not be there."""
    wanted = files()
    there = {path.name for path in folder.glob("*.json")}
    changed = [n for n, text in wanted.items() if n not in there or _read(folder / n) != text]
    return sorted([*changed, *(there - wanted.keys())])


def write(folder: Path = FOLDER) -> list[str]:
    """Put them right; the names of those that were not."""
    wanted, wrong = files(), differing(folder)
    folder.mkdir(exist_ok=True)
    for name in wrong:
        if name in wanted:
            (folder / name).write_text(wanted[name], "utf-8")
        else:
            (folder / name).unlink()
    return wrong


def _stage(stage: Stage) -> Mapping[str, Any]:
    return {
        # Part of the API's own address, which the CDN hides. All APIs are called by the app's name,
        # so this is what tells one stage's metrics from another's.
        "api_gateway_stage": stage.name,
        "api_gateway_endpoint_type": "REGIONAL",
        "environment_variables": {
            "STAGE": stage.name,
            "TABLE_NAME": stage.table,
            "QUEUE_NAME": stage.queue,
            "PARAMETERS_PATH": stage.parameters_path,
            "STRIPE_MODE": stage.stripe_mode,
            "WORKERS_AT_ONCE": str(stage.workers_at_once),
        },
        "lambda_functions": {name: _function(name, stage) for name in rights.FUNCTIONS},
    }


def _function(name: str, stage: Stage) -> Mapping[str, Any]:
    memory, timeout = SIZES[name]
    function: dict[str, Any] = {
        "iam_policy_file": _policy_name(stage, name),
        "lambda_memory_size": memory,
        "lambda_timeout": timeout,
    }
    if name in rights.CLUSTER:
        function["environment_variables"] = {"CLUSTER_NAME": stage.cluster_name}
        if stage.subnet_ids:
            function["subnet_ids"] = list(stage.subnet_ids)
            function["security_group_ids"] = list(stage.security_group_ids)
    return function


def _policy_name(stage: Stage, function: str) -> str:
    return f"policy-{stage.name}-{'api' if function == rights.API else function}.json"


def _text(body: Mapping[str, Any]) -> str:
    return json.dumps(body, indent=2) + "\n"


def _read(path: Path) -> str:
    return path.read_text("utf-8")
