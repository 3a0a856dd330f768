"""`python -m ops.trimming --stage S`: Chalice's package, made quicker to start.

Chalice has no key for what to leave out, but it keeps each package that it builds in
`.chalice/deployments` under a hash of what went in, and takes it from there the next time. So it is
built by `chalice package` and trimmed where it stands, and `chalice deploy` uploads what was
trimmed. Without this step a deployment works as well, and starts slower.

The hash covers whatever is below chalicelib, its `__pycache__` too: nothing that runs here writes
bytecode, or Chalice would not know its package again and build another.
"""

import argparse
import io
import os
import py_compile
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = (sys.executable, "-B", "-c")
CHALICE = (*PYTHON, "import sys; from chalice.cli import main; sys.exit(main())")

UNUSED = re.compile(
    r"""
      aws_lambda_powertools/event_handler/  # its own routing: we have Chalice's
    | (requests|charset_normalizer)/        # the Stripe SDK's, if it is not given its HTTP
    | [^/]+\.dist-info/(?!METADATA$)        # versions are asked for, nothing else
    | (.*/)?(tests|__pycache__)/
    """,
    re.VERBOSE,
)
"""Files of dependencies that no code here needs."""

START = """
import importlib, pkgutil, sys
import app, aws_lambda_powertools.metrics, chalicelib, stripe
for module in pkgutil.walk_packages(chalicelib.__path__, "chalicelib."):
    importlib.import_module(module.name)
api = stripe.StripeClient("sk_test_").v1
api.billing_portal.sessions, api.checkout.sessions, api.customers, api.events, api.prices
api.subscriptions
stripe.Charge, stripe.Customer, stripe.Dispute, stripe.Event, stripe.ListObject, stripe.Price
stripe.Subscription, stripe.billing_portal.Session, stripe.checkout.Session
print(*sys.modules)
"""
"""Loads what the functions load; the rest of the SDKs would only add to the zip."""

TRIMMED = b"trimmed"
"""The zip's comment, which says that it was done."""


def trim(package: Path, root: Path = ROOT) -> None:
    """Leave out what is unused, and add the bytecode that a read-only file system cannot keep.

    The bytecode is for the Python that runs this, which is the one that Chalice packages for, and
    is not compared with its source at a start: both are in the same zip.
    """
    if is_trimmed(package):
        return
    with zipfile.ZipFile(package) as whole:
        names = [name for name in whole.namelist() if not UNUSED.match(name)]
        started = _started(root)
        draft = io.BytesIO()
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as lean:
            for name in sorted(names):
                info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
                info.external_attr = whole.getinfo(name).external_attr
                info.compress_type = zipfile.ZIP_DEFLATED
                data = whole.read(name)
                lean.writestr(info, data)
                if name in started:
                    cached = zipfile.ZipInfo(_cached(name), date_time=info.date_time)
                    lean.writestr(cached, _compiled(name, data), zipfile.ZIP_DEFLATED)
            lean.comment = TRIMMED
    package.write_bytes(draft.getvalue())


def is_trimmed(package: Path) -> bool:
    """Whether `trim` was here."""
    with zipfile.ZipFile(package) as opened:
        return opened.comment == TRIMMED


def _started(root: Path) -> frozenset[str]:
    """The files of all modules that a start loads."""
    said = subprocess.run(  # noqa: S603 - our own program
        [*PYTHON, START], cwd=root, check=True, capture_output=True, text=True
    ).stdout
    paths = [module.replace(".", "/") for module in said.split()]
    return frozenset(file for path in paths for file in (f"{path}.py", f"{path}/__init__.py"))


def _compiled(name: str, source: bytes) -> bytes:
    """The bytecode of a module."""
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder, "module.py"), Path(folder, "module.pyc")
        file.write_bytes(source)
        py_compile.compile(
            str(file), str(out), dfile=f"/var/task/{name}", doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )  # fmt: skip
        return out.read_bytes()


def _cached(name: str) -> str:
    folder, _, file = name.rpartition("/")
    cached = f"__pycache__/{file.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc"
    return f"{folder}/{cached}" if folder else cached


def prepare(stage: str, root: Path = ROOT, env: Mapping[str, str] = os.environ) -> None:
    """Have Chalice build the package of a stage, and trim it: its next command will take it.

    Raises:
        subprocess.CalledProcessError: Chalice failed; `stderr` has what it said.
    """
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(  # noqa: S603 - our own program
            [*CHALICE, "package", "--stage", stage, out],
            cwd=root, env=dict(env), check=True, capture_output=True, text=True,
        )  # fmt: skip
    for package in _packages(root):
        trim(package, root)


def built_anew(root: Path = ROOT) -> bool:
    """Whether Chalice has built a package since `prepare`, and so has used one as it makes them."""
    return not all(map(is_trimmed, _packages(root)))


def _packages(root: Path) -> Iterable[Path]:
    return (root / ".chalice" / "deployments").glob("*.zip")


def main() -> None:
    """Prepare the package of one stage."""
    parser = argparse.ArgumentParser(prog="python -m ops.trimming")
    parser.add_argument("--stage", required=True)
    try:
        prepare(parser.parse_args().stage)
    except subprocess.CalledProcessError as e:
        sys.exit(f"ops: chalice package failed:\n{e.stderr}")


if __name__ == "__main__":
    main()
