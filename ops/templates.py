"""The CloudFormation templates of infra/, and the routing function that goes into one of them."""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from chalicelib.domain.catalogue import Product
from ops import pages
from ops.stages import INFRA

MOST_OF_A_FUNCTION = 10_240
"""Bytes that CloudFront takes."""


class _Loader(yaml.SafeLoader):
    """Reads a template as data; `!Ref x` and its kin become `{"Ref": x}`."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Mapping[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    raise yaml.YAMLError(f"!{suffix} of a mapping is not used here")


_Loader.add_multi_constructor("!", _function)


def parsed(body: str) -> Mapping[str, Any]:
    """A template as data."""
    found: Mapping[str, Any] = yaml.load(body, Loader=_Loader)  # noqa: S506 - a safe loader
    return found


def body(part: str, product: Product) -> str:
    """The text of a template (`data`, `edge`, `alarms`), ready for CloudFormation."""
    text = (INFRA / f"{part}.yaml").read_text("utf-8")
    # JSON's strings are YAML's, too.
    return text.replace('"{{routing.js}}"', json.dumps(routing(product), ensure_ascii=False))


def routing(product: Product) -> str:
    """The routing function of the pages as they are."""
    not_found = pages.content("404.html", product).decode()
    return routing_of(list(pages.names()), not_found, site_headers())


def routing_of(files: list[str], not_found: str, headers: Mapping[str, str]) -> str:
    """The routing function for these files, with the 404 page and the headers put in."""
    text = (INFRA / "routing.js").read_text("utf-8")
    for name, value in (
        ("{{FILES}}", files),
        ("{{NOT_FOUND}}", not_found),
        ("{{HEADERS}}", {k.lower(): v for k, v in headers.items()}),
    ):
        text = text.replace(name, json.dumps(value, ensure_ascii=False))
    return text


def site_headers() -> Mapping[str, str]:
    """The headers that the CDN puts on every answer, by the template's own word."""
    edge = parsed((INFRA / "edge.yaml").read_text("utf-8"))
    config = edge["Resources"]["SiteHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    transport = security["StrictTransportSecurity"]
    headers = {
        "Content-Security-Policy": security["ContentSecurityPolicy"]["ContentSecurityPolicy"],
        "Strict-Transport-Security": f"max-age={transport['AccessControlMaxAgeSec']}"
        + ("; includeSubDomains" if transport.get("IncludeSubdomains") else "")
        + ("; preload" if transport.get("Preload") else ""),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": security["FrameOptions"]["FrameOption"],
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
    }
    custom = config["CustomHeadersConfig"]["Items"]
    return headers | {item["Header"]: item["Value"] for item in custom}
