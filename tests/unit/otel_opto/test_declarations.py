"""Parameters from a file."""

import logging
from pathlib import Path

import pytest

from otel_opto.declarations import declare, spec_in
from otel_opto.registry import Registry
from otel_opto.spec import InvalidValue, ParameterType

WHOLE = """
parameters:
  k: {default: 3, minimum: 1, maximum: 10, description: how many}
  share: {default: 1, type: float}
  careful: {default: false, trainable: false}
  prompt: {default: "Answer: {question}", candidates: ["Say: {question}"], max_length: 200}
  method: {default: a, choices: [a, b]}
  steps: {default: [1, 2], json_schema: {type: array, items: {type: integer}}}
"""


def test_every_type_and_field(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(WHOLE)
    registry = Registry()
    declare(registry, tmp_path / "p.yaml")
    specs = registry.specs()
    assert {key: spec.type.value for key, spec in specs.items()} == {
        "k": "integer", "share": "float", "careful": "boolean", "prompt": "text", "method": "choice", "steps": "json",
    }  # fmt: skip
    assert (specs["k"].constraint.minimum, specs["k"].constraint.maximum, specs["k"].description) == (1, 10, "how many")
    assert specs["careful"].trainable is False
    assert specs["prompt"].constraint.candidates == ("Say: {question}",)
    assert specs["steps"].type is ParameterType.JSON


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (3, "it needs at least a default"),
        ({"minimum": 1}, "it needs at least a default"),
        ({"default": 3, "min": 1}, "unknown: min; known: type, default, minimum"),
        ({"default": 3, "minimum": "1"}, "minimum: found '1', allowed: a number"),
        ({"default": 3, "maximum": True}, "maximum: found True, allowed: a number"),
        ({"default": "a", "choices": "ab"}, "choices: found 'ab', allowed: a list of texts"),
        ({"default": "a", "max_length": 2.5}, "max_length: found 2.5, allowed: a whole number"),
        ({"default": "a", "pattern": 7}, "pattern: found 7, allowed: a text"),
        ({"default": 3, "type": "number"}, "type: found 'number', allowed: integer, float"),
        ({"default": None}, "default: found NoneType, which no parameter can be"),
        ({"default": 3, "trainable": "no"}, "trainable: found 'no', allowed: true or false"),
        ({"default": 30, "maximum": 10}, "allowed: a whole number of at most 10"),
    ],
)
def test_what_is_wrong_is_said(said: object, fault: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        spec_in("k", said)
    assert "parameter 'k': " in str(refused.value)
    assert fault in str(refused.value)


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("p.yaml", b"parameters: [", "no parameters from"),
        ("p.json", b"{", "no parameters from"),
        ("p.yaml", b"\xff\xfe\x00", "no parameters from"),
        ("p.yaml", b"k: 3", "it must be an object with the object 'parameters'"),
        ("p.yaml", b"parameters: 3", "it must be an object with the object 'parameters'"),
        ("p.yaml", None, "No such file"),
    ],
)
def test_a_file_that_is_none_is_one_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, content: bytes | None, fault: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    registry = Registry()
    declare(registry, tmp_path / name)
    (record,) = caplog.records
    assert (record.levelno, registry.specs()) == (logging.ERROR, {})
    assert fault in record.getMessage()
