"""The conformance batteries of `ParameterStore` and `AcknowledgementStore`, on every implementation."""

from dataclasses import replace

import pytest

from collector.core.errors import InvalidRequest
from collector.core.page import PageRequest
from collector.core.parameter import MOST_PARAMETERS
from collector.core.protocols import Store
from collector.core.release import Acknowledgement, ReleaseStatus
from otel_opto.spec import Constraint, ParameterSpec, ParameterType

SPECS = [
    ParameterSpec("a", ParameterType.INTEGER, 1, Constraint(minimum=0, maximum=9), "words", trainable=False),
    ParameterSpec("b", ParameterType.TEXT, "{q}", Constraint(placeholders=("q",), candidates=("{q}!",))),
    ParameterSpec("c", ParameterType.FLOAT, 0.0),
]


async def test_parameters_are_upserted_by_key(store: Store) -> None:
    await store.parameters.declare("shop", SPECS)
    await store.parameters.declare("shop", [replace(SPECS[2], description="new")])
    assert [spec.description for spec in await store.parameters.of("shop")] == ["words", "", "new"]
    assert list(await store.parameters.of("other")) == []


async def test_a_service_has_so_many_parameters_and_no_more(store: Store) -> None:
    many = [ParameterSpec(f"k{number}", ParameterType.INTEGER, 1) for number in range(MOST_PARAMETERS)]
    await store.parameters.declare("shop", many)
    with pytest.raises(InvalidRequest, match=f"found {MOST_PARAMETERS + 1}, allowed are {MOST_PARAMETERS}"):
        await store.parameters.declare(
            "shop", [replace(many[0], description="new"), ParameterSpec("z", many[0].type, 1)]
        )
    assert list(await store.parameters.of("shop")) == sorted(many, key=lambda spec: spec.key)
    await store.parameters.declare("other", many[:1])
    large = [ParameterSpec(f"t{number}", ParameterType.TEXT, "x" * 100_000) for number in range(168)]
    with pytest.raises(InvalidRequest, match="bytes of declarations, allowed are"):
        await store.parameters.declare("other", large)
    assert list(await store.parameters.of("other")) == many[:1]


async def test_the_last_word_of_each_instance_counts(store: Store) -> None:
    failed = Acknowledgement("shop", "i1", 1, ReleaseStatus.FAILED, "no", 1)
    applied = Acknowledgement("shop", "i1", 1, ReleaseStatus.APPLIED, "", 2)
    for word in (failed, applied, replace(failed, instance_id="i2")):
        await store.acknowledgements.acknowledge(word)
    assert [word.status for word in (await store.acknowledgements.of(1, PageRequest())).items] == [
        ReleaseStatus.APPLIED,
        ReleaseStatus.FAILED,
    ]
    assert list((await store.acknowledgements.of(2, PageRequest())).items) == []
