"""DynamoDB's typed values, held against boto3's own."""

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.gateways.wire import dumped, loaded

LEAVES = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=20)
TEXTS = st.sets(st.text(min_size=1, max_size=8), min_size=1, max_size=4)
VALUES = st.recursive(
    LEAVES | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
ITEMS = st.dictionaries(st.text(min_size=1, max_size=8), VALUES, max_size=6)


def _sorted(wire):
    """Sets have no order."""
    if isinstance(wire, dict):
        return {k: sorted(v) if k == "SS" else _sorted(v) for k, v in wire.items()}
    return [_sorted(each) for each in wire] if isinstance(wire, list) else wire


@given(ITEMS)
def test_values_travel_as_boto3_sends_them(item):
    """Whatever an item of ours may hold."""
    theirs = {name: TypeSerializer().serialize(value) for name, value in item.items()}
    assert {n: _sorted(v) for n, v in dumped(item).items()} == {
        n: _sorted(v) for n, v in theirs.items()
    }


@given(ITEMS)
def test_values_come_back_as_they_were(item):
    """And equal to what boto3 reads, but for its Decimals."""
    wire = dumped(item)
    assert loaded(wire) == item
    assert loaded(wire) == {n: TypeDeserializer().deserialize(v) for n, v in wire.items()}


@pytest.mark.parametrize("value", [1.5, b"x", set(), {1, 2}, object()])
def test_what_no_item_of_ours_has_is_refused(value):
    """Before it is sent, and by name."""
    with pytest.raises(TypeError, match="no item of ours"):
        dumped({"x": value})
