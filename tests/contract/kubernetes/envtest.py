"""etcd and kube-apiserver, started for the tests as controller projects do, and ended with them.

There are no controllers: quotas are not counted, and nothing empties a namespace.
"""

import atexit
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import urllib3
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

TOKEN = "administrator"
LONGEST = 60
"""Seconds that it may take to answer."""


def started(assets):
    """Address, certificate authority and an administrator's token of a new API server."""
    folder = Path(tempfile.mkdtemp(prefix="envtest-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    client, peer, port = _free(), _free(), _free()
    _run(
        Path(assets) / "etcd",
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls=http://127.0.0.1:{client}",
        f"--advertise-client-urls=http://127.0.0.1:{client}",
        f"--listen-peer-urls=http://127.0.0.1:{peer}",
        "--unsafe-no-fsync",
        log=folder / "etcd.log",
    )
    key, tokens = folder / "sa.key", folder / "tokens.csv"
    key.write_bytes(
        rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    tokens.write_text(f'{TOKEN},admin,admin,"system:masters"\n')
    _run(
        Path(assets) / "kube-apiserver",
        f"--etcd-servers=http://127.0.0.1:{client}",
        f"--cert-dir={folder}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        "--authorization-mode=RBAC",
        f"--token-auth-file={tokens}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--disable-admission-plugins=ServiceAccount",
        log=folder / "kube-apiserver.log",
    )
    return f"https://127.0.0.1:{port}", _ready(folder, port), TOKEN


def _run(program, *arguments, log):
    with log.open("wb") as out:
        process = subprocess.Popen([program, *arguments], stdout=out, stderr=out)
    atexit.register(process.wait)
    atexit.register(process.terminate)


def _ready(folder, port):
    until, certificate = time.monotonic() + LONGEST, folder / "apiserver.crt"
    while time.monotonic() < until:
        if certificate.exists():
            ca = certificate.read_text()
            try:
                pool = urllib3.PoolManager(ca_cert_data=ca, retries=False)
                if pool.request("GET", f"https://127.0.0.1:{port}/readyz").status == 200:
                    return ca
            except urllib3.exceptions.HTTPError:
                pass
        time.sleep(0.2)
    raise TimeoutError((folder / "kube-apiserver.log").read_text()[-2000:])


def _free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
