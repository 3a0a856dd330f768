"""docs/limits.md is what ops/growth.py computes."""

from ops import growth, stages

PAGE = (stages.ROOT / "docs/limits.md").read_text("utf-8")


def test_the_page_has_the_computed_tables():
    """A limit that is moved in the code is moved on the page."""
    assert growth.table() in PAGE
    assert growth.by_size() in PAGE


def test_the_worker_is_counted_as_a_stage_has_it():
    """The page is about the default."""
    assert stages.load("dev").workers_at_once == 5
    assert any(
        "5 at once" in limit.what for limit in growth.first_met(stages.load("dev").workers_at_once)
    )


def test_more_workers_move_their_limit_and_no_other():
    """Twice as many look at twice as many tenants."""
    few = {limit.what.split(":")[0]: limit.tenants for limit in growth.first_met(5)}
    many = {limit.what.split(":")[0]: limit.tenants for limit in growth.first_met(10)}
    changed = {name for name in few if few[name] != many[name]}
    assert changed == {"the worker"}
    assert many["the worker"] // 1000 == 2 * few["the worker"] // 1000
