"""Texts that models wrote by themselves."""

import pytest

from collector.optimizer.answers.alone import read_alone
from otel_opto.spec import ParameterSpec, ParameterType

PROMPT = ParameterSpec("prompt", ParameterType.TEXT, "Say it.")
CODE = ParameterSpec("tax", ParameterType.CODE, "def tax(price):\n    return 0\n")


@pytest.mark.parametrize(
    "said",
    [
        "Say yes or no.",
        "  Say yes or no.\n",
        '"Say yes or no."',
        "“Say yes or no.”",
        "```\nSay yes or no.\n```",
        "```text\nSay yes or no.\n```\nThis names both labels.",
        "Here is a better text:\n\nSay yes or no.",
        "Text now:\nSay yes or no.",
        "<think>It has to name both.</think>Say yes or no.",
        "It has to name both.\n</think>\n\nSay yes or no.",
    ],
)
def test_what_models_put_around_a_text_is_taken_off(said: str) -> None:
    assert read_alone(said, PROMPT) == "Say yes or no."


@pytest.mark.parametrize(
    "said",
    [
        'Say "yes" or "no"',
        "'yes' or 'no'",
        "Answer:",
        "First line: a\nsecond line",
        "```\na\n```\n```\nb\n```",
        "a `b`",
    ],
)
def test_what_belongs_to_a_text_stays(said: str) -> None:
    assert read_alone(said, PROMPT) == said


def test_what_the_text_has_at_its_ends_already_stays() -> None:
    quoted = ParameterSpec("prompt", ParameterType.TEXT, '"Say it."')
    assert read_alone('"Say yes."', quoted) == '"Say yes."'
    headed = ParameterSpec("prompt", ParameterType.TEXT, "Rules:\nSay it.")
    assert read_alone("Rules:\nSay yes.", headed) == "Rules:\nSay yes."


@pytest.mark.parametrize(
    "now", ["\n    Say it.\n", "Rules:\nSay it.", "Say\n```\nit\n```", '"Say" it.', "Think. </think> Say it.", " \n"]
)
def test_what_was_shown_comes_back_as_it_was(now: str) -> None:
    """Else the very value that is in force would be tried once more."""
    assert read_alone(now.strip(), PROMPT, now) == (now if now.strip() else "")


def test_white_space_around_a_value_is_no_part_of_an_answer() -> None:
    assert read_alone('"Say yes."', PROMPT, "\nSay it.\n\n") == "\nSay yes.\n\n"
    assert read_alone("```python\nx = 1\n\n```", CODE, "def tax(price):\n    return 0") == "x = 1"
    assert read_alone("x = 1", CODE, "def tax(price):\n    return 0\n") == "x = 1\n"


def test_code_keeps_its_lines() -> None:
    code = "def tax(price):\n    return 1\n"
    assert read_alone(f"Sure:\n```python\n{code}```", CODE) == code
    assert read_alone(code, CODE) == code
    assert read_alone(" ", CODE) == ""
