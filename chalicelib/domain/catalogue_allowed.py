"""Reads what a plan lets its tenants say; what is wrong with it is noted by plan and key."""

import re

from chalicelib.domain.allowed import NOTHING_MORE, Allowed, Words
from chalicelib.domain.kubernetes_names import KEY_NAME, LABEL_VALUE, SUBDOMAIN
from chalicelib.domain.toml_table import TomlTable

_KEY = rf"({SUBDOMAIN.pattern}/)?{KEY_NAME.pattern}"
_VALUE = LABEL_VALUE.pattern

_LOOKS = {
    "node_selectors": re.compile(rf"{_KEY}(={_VALUE})?"),
    "tolerations": re.compile(rf"{_KEY}(={_VALUE})?(:(NoSchedule|PreferNoSchedule|NoExecute))?"),
    "runtime_classes": SUBDOMAIN,
    "storage_classes": SUBDOMAIN,
    "ingress_classes": re.compile(rf"({SUBDOMAIN.pattern}/)?{SUBDOMAIN.pattern}"),
    "ingress_annotations": re.compile(_KEY),
    "extended_resources": re.compile(rf"{SUBDOMAIN.pattern}/{KEY_NAME.pattern}|hugepages-\w+"),
    "registries": re.compile(
        rf"\*|{SUBDOMAIN.pattern}(:\d+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
    ),
}  # fmt: skip
"""No word has a comma in it: it parts them on the namespace."""

LARGEST_KIB = 1024
"""What the API server takes of a ConfigMap's or a Secret's data, and about what etcd takes."""


def read(table: TomlTable) -> Allowed:
    """The lists of one plan; a list that is not given is closed, `registries` alone is open."""

    def words(key: str, unset: Words = ()) -> Words:
        return table.words(key, _LOOKS[key]) if table.optional(key) else unset

    def kib(key: str, unset: int) -> int:
        return table.whole(key, 1, most=LARGEST_KIB) if table.optional(key) else unset

    return Allowed(
        node_selectors=words("node_selectors"),
        tolerations=words("tolerations"),
        runtime_classes=words("runtime_classes"),
        storage_classes=words("storage_classes"),
        ingress_classes=words("ingress_classes"),
        ingress_annotations=words("ingress_annotations"),
        extended_resources=words("extended_resources"),
        registries=words("registries", NOTHING_MORE.registries),
        object_kib=kib("object_kib", NOTHING_MORE.object_kib),
        data_kib=kib("data_kib", NOTHING_MORE.data_kib),
    )
