"""Node, and what `npm ci` installs for these tests."""

import os
import shutil
from pathlib import Path

import pytest

MODULES = Path(__file__).parents[3] / "node_modules"
STRIPE = MODULES / "stripe"
CHANGELOG = STRIPE / "CHANGELOG.md"
CLI = MODULES / "@stripe" / "cli-linux-x64" / "bin" / "stripe"


def needed(found, what):
    """Skip loudly without it; in CI it has to be there."""
    if found:
        return found
    if os.environ.get("CI"):
        raise AssertionError(f"{what} is needed in CI")
    return pytest.skip(f"NO CLIENT OF STRIPE'S: {what} is not here")


def node():
    """The interpreter, where stripe-node is."""
    needed(STRIPE.is_dir(), "stripe-node (npm ci)")
    return needed(shutil.which("node"), "Node")
