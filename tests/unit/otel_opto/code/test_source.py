"""Functions as values: another source has to take the declared one's place."""

import pytest

from otel_opto.code.source import InvalidSource, source_of
from otel_opto.spec import Constraint, InvalidValue, ParameterSpec, ParameterType

RANK = "import math\n\n\ndef rank(question: str, documents, *, k=3) -> list:\n    return documents[:k]\n"
SOURCE = source_of(RANK, ["json"])


@pytest.mark.parametrize(
    "text",
    [
        "def rank(question, documents, *, k=3):\n    return sorted(documents)[:k]",
        "import math, json\ndef rank(question, documents: list[str], *, k: int = 3) -> list[str]:\n    return []",
        "def rank(question, documents, *, k=3):\n    import json.decoder\n    return [json.dumps(k)]",
        "def rank(question, documents, *, k=3):\n    def inner():\n        yield 1\n    return inner()",
    ],
)
def test_another_body_takes_its_place(text: str) -> None:
    assert SOURCE.fault_of(text) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def rank(question", "line 1: "),
        ("", "0 functions"),
        ("x = 1\ndef rank(question, documents, *, k=3): return []", "line 1: only imports"),
        ("def rank(question, documents): return []", "wanted is def rank(question, documents, *, k=3)"),
        ("def rank(question, documents, *, k=4): return []", "found def rank(question, documents, *, k=4)"),
        ("def other(question, documents, *, k=3): return []", "found def other"),
        ("async def rank(question, documents, *, k=3): return []", "found async def rank"),
        ("def rank(question, documents, *, k=3): yield 1", "it yields"),
        ("@cached\ndef rank(question, documents, *, k=3): return []", "line 1: a decorator"),
        ("import os\ndef rank(question, documents, *, k=3): return []", "line 1: import of 'os'; allowed: json, math"),
        ("def rank(question, documents, *, k=3):\n    from os import path", "line 2: import of 'os'"),
        ("def rank(question, documents, *, k=3):\n    from . import secrets", "line 2: import of '.'"),
        ("def rank(question, documents, *, k=3):\n    import jsonx", "line 2: import of 'jsonx'"),
        ("def rank(question, documents, *, k=3):\n    return eval('1')", "line 2: eval is not allowed"),
        ("def rank(question, documents, *, k=3): return " + "(" * 80 + "1" + ")" * 80, "nested more than 60"),
        ("def rank(question, documents, *, k=3): return " + "-" * 19_000 + "1", "it is no Python"),
        ("def rank(question, documents, *, k=3): return [" + "1," * 6_000 + "]", "more than 5,000 parts"),
        ("def rank(question, documents, *, k=3): return x" + ".a" * 1_000, "nested more than 100 deep"),
        ("def rank(question, documents, *, k=" + "not " * 900 + "3): return 1", "nested more than 100 deep"),
        ("def rank(question, documents, *, k=3): return " + "lambda: " * 400 + "1", "nested more than 100 deep"),
        ("#" * 30_000, "30,000 characters"),
        ("def rank(question, documents, *, k=3): return '\0'", ""),
    ],
)
def test_a_source_that_cannot_take_its_place_is_told_why(text: str, said: str) -> None:
    fault = SOURCE.fault_of(text)
    assert fault
    assert said in fault


@pytest.mark.parametrize("default", ["x = 1", "@node\ndef f(): ...", "def f(): eval('1')", "def f("])
def test_a_default_that_is_not_one_plain_function_is_refused(default: str) -> None:
    with pytest.raises(InvalidSource):
        source_of(default, [])
    with pytest.raises(InvalidValue, match="parameter 'f': default: "):
        ParameterSpec("f", ParameterType.CODE, default)


def test_a_parameter_says_what_code_it_takes() -> None:
    spec = ParameterSpec("rank", ParameterType.CODE, RANK, Constraint(imports=("json",)))
    assert spec.describe_allowed() == (
        "the Python source of one function, def rank(question, documents, *, k=3); imports allowed: json, math"
    )
    with pytest.raises(InvalidValue, match="import of 'os'"):
        spec.validate("def rank(question, documents, *, k=3):\n    import os\n    return []")
