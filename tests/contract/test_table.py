"""The table's promises to the services: conditions, transactions, and the index of deadlines."""

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from chalicelib import wiring
from chalicelib.domain.due import due_shard_of
from chalicelib.domain.errors import Conflict, FreeFull, Temporary
from chalicelib.domain.record import FreeGrant, Record, User
from chalicelib.domain.timeline import Line
from chalicelib.ports import DisputeFound

NOW = 1_800_000_000
USER = User(issuer="https://issuer.example", subject="u-1", email="ada@example.com")
TENANT = USER.tenant_id


@pytest.fixture
def table(aws):
    return wiring.records()


@pytest.fixture
def created(table):
    """A first record, as it stands in the table."""
    table.create(Record(tenant_id=TENANT, user=USER))
    return table.read(TENANT)


def line(name, text="something"):
    return Line(created=NOW, id=name, kind="event", text=text)


def test_a_record_comes_back_as_it_was_written(table):
    """Whatever was in it, and nothing else."""
    record = Record(tenant_id=TENANT, user=USER, free=FreeGrant(started_at=NOW), free_until=NOW + 5)
    table.create(record)
    assert table.read(TENANT) == record
    assert table.read("0" * 16) is None


def test_a_lines_end_is_by_policy(table, created, aws):
    """Whatever wrote it: thirteen months as it ships, and by the table's own means."""
    table.nudge(TENANT, NOW, line=line("by a nudge"))
    table.save(
        table.read(TENANT),
        replace(table.read(TENANT), customer_id="cus_1"),
        lines=[line("by a decision")],
    )
    wiring.nudges().nudge(TENANT, NOW, line=line("by a webhook"))
    lines = [item for (_, sk), item in aws.items().items() if sk.startswith("LINE#")]
    days = wiring.catalogue().policy.timeline_days
    assert (len(lines), days) == (3, 396)
    assert {item["expires_at"] for item in lines} == {NOW + days * 24 * 3600}


def test_a_record_is_made_once(table, created):
    """Two first requests at once: one of them starts over."""
    with pytest.raises(Conflict):
        table.create(created)


def test_a_stale_decision_is_not_written(table, created):
    """Whoever read before somebody else's write has to look again."""
    table.save(created, replace(created, customer_id="cus_1"))
    with pytest.raises(Conflict):
        table.save(created, replace(created, customer_id="cus_2"))
    assert table.read(TENANT).customer_id == "cus_1"
    assert table.tenant_of("cus_1") == TENANT
    assert table.tenant_of("cus_2") is None


def test_a_nudge_leaves_the_version_alone(table, created):
    """It asks for a look; it decides nothing."""
    assert table.nudge(TENANT, NOW, line=line("evt_1")) == "nudged"
    now = table.read(TENANT)
    assert (now.nudged, now.version) == (created.nudged + 1, created.version)
    assert (now.retry_at, now.due_at) == (NOW + 60, NOW + 60)


def test_a_line_nudges_once(table, created):
    """The same event, delivered twice, is one line and one nudge."""
    table.nudge(TENANT, NOW, line=line("evt_1"))
    assert table.nudge(TENANT, NOW, line=line("evt_1")) == "duplicate"
    assert table.read(TENANT).nudged == 1


def test_nobody_is_nudged_into_being(table):
    """An unknown tenant stays unknown, and gets no line."""
    assert table.nudge(TENANT, NOW, line=line("evt_1")) == "unknown"
    assert table.read(TENANT) is None


def test_polls_nudge_at_most_every_ten_seconds(table, created):
    """However often the page asks."""
    told = [table.nudge(TENANT, NOW + at, polled=True) for at in (0, 1, 9, 10, 11)]
    assert told == ["nudged", "duplicate", "duplicate", "nudged", "duplicate"]


def test_what_is_irreversible_gives_way_to_a_nudge(table, created):
    """A claim fails if anything was asked for since it was decided."""
    table.nudge(TENANT, NOW)
    with pytest.raises(Conflict):
        table.save(created, replace(created, phase="deleting"), nothing_new=True)


def test_a_reconcile_ends_without_a_deadline_of_its_nudges(table, created):
    """Nothing came meanwhile: nothing is pending, nothing is due."""
    table.nudge(TENANT, NOW)
    before = table.read(TENANT)
    table.conclude(before, replace(before, reconciled=1, retry_at=None, due_at=None))
    after = table.read(TENANT)
    assert (after.pending, after.due_at) == (False, None)
    assert list(table.due(NOW + 1000)) == []


