"""What holds for a tenant at one moment: the answer of the policy, as data."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["active", "provisioning", "canceled", "past_due", "none"]
Wanted = Literal["running", "suspended", "absent", "as it was"]
StoppedBy = Literal["hold", "dispute"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for a tenant at one moment.

    Attributes:
        status: what the page says.
        active: whether the customer is entitled to a running tenant.
        plan_id: the plan that is given; None where there is none, or it is not ours.
        wanted: what the namespace should be.
        stopped_by: what suspends it although it is paid for; None where nothing does.
    """

    status: Status
    active: bool
    plan_id: str | None
    wanted: Wanted
    stopped_by: StoppedBy | None = None


NOTHING = Standing("none", active=False, plan_id=None, wanted="absent")
"""How whoever was never looked at stands."""
