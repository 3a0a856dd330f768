"""Connections that are kept, for the gateways whose libraries do not bring any."""

import ssl
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from urllib3 import PoolManager, ProxyManager
from urllib3.util import create_urllib3_context, make_headers

CONNECTIONS = 12
"""To keep at most: a tenant's objects are written side by side."""


def pool_to(
    server: str,
    *,
    ca_file: str | None = None,
    ca_data: str | None = None,
    **how: Any,  # noqa: ANN401 - urllib3's own: timeout, retries
) -> PoolManager:
    """A pool for one server, that threads may share; by the proxy that the environment names.

    Authorities are read once here, and not at each connection: from a file or a text, both PEM,
    or else the system's own.
    """
    context = create_urllib3_context()
    if ca_data:
        # A cluster's own authority often lacks extensions that Python insists on since 3.13 (EKS's
        # lacked its key identifier for years). It is this authority or none, all the same.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if ca_file or ca_data:
        context.load_verify_locations(cafile=ca_file, cadata=ca_data)
    else:
        context.load_default_certs()
    how |= {"maxsize": CONNECTIONS, "ssl_context": context}
    proxy = _proxy(server)
    if proxy is None:
        return PoolManager(**how)
    who = urlsplit(proxy)
    if who.username:
        given = f"{unquote(who.username)}:{unquote(who.password or '')}"
        how["proxy_headers"] = make_headers(proxy_basic_auth=given)
    return ProxyManager(proxy, **how)


def _proxy(server: str) -> str | None:
    """What HTTPS_PROXY, ALL_PROXY and NO_PROXY say, as botocore reads them."""
    address = urlsplit(server)
    if proxy_bypass(address.netloc):
        return None
    proxies = getproxies()
    return proxies.get(address.scheme) or proxies.get("all")
