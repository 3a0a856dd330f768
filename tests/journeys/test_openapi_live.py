"""The running API held to docs/openapi.yaml by schemathesis: nothing undocumented, nothing broken."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.conftest import ROOT
from tests.journeys.shop import Customer

EXAMPLES = "40"
# A plan id is any text to the schema, and most are refused: that is not a contradiction.
TOO_STRICT = "positive_data_acceptance"


@pytest.mark.slow
@pytest.mark.parametrize("signed_in", [True, False])
def test_every_answer_is_a_documented_one(sandbox, tmp_path, signed_in):
    """Valid, malformed and hostile requests to every route: no 5xx, no status or shape unknown."""
    header = []
    if signed_in:
        header = ["-H", f"Authorization: Bearer {Customer(sandbox).sign_in().token}"]
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")), "run",
            str(ROOT / "docs/openapi.yaml"), "--url", sandbox.url("site"), *header,
            "--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES,
            "--exclude-checks", TOO_STRICT, "--seed", "1", "--warnings", "off", "--no-color",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-1000:]
