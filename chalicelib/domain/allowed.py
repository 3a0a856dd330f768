"""What a plan lets its tenants say to the cluster: closed unless a plan's list opens it.

The lists travel as annotations of the tenant's namespace, where the admission policies of
`infra/cluster.yaml` read them. Only the worker writes those.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

Words = tuple[str, ...]

ANYWHERE = "*"
"""In `registries`: every registry."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """One plan's lists; empty is nothing.

    Attributes:
        node_selectors: labels of nodes, as `key` or `key=value`, that a pod may ask for.
        tolerations: taints that a pod may tolerate, as `kubectl taint` writes them:
            `key=value:Effect`, `key:Effect` for any value, `key` for any effect.
        storage_classes: besides the cluster's default class, which needs no name.
        ingress_classes: a Gateway, for routes, is `namespace/name`.
        ingress_annotations: their keys.
        extended_resources: such as `nvidia.com/gpu` and `hugepages-2Mi`; how many is the quota's
            to say.
        registries: `host`, or `host/path`, that images come from; `*` is anywhere.
        object_kib: how large an object may be, in KiB as it is written; `data_kib`, a ConfigMap or
            a Secret.
    """

    node_selectors: Words = ()
    tolerations: Words = ()
    runtime_classes: Words = ()
    storage_classes: Words = ()
    ingress_classes: Words = ()
    ingress_annotations: Words = ()
    extended_resources: Words = ()
    registries: Words = (ANYWHERE,)
    object_kib: int = 64
    data_kib: int = 256

    @property
    def words(self) -> Mapping[str, str]:
        """By name, as Kubernetes writes names, what an annotation says: words and commas."""
        found = {field.name.replace("_", "-"): getattr(self, field.name) for field in fields(self)}
        return {
            name: ",".join(value) if isinstance(value, tuple) else str(value)
            for name, value in found.items()
        }


NOTHING_MORE = Allowed()
"""As a plan has it that opens nothing."""
