"""The labels and annotations by which we know our own in the cluster."""

from dataclasses import dataclass

from chalicelib.domain.catalogue import Product

MANAGED_BY = "app.kubernetes.io/managed-by"


@dataclass(frozen=True, slots=True)
class Labels:
    """Their names; `domain` is the part before the slash of those that are ours."""

    app: str
    domain: str

    @classmethod
    def of(cls, product: Product) -> "Labels":
        """As the product has them."""
        return cls(product.app, product.label_domain)

    @property
    def selector(self) -> str:
        """Selects what is ours, as lists take it."""
        return f"{MANAGED_BY}={self.app}"

    @property
    def tenant(self) -> str:
        """A label: whose it is."""
        return f"{self.domain}/tenant"

    @property
    def plan(self) -> str:
        """A label: the plan that it was applied for."""
        return f"{self.domain}/plan"

    @property
    def suspended(self) -> str:
        """An annotation of the namespace: `true` from before anything stops until all runs again.

        On a DaemonSet it is a node selector, which no node satisfies.
        """
        return f"{self.domain}/suspended"

    @property
    def size(self) -> str:
        """An annotation of a stopped workload: how many replicas it had, or that it ran."""
        return f"{self.domain}/size-before-suspension"

    @property
    def claims(self) -> str:
        """An annotation of a stopped StatefulSet: what scaling it down would do to its claims."""
        return f"{self.domain}/claims-when-scaled"

    @property
    def fitted(self) -> str:
        """An annotation of the namespace: `true` while something in it is smaller, to fit a plan.

        On a DaemonSet it is a node selector, which no node satisfies.
        """
        return f"{self.domain}/fitted"

    @property
    def unfitted_size(self) -> str:
        """An annotation of a workload that was made smaller to fit: how many replicas it had."""
        return f"{self.domain}/size-before-fitting"

    @property
    def objects(self) -> str:
        """An annotation of the namespace: what we have applied into it, to be pruned one day."""
        return f"{self.domain}/objects"

    def entitlement(self, name: str) -> str:
        """An annotation of the namespace: one thing that the plan entitles to."""
        return f"{self.domain}/entitlement.{name}"
