"""What is loaded before anything is asked: a cold start pays for every module."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = (
    "aws_lambda_powertools",
    "stripe",
    "kubernetes",
    "cryptography",
    "jwt",
    "boto3",
    "botocore",
    "pydantic",
    "requests",
)


@pytest.mark.parametrize("module", ["app", "chalicelib.entrypoints.worker"])
def test_a_start_loads_nothing_heavy(module):
    """The SDKs are loaded by the first call that needs them, and by no other."""
    code = f"import sys, {module}; print(*(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_a_start_needs_no_settings():
    """The CLI imports the app to deploy it, where there are none."""
    subprocess.run([sys.executable, "-c", "import app"], cwd=ROOT, env={}, check=True)