def test_a_nudge_during_a_reconcile_stays_pending_and_due(table, created):
    """What was decided is written, and what came meanwhile is not forgotten."""
    table.nudge(TENANT, NOW)
    before = table.read(TENANT)
    table.nudge(TENANT, NOW + 7, line=line("evt_2"))
    done = replace(before, reconciled=before.nudged, phase="running", retry_at=None, due_at=None)
    table.conclude(before, done, lines=[line("cluster-1")])
    after = table.read(TENANT)
    assert (after.phase, after.pending, after.due_at) == ("running", True, NOW + 67)
    assert created.version + 1 == after.version


def test_a_decision_during_a_reconcile_makes_it_start_over(table, created):
    """If the version moved, what was decided is void."""
    table.nudge(TENANT, NOW)
    before = table.read(TENANT)
    table.save(before, replace(before, customer_id="cus_1"))
    with pytest.raises(Conflict):
        table.conclude(before, replace(before, reconciled=1))


def test_what_is_due_is_found_in_order(table):
    """Only what has come, each with what the sweep must know of it."""
    for n in range(20):
        user = replace(USER, subject=f"u-{n}")
        table.create(Record(tenant_id=user.tenant_id, user=user))
        table.nudge(user.tenant_id, NOW + n)
    table.keep_event("evt_9", line("evt_9"), NOW)
    found = list(table.due(NOW + 60 + 9))
    assert len([d for d in found if d.tenant_id]) == 10
    assert [d.event_id for d in found if d.event_id] == ["evt_9"]
    assert all(d.pending for d in found)
    for shard in range(8):
        mine = [d.due_at for d in found if d.tenant_id and due_shard_of(d.tenant_id) == str(shard)]
        assert mine == sorted(mine)


def test_what_was_put_off_comes_again_unless_it_changed(table, created):
    """The sweep's note is void if a nudge came in between."""
    table.nudge(TENANT, NOW)
    (due,) = table.due(NOW + 60)
    table.put_off(due, NOW + 70)
    assert (table.read(TENANT).due_at, table.read(TENANT).attempts) == (NOW + 70, 1)
    (due,) = table.due(NOW + 70)
    table.nudge(TENANT, NOW + 65)
    table.put_off(due, NOW + 500)
    assert table.read(TENANT).due_at == NOW + 125


def test_free_grants_are_counted_with_the_grant(table, created):
    """The cap holds in the same write, and a place that is given back can be had again."""
    granted = replace(created, free=FreeGrant(started_at=NOW))
    other = replace(USER, subject="u-2")
    table.create(Record(tenant_id=other.tenant_id, user=other))
    second = table.read(other.tenant_id)
    granted = table.save(created, granted, free_change=1, free_cap=1)
    with pytest.raises(FreeFull):
        table.save(second, replace(second, free=granted.free), free_change=1, free_cap=1)
    assert table.read(other.tenant_id).free is None
    table.save(granted, replace(granted, free=None), free_change=-1)
    table.save(second, replace(second, free=FreeGrant(started_at=NOW)), free_change=1, free_cap=1)
    assert table.read(other.tenant_id).free is not None


def test_a_dispute_comes_and_goes_with_its_nudges(table, created):
    """Both in one transaction with their lines, each once."""
    opened = DisputeFound(dispute_id="dp_1", customer_id="cus_1", open=True)
    assert table.note_dispute(TENANT, NOW, line("evt_1"), opened) == "nudged"
    assert table.note_dispute(TENANT, NOW, line("evt_1"), opened) == "duplicate"
    assert table.read(TENANT).disputes == ("dp_1",)
    table.note_dispute(TENANT, NOW, line("evt_2"), replace(opened, open=False))
    assert (table.read(TENANT).disputes, table.read(TENANT).nudged) == ((), 2)


def test_a_table_that_is_away_is_temporary(aws, settings):
    """Whoever asks may ask again."""
    settings.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    wiring._db.cache_clear()
    wiring.records.cache_clear()
    records = wiring.records()
    records._db._client.meta.config.retries["total_max_attempts"] = 1
    with pytest.raises(Temporary):
        records.read(TENANT)


def test_a_cap_of_none_lets_nobody_in(table):
    """The Free plan can be closed."""
    table.create(Record(tenant_id=TENANT, user=USER))
    record = table.read(TENANT)
    free = FreeGrant(started_at=NOW)
    with pytest.raises(FreeFull):
        table.save(record, replace(record, free=free), free_change=1, free_cap=0)


def test_reasons_may_stand_in_the_message_alone(table, monkeypatch):
    """Some that speak DynamoDB's protocol list them nowhere else."""
    table.create(Record(tenant_id=TENANT, user=USER))
    write = table._db._client.transact_write_items

    def bare(**arguments):
        try:
            return write(**arguments)
        except ClientError as e:
            del e.response["CancellationReasons"]
            raise

    monkeypatch.setattr(table._db._client, "transact_write_items", bare)
    assert table.nudge(TENANT, NOW, line=line("evt_1")) == "nudged"
    assert table.nudge(TENANT, NOW, line=line("evt_1")) == "duplicate"
