"""What counts as a difference between an object as wanted and as it stands."""

import pytest

from chalicelib.domain.drift import differences


def config(**data):
    return {"kind": "Thing", "metadata": {"name": "t"}, **data}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"a": "1"}, {"a": "1", "b": "2"}),
        ({"cpu": "1000m"}, {"cpu": "1"}),
        ({"memory": "1024Mi"}, {"memory": "1Gi"}),
        ({"cpu": 2}, {"cpu": "2"}),
        ({"cpu": "1000"}, {"cpu": "1k"}),
        ({"memory": "1e3"}, {"memory": "1k"}),
        ({"memory": "1Ei"}, {"memory": "1024Pi"}),
        ({"list": [{"a": 1}]}, {"list": [{"a": 1, "protocol": "TCP"}]}),
        ({"empty": {}, "none": []}, {}),
    ],
)
def test_no_difference(wanted, found):
    """Defaults that were filled in, quantities written another way, and empties left out."""
    assert differences(config(spec=wanted), config(spec=found)) == []


@pytest.mark.parametrize(
    ("wanted", "found", "said"),
    [
        ({"a": "1"}, {"a": "2"}, ".spec.a is '2', should be '1'"),
        ({"a": "1"}, {}, ".spec.a is missing, should be '1'"),
        ({"a": ["x"]}, {"a": ["x", "y"]}, ".spec.a is ['x', 'y'], should be ['x']"),
        ({"a": ["x", "z"]}, {"a": ["x", "y"]}, ".spec.a[1] is 'y', should be 'z'"),
        ({"a": True}, {"a": 1}, ".spec.a is 1, should be True"),
        ({"a": False}, {}, ".spec.a is missing, should be False"),
        ({"cpu": "1"}, {"cpu": "1k"}, ".spec.cpu is '1k', should be '1'"),
    ],
)
def test_a_difference_is_named(wanted, found, said):
    """By the object, the field, what it is and what it should be."""
    assert differences(config(spec=wanted), config(spec=found)) == [f"Thing t: {said}"]


def test_what_is_not_there_is_missing():
    """One line, whatever it should have held."""
    assert differences(config(spec={"a": 1}), None) == ["Thing t is missing"]
