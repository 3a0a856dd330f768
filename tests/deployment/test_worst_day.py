"""What the docs say that a day of abuse can cost, computed from the limits."""

from ops.deploying.limits import ALL, LIMITS
from ops.stages import ROOT

DAY = 24 * 3600


def rate(*verbs):
    return sum(LIMITS[f"~1api~1auth~1{verb}/POST"].rate for verb in verbs)


def test_the_docs_know_the_worst_day():
    """Sign-ups, mails and calls as the limits of the routes let them through."""
    text = (ROOT / "docs/going-live.md").read_text("utf-8")
    for what, a_second in (
        ("sign-ups", rate("signup")),
        ("mails", rate("signup", "resend", "password-reset")),
        ("calls of the API", LIMITS[ALL].rate),
    ):
        assert f"| {what} | {a_second * DAY:,} |" in text
