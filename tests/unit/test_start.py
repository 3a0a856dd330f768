"""What is loaded before anything is asked, and by the first of each: a start pays for each module."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.known import SETTINGS

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
OURS = "print(*sorted(m for m in sys.modules if m.split('.')[0] == 'chalicelib'))"
FIRST_WEBHOOK = """
import app, sys
from chalicelib import wiring
wiring.nudges(), wiring.queue(), wiring.deployment(), wiring.webhook_secrets(), wiring.livemode()
"""


def _python(code, **env):
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize("module", ["app", "chalicelib.entrypoints.worker"])
def test_a_start_loads_nothing_heavy(module):
    """The SDKs are loaded by the first call that needs them, and by no other."""
    code = f"import sys, {module}; print(*(m for m in {HEAVY!r} if m in sys.modules))"
    assert _python(code) == []


def test_a_start_needs_no_settings():
    """The CLI imports the app to deploy it, where there are none."""
    _python("import app")


def test_a_start_loads_few_modules():
    """Each of ours is a folder to look into and a file to read; what is not needed comes later."""
    assert len(_python(f"import app, sys; {OURS}")) <= 24


def test_the_first_webhook_loads_no_record_and_no_catalogue():
    """A nudge reads nothing: of the domain it needs the event, its line, and when to look."""
    loaded = set(_python(FIRST_WEBHOOK + OURS, **SETTINGS))
    assert loaded & {
        f"chalicelib.{name}"
        for name in (
            "domain.record", "domain.catalogue", "domain.decision", "domain.tenant",
            "domain.subscription", "gateways.items", "gateways.table", "gateways.parameters",
        )
    } == set()  # fmt: skip
    assert len(loaded) <= 36


def test_the_first_webhook_loads_no_boto3_and_no_other_sdk():
    """Botocore itself is enough for two clients."""
    code = FIRST_WEBHOOK + f"print(*(m for m in {HEAVY!r} if m in sys.modules))"
    assert _python(code, **SETTINGS) == ["botocore"]


def test_the_clients_read_no_more_than_their_own_data():
    """A fifth of a megabyte, of botocore's many."""
    code = (
        "import sys\n"
        "sys.addaudithook(lambda e, a: print(a[0]) if e == 'open' and isinstance(a[0], str)"
        " and a[0].endswith(('.json', '.json.gz')) else None)\n"
        f"{FIRST_WEBHOOK}"
    )
    files = [Path(f) for f in _python(code, **SETTINGS)]
    assert files
    assert {f.parts[f.parts.index("chalicelib") + 1] for f in files} == {"aws"}
    assert sum(f.stat().st_size for f in files) < 200_000


def test_the_way_to_the_cluster_loads_no_client_of_its_own():
    """Objects are plain and paths are known: a pool of connections is enough."""
    code = "import sys, chalicelib.gateways.cluster; print(*sys.modules)"
    loaded = {m.split(".")[0] for m in _python(code)}
    assert "urllib3" in loaded
    assert loaded & {*HEAVY, "yaml"} == set()
