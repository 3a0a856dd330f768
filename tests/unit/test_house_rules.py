"""Rules of the house that no linter knows."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("path", TESTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_test_states_a_behaviour(path):
    """Each test has a docstring: one sentence or two that say what holds."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            assert ast.get_docstring(node), f"{path.name}:{node.lineno} {node.name}"


def test_names_follow_from_app_and_stage(catalogue):
    """Chalice's own configuration and the catalogue name the same things."""
    config = (ROOT / ".chalice/config.json").read_text("utf-8")
    app = (ROOT / "app.py").read_text("utf-8")
    assert f'"app_name": "{catalogue.product.app}"' in config
    assert f'app_name="{catalogue.product.app}"' in app
    for stage in ("dev", "staging", "prod"):
        assert f'"TABLE_NAME": "{catalogue.deployment(stage)}"' in config
        assert f'"QUEUE_NAME": "{catalogue.deployment(stage)}-tenants.fifo"' in config


def test_pins_are_exact():
    """Every requirement names one version."""
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-data.txt"):
        lines = (ROOT / name).read_text("utf-8").splitlines()
        pins = [line for line in lines if line and not line.lstrip().startswith("#")]
        assert pins
        assert all(re.match(r"[\w.\[\],-]+==[\w.!+-]+( ;|$| \\)", pin) for pin in pins)
