"""The catalogue and what Stripe holds of it: `wanted` against `look`, and `push` for the rest.

`comparing` is pure; `at_stripe` asks and carries out.
"""

from ops.plans.at_stripe import look, push
from ops.plans.comparing import Change, changes
from ops.plans.wanted import wanted

__all__ = ["Change", "changes", "look", "push", "wanted"]
