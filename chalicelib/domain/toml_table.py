"""One table of a TOML file, read key by key; what is wrong with it is noted, not raised."""

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from chalicelib.domain.kubernetes_names import (
    KEY_NAME,
    LABEL_VALUE,
    LONGEST_LABEL,
    LONGEST_SUBDOMAIN,
    QUANTITY,
    SUBDOMAIN,
)


class TomlTable:
    """One table of the file: takes keys with a check, and remembers what is wrong."""

    def __init__(self, name: str, raw: object, problems: list[str]) -> None:
        self._name = name
        self._problems = problems
        if not isinstance(raw, dict):
            problems.append(f"{name}: the section is missing")
        self._raw: dict[str, Any] = dict(raw) if isinstance(raw, dict) else {}
        self._present = isinstance(raw, dict)

    def problem(self, key: str, what: str) -> None:
        """Note what is wrong with a key."""
        self._problems.append(f"{self._name}.{key}: {what}")

    def refuse_rest(self) -> None:
        """Note every key that nobody has taken."""
        for key in self._raw:
            self.problem(key, "unknown key")

    def _take(self, key: str, fallback: Any, ok: Callable[[Any], bool], what: str) -> Any:  # noqa: ANN401 - TOML values are of any type until checked
        if key not in self._raw:
            if self._present:
                self.problem(key, "missing")
            return fallback
        value = self._raw.pop(key)
        if not ok(value):
            self.problem(key, f"{what}, not {value!r}")
            return fallback
        return value

    def optional(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._raw

    def string(
        self, key: str, pattern: re.Pattern[str] | None = None, *, longest: int | None = None
    ) -> str:
        """A text of this look, and of at most so many characters."""

        def ok(value: object) -> bool:
            return isinstance(value, str) and bool(pattern.fullmatch(value) if pattern else value)

        shape = f"must look like {pattern.pattern}" if pattern else "must be a text"
        text = str(self._take(key, "", ok, shape))
        self.limit(key, text, longest)
        return text

    def limit(self, key: str, text: str, longest: int | None) -> None:
        """Hold a text to a number of characters."""
        if longest is not None and len(text) > longest:
            self.problem(key, f"must have at most {longest} characters, not {len(text)}")

    def whole(self, key: str, least: int, *, most: int | None = None) -> int:
        """A whole number; the ends are in it."""

        def ok(value: object) -> bool:
            if not isinstance(value, int) or isinstance(value, bool):
                return False
            return least <= value and (most is None or value <= most)

        up_to = "" if most is None else f" to {most}"
        return int(self._take(key, least, ok, f"must be a whole number from {least}{up_to}"))

    def flag(self, key: str, *, default: bool | None = None) -> bool:
        """True or false; with a default the key may be missing."""
        if default is not None and not self.optional(key):
            return default
        return bool(
            self._take(key, default, lambda v: isinstance(v, bool), "must be true or false")
        )

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""

        def ok(value: object) -> bool:
            return (
                isinstance(value, list) and bool(value) and all(isinstance(v, str) for v in value)
            )

        return tuple(self._take(key, (), ok, "must be a list of texts"))

    def words(self, key: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
        """A list of texts of one look; it may be empty."""
        found = self._take(key, [], lambda v: isinstance(v, list), "must be a list of texts")
        for each in found:
            if not isinstance(each, str) or not pattern.fullmatch(each):
                self.problem(key, f"each must look like {pattern.pattern}, not {each!r}")
        return tuple(each for each in found if isinstance(each, str))

    def ranges(self, key: str, *, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of address ranges that a NetworkPolicy can speak of."""
        if default is not None and not self.optional(key):
            return default

        def ok(value: object) -> bool:
            return isinstance(value, list) and all(
                isinstance(v, str) and _is_range(v) for v in value
            )

        found = tuple(self._take(key, (), ok, "must be a list of address ranges (10.0.0.0/8)"))
        for each in found:
            if wrong := _unfit(ip_network(each)):
                self.problem(key, f"{each} {wrong}")
        return found

    def mapping(self, key: str, pattern: re.Pattern[str] | None = None) -> Mapping[str, str]:
        """A table of texts."""
        value = self._take(
            key, {}, lambda v: isinstance(v, dict) and bool(v), "must be a table of texts"
        )
        for name, text in value.items():
            if not isinstance(text, str) or (pattern and not pattern.fullmatch(text)):
                shape = "a Kubernetes quantity" if pattern is QUANTITY else "a text"
                self.problem(f"{key}.{name}", f"must be {shape}, not {text!r}")
        return dict(value)

    def keys(self, key: str, found: Mapping[str, str], *, longest: int = LONGEST_LABEL) -> None:
        """Hold the names of a table to what a key is in Kubernetes: `name`, or `prefix/name`."""
        for each in found:
            prefix, slash, name = each.rpartition("/")
            if not KEY_NAME.fullmatch(name):
                self.problem(f"{key}.{each}", f"its name must look like {KEY_NAME.pattern}")
            if slash and not SUBDOMAIN.fullmatch(prefix):
                self.problem(f"{key}.{each}", f"its prefix must look like {SUBDOMAIN.pattern}")
            self.limit(f"{key}.{each}", name, longest)
            self.limit(f"{key}.{each}", prefix, LONGEST_SUBDOMAIN)

    def label_values(self, key: str, found: Mapping[str, object]) -> None:
        """Hold the values of a table to what a label's is."""
        for name, text in found.items():
            if not isinstance(text, str):
                continue  # told already
            if not LABEL_VALUE.fullmatch(text):
                self.problem(f"{key}.{name}", f"must look like {LABEL_VALUE.pattern}, not {text!r}")
            self.limit(f"{key}.{name}", text, LONGEST_LABEL)


def _is_range(text: str) -> bool:
    """Whether it is a range as Kubernetes reads it: no netmask, no zone, no leading zeros."""
    try:
        return str(ip_network(text)) == text and "%" not in text
    except ValueError:
        return False


def _unfit(network: IPv4Network | IPv6Network) -> str | None:
    """Why no rule of a NetworkPolicy can speak of this range."""
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None:
        return (
            "is IPv4 written as IPv6, which the API server takes for no part of ::/0: "
            "name the IPv4 range; such addresses are IPv4 on the wire"
        )
    if network.prefixlen == 0:
        return "is every address: name a part of them"
    return None
