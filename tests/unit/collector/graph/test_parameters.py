"""The parameters that a trace used."""

import math

import pytest

from collector.core.release import Release, ReleasedValue
from collector.graph.parameters import ParameterLookup, UsedParameters, gather
from collector.graph.reading.facts import ParameterUse
from otel_opto.spec import ParameterSpec, ParameterType, value_hash

RELEASES = {
    4: Release(4, "shop", {"k": ReleasedValue(3, 4), "t": ReleasedValue("new", 4)}, None, 0, "r"),
    5: Release(5, "bank", {"k": ReleasedValue(9, 5)}, None, 0, "r"),
}
SPECS = {("shop", "t"): ParameterSpec("t", ParameterType.TEXT, "old", trainable=False)}


def gathered(*uses: ParameterUse, service: str = "shop") -> UsedParameters:
    return gather([(f"s{number}", service, use) for number, use in enumerate(uses)], ParameterLookup(RELEASES, SPECS))


@pytest.mark.parametrize(
    ("use", "node", "version", "text"),
    [
        (ParameterUse("k", 4), "param:shop/k@4", 4, "3"),
        (ParameterUse("k", 4, value_hash(3)), "param:shop/k@4", 4, "3"),
        (ParameterUse("k", value=7), f"param:shop/k@{value_hash(7)}", None, "7"),
        (ParameterUse("k", value=True), f"param:shop/k@{value_hash(True)}", None, "true"),
        (ParameterUse("k", value="so"), f"param:shop/k@{value_hash('so')}", None, "so"),
        (ParameterUse("t", hash=value_hash("old")), f"param:shop/t@{value_hash('old')}", None, "old"),
        (ParameterUse("t", hash=value_hash("new")), f"param:shop/t@{value_hash('new')}", None, "new"),
        (ParameterUse("k", value=[1]), f"param:shop/k@{value_hash('[1]')}", None, "[1]"),
        (ParameterUse("k", value=math.nan), f"param:shop/k@{value_hash('nan')}", None, "nan"),
        # An override in the application: the hash tells the truth, not the release.
        (ParameterUse("t", 4, value_hash("old")), f"param:shop/t@{value_hash('old')}", None, "old"),
    ],
)
def test_the_value_is_found_where_the_span_says(use: ParameterUse, node: str, version: int | None, text: str) -> None:
    found = gathered(use)
    (parameter,) = found.parameters
    assert (parameter.node, parameter.version, parameter.text) == (node, version, text)
    assert (found.nodes[0].id, found.nodes[0].name, found.nodes[0].service) == (node, use.key, "shop")
    assert found.gaps == ()


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (ParameterUse("k", 6), "release 6 of service 'shop' is not known, or has no such key"),
        (ParameterUse("k", 5), "release 5 of service 'shop' is not known, or has no such key"),
        (ParameterUse("x", 4), "release 4 of service 'shop' is not known, or has no such key"),
        (ParameterUse("k", hash="ab"), "no value with the hash 'ab' is known"),
        (ParameterUse("k", 4, "ab"), f"release 4 holds the value {value_hash(3)}, the span says ab"),
    ],
)
def test_a_value_that_nobody_knows_is_a_gap(use: ParameterUse, said: str) -> None:
    found = gathered(use)
    assert found.parameters[0].text is None
    assert [(gap.kind, gap.span_id) for gap in found.gaps] == [("unknown_value", "s0")]
    assert said in found.gaps[0].detail


def test_one_version_is_one_node_with_all_its_users_in_order_of_time() -> None:
    found = gathered(ParameterUse("k", 9), ParameterUse("k", 4), ParameterUse("k", 9, value=1))
    assert [(parameter.version, parameter.used_by) for parameter in found.parameters] == [
        (4, ("s1",)),
        (9, ("s0", "s2")),
    ]
    assert found.parameters[1].text == "1"
    assert found.gaps == ()
    assert found.of_span == {"s0": ("param:shop/k@9",), "s1": ("param:shop/k@4",), "s2": ("param:shop/k@9",)}


def test_equal_keys_of_two_services_are_two_parameters() -> None:
    use = ParameterUse("k", value=1)
    found = gather([("a", "shop", use), ("b", "bank", use)], ParameterLookup({}, {}))
    assert [node.service for node in found.nodes] == ["bank", "shop"]


@pytest.mark.parametrize(
    ("use", "trainable"),
    [
        (ParameterUse("t", value="x", trainable=True), False),  # as declared
        (ParameterUse("k", value="x", trainable=False), False),
        (ParameterUse("k", value="x"), True),
    ],
)
def test_whether_it_is_trainable(use: ParameterUse, trainable: bool) -> None:
    assert gathered(use).parameters[0].trainable is trainable
