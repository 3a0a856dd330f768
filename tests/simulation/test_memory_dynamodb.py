"""DynamoDB in memory answers as moto does, whatever is written, on whatever condition."""

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from chalicelib.gateways.dynamodb import Cancelled, DynamoDb
from sandbox import seed
from tests.simulation.dynamodb import MemoryDynamoDb

TABLE = "arm-engine-dev"
KEYS = [{"pk": f"TENANT#{n}", "sk": sk} for n in range(3) for sk in ("RECORD", "LINE#1")]
NAMES = st.sampled_from(["version", "nudged", "phase", "due_at"])
NUMBERS = st.integers(-3, 3)
SHARDS = st.sampled_from(["0", "1"])
CONDITIONS = (
    None,
    "attribute_exists(pk)",
    "attribute_not_exists(pk)",
    "version = :n",
    "version = :n AND nudged = :n",
    "attribute_exists(pk) AND (attribute_not_exists(nudged) OR nudged <= :n)",
    "(attribute_not_exists(version) AND :n > :m) OR version < :n",
)
KEY = st.sampled_from(KEYS)


@st.composite
def writes(draw):
    """One write, as the table's gateway makes them: what, on which key, with what."""
    kind = draw(st.sampled_from(["put", "update", "update", "update", "delete"]))
    key = draw(KEY)
    item = {
        "version": draw(NUMBERS),
        "due_shard": draw(SHARDS),
        **draw(st.dictionaries(NAMES, NUMBERS, max_size=2)),
    }
    update = {
        "to_set": draw(
            st.dictionaries(st.sampled_from(["version", "due_at"]), NUMBERS, min_size=1)
        ),
        "remove": draw(st.lists(st.just("phase"), max_size=1)),
        "add": draw(st.fixed_dictionaries({}, optional={"nudged": NUMBERS})),
        "discard": draw(st.fixed_dictionaries({}, optional={"disputes": st.just({"a"})})),
    }
    if not update["discard"] and draw(st.booleans()):
        update["add"]["disputes"] = draw(st.sampled_from([{"a"}, {"a", "b"}, {"c"}]))
    return kind, key, item, update, draw(st.sampled_from(CONDITIONS)), draw(NUMBERS)


def operation(db, write):
    """The write as the gateway words it."""
    kind, key, item, update, condition, n = write
    used = condition or ""
    values = {name: value for name, value in ((":n", n), (":m", 0)) if name in used}
    if kind == "delete":
        return db.delete(key)
    if kind == "put":
        when = condition if not values else None  # the gateway's puts compare nothing
        return db.put({**key, **item}, when=when)
    return db.update(key, when=condition, values=values, **update)


def outcome(db, some):
    """What comes of some writes at once: nothing, or which conditions failed and on what."""
    try:
        db.write([operation(db, write) for write in some])
    except Cancelled as e:
        return [(e.failed(i), e.item(i)) for i in range(len(some))]
    return "written"


def state(db):
    """All there is, and the index as the sweep reads it."""
    items = [db.get(key) for key in KEYS]
    due = [
        [
            (i["pk"], i["sk"], i["due_at"])
            for i in db.query_index("due", "due_shard", s, "due_at", 2)
        ]
        for s in ("0", "1")
    ]
    return items, [sorted(d, key=lambda x: (x[2], x)) for d in due]


@pytest.fixture(scope="module")
def moto_table():
    """One table in moto, emptied between the examples."""
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name="eu-central-1")
        seed.on_aws(TABLE, "q.fifo", session, None)
        yield session.client("dynamodb")


def transactions():
    """Up to three writes on different keys."""
    return st.lists(writes(), min_size=1, max_size=3, unique_by=lambda w: str(w[1]))


@settings(max_examples=60, deadline=None)
@given(st.lists(transactions(), min_size=1, max_size=8))
def test_it_answers_as_moto_does(moto_table, some):
    """The same writes have the same outcomes, reasons and items, and leave the same behind."""
    for key in KEYS:
        moto_table.delete_item(TableName=TABLE, Key={n: {"S": v} for n, v in key.items()})
    theirs, ours = DynamoDb(TABLE, moto_table), DynamoDb(TABLE, MemoryDynamoDb())
    for each in some:
        assert outcome(ours, each) == outcome(theirs, each)
    assert state(ours) == state(theirs)
