"""Figures for CloudWatch, in its embedded metric format: a line on standard output, no call.

Webhook and sale do not come here: CloudWatch counts their log lines (`infra/alarms.yaml`), so that
their cold starts do not pay for what writes this format. That is loaded by the first figure.
"""

from typing import TYPE_CHECKING, Literal

from chalicelib import wiring

if TYPE_CHECKING:
    from aws_lambda_powertools.metrics import MetricUnit

Name = Literal[
    "AuditFindings",
    "Duplicates",
    "DuplicatesRefused",
    "PayToReady",
    "EventsLag",
    "PendingAge",
    "ReconcileFailures",
    "ReconcileTime",
]
"""All there are besides those; docs/operations.md says what each is."""


def count(name: Name, **dimensions: str) -> None:
    """One more."""
    from aws_lambda_powertools.metrics import MetricUnit  # noqa: PLC0415 - see above

    _write(name, MetricUnit.Count, 1, dimensions)


def seconds(name: Name, value: float, **dimensions: str) -> None:
    """How long something took."""
    from aws_lambda_powertools.metrics import MetricUnit  # noqa: PLC0415 - see above

    _write(name, MetricUnit.Seconds, value, dimensions)


def _write(name: Name, unit: "MetricUnit", value: float, dimensions: dict[str, str]) -> None:
    from aws_lambda_powertools.metrics import single_metric  # noqa: PLC0415 - see above

    deployment = wiring.deployment()
    with single_metric(name, unit, value, namespace=deployment) as metric:
        for dimension, text in dimensions.items():
            metric.add_dimension(dimension, text)
