"""What a NetworkPolicy's peers may be: the API server's ValidateNetworkPolicyPeer."""

import re
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network

from sandbox.kubernetes.kinds import Object
from sandbox.kubernetes.statuses import Invalid

_REQUIRED = "FieldValueRequired"
_PREFIX = re.compile(r"[^/%]+/(0|[1-9]\d{0,2})")
_NO_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
_MAPPED = 96
"""Bits before an IPv4 address that is written as IPv6."""

_Network = IPv4Network | IPv6Network


def network_policy(spec: Object) -> Iterator[Invalid]:
    """What is wrong with the peers of a policy."""
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for number, rule in enumerate(spec.get(direction) or []):
            for index, peer in enumerate(rule.get(side) or []):
                yield from _peer(peer, f"spec.{direction}[{number}].{side}[{index}]")


def _peer(peer: Object, field: str) -> Iterator[Invalid]:
    given = [each for each in ("podSelector", "namespaceSelector", "ipBlock") if each in peer]
    if not given:
        yield Invalid(field, "Required value: must specify a peer", _REQUIRED)
    if "ipBlock" in given:
        yield from _block(peer["ipBlock"] or {}, f"{field}.ipBlock")
        if len(given) > 1:
            why = "Forbidden: may not specify both ipBlock and another peer"
            yield Invalid(field, why, "FieldValueForbidden")


def _block(block: Object, field: str) -> Iterator[Invalid]:
    cidr = block.get("cidr")
    if not cidr:
        yield Invalid(f"{field}.cidr", "Required value", _REQUIRED)
        return
    whole = _read(cidr)
    if whole is None:
        yield Invalid(f"{field}.cidr", f'Invalid value: "{cidr}": {_NO_CIDR}')
        return
    for index, text in enumerate(block.get("except") or []):
        part = _read(text)
        if part is None or not _strictly_within(part, whole):
            why = _NO_CIDR if part is None else "must be a strict subset of `cidr`"
            yield Invalid(f"{field}.except[{index}]", f'Invalid value: "{text}": {why}')


def _read(text: str) -> _Network | None:
    if not _PREFIX.fullmatch(text):
        return None
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _strictly_within(part: _Network, whole: _Network) -> bool:
    """As Go's net.IPNet.Contains sees it, where an IPv4-mapped address is no IPv6 one."""
    inner, outer = _unwrapped(part), _unwrapped(whole)
    return (
        inner.version == outer.version
        and inner.network_address in outer
        and whole.prefixlen < part.prefixlen
    )


def _unwrapped(network: _Network) -> _Network:
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    return network if mapped is None else IPv4Network((mapped, network.prefixlen - _MAPPED))
