"""`python -m ops.aws_models`: writes chalicelib/aws/, which is what botocore reads at a cold start.

botocore describes all of AWS: before the first call it looks into four hundred folders, and parses
a megabyte of endpoints and hundreds of operations. Its loader reads from whatever folder it is
given, so what is written here is its own data without what nothing here calls, and the certificates
of the one authority that signs for AWS. Run it after an update of boto3 or certifi; a test says
when it is needed.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import certifi
from botocore.loaders import Loader

FOLDER = Path(__file__).parents[1] / "chalicelib" / "aws"
OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "dynamodb": (
        "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "TransactWriteItems", "UpdateItem",
    ),
    "eks": ("DescribeCluster",),
    "sqs": ("ChangeMessageVisibility", "GetQueueUrl", "SendMessage"),
    "ssm": ("GetParametersByPath",),
}  # fmt: skip
"""Every operation of these services that the code calls. Other services are read from botocore."""

_WHOLE_OF_A_SERVICE = ("endpoint-rule-set-1", "paginators-1")
_WHOLE = ("_retry", "partitions", "sdk-default-configuration")

ROOTS = (
    "Amazon Root CA 1",
    "Amazon Root CA 2",
    "Amazon Root CA 3",
    "Amazon Root CA 4",
    "Starfield Services Root Certificate Authority - G2",
)
"""Amazon Trust Services, as https://www.amazontrust.com/repository/ lists it."""

_ROOT = re.compile(
    r'^# Label: "(?P<label>[^"]+)".*?'
    r"(?P<pem>-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n)",
    re.DOTALL | re.MULTILINE,
)
_PROSE = frozenset({"documentation", "documentationUrl", "examples"})


def files() -> Iterator[tuple[Path, str]]:
    """Each file below chalicelib/aws/, and what should be in it."""
    loader = Loader()
    for service, operations in OPERATIONS.items():
        version = loader.determine_latest_version(service, "service-2")
        model = _only(loader.load_service_model(service, "service-2", version), operations)
        folder = FOLDER / service / version
        yield folder / "service-2.json", _text(model)
        for name in _WHOLE_OF_A_SERVICE:
            yield folder / f"{name}.json", _text(loader.load_service_model(service, name, version))
    for name in _WHOLE:
        yield FOLDER / f"{name}.json", _text(loader.load_data(name))
    yield FOLDER / "endpoints.json", _text(_endpoints(loader.load_data("endpoints")))
    yield FOLDER / "roots.pem", _roots()


def _only(model: Mapping[str, Any], operations: tuple[str, ...]) -> dict[str, Any]:
    """A service's model with these operations and the shapes that they reach."""
    kept = {name: model["operations"][name] for name in operations}
    shapes: dict[str, Any] = {}
    waiting = list(_shapes_in(kept))
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            waiting += _shapes_in(shapes[name])
    return {**model, "operations": kept, "shapes": dict(sorted(shapes.items()))}


def _shapes_in(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("shape"), str):
            yield part["shape"]
        for inner in part.values():
            yield from _shapes_in(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _shapes_in(inner)


def _endpoints(data: Mapping[str, Any]) -> dict[str, Any]:
    """All partitions and regions, and of their services ours."""
    partitions = [
        {**p, "services": {k: v for k, v in p["services"].items() if k in OPERATIONS}}
        for p in data["partitions"]
    ]
    return {**data, "partitions": partitions}


def _roots() -> str:
    bundle = Path(certifi.where()).read_text("utf-8")
    found = {match["label"]: match["pem"] for match in _ROOT.finditer(bundle)}
    return "".join(f"# {label}\n{found[label]}" for label in ROOTS)


def _text(data: object) -> str:
    return json.dumps(_without_prose(data), separators=(",", ":")) + "\n"


def _without_prose(part: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(part, dict):
        return {k: _without_prose(v) for k, v in part.items() if k not in _PROSE}
    if isinstance(part, list):
        return [_without_prose(inner) for inner in part]
    return part


def main() -> None:
    """Write them."""
    for file, text in files():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
