"""Patterns of text parameters: what is taken, what is refused, and that none of them takes long."""

import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_opto import pattern
from otel_opto.spec import Constraint, InvalidValue, ParameterSpec, ParameterType


@pytest.mark.parametrize(
    ("expression", "text", "fits"),
    [
        ("[a-z]+", "abc", True),
        ("[a-z]+", "abc\n", False),
        ("[a-z]", "abc", False),
        ("a.c", "a\nc", True),
        ("(?i)straße", "STRAßE", True),
        (r"[\pL ]+", "größer сад 木", True),
        (r"\w+", "größer", False),
        ("a|ab", "ab", True),
        ("^a$", "a", True),
        ("", "", True),
        (r".*\{(answer|sentence)\}.*", "It is {answer}.", True),
        ("(?P<word>a)(?:b)", "ab", True),
        (r"a\{,3}", "a{,3}", True),
    ],
)
def test_a_pattern_matches_the_whole_text_or_not(expression: str, text: str, *, fits: bool) -> None:
    assert pattern.matches(expression, text) is fits


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("(", "missing )"),
        ("(?=a)b", "(?="),
        ("(?<!a)b", "(?<"),
        (r"(a)\1", r"\1"),
        ("(?P<n>a)(?P=n)", "(?P"),
        ("a*+", "*+"),
        ("(?>a)", "(?>"),
        (r"a\Z", r"\Z"),
        ("(?x) a", "(?x"),
        ("a{1001}", "{1001}"),
        ("((a{100}){100}){100}", "too large|repetition size"),
        ("a{,3}", "{0,3}"),
        (r"a\\{,3}", "{0,3}"),
        ("[ab]{1000}[ab]{1000}[ab]{1000}", "instructions, allowed are 2000"),
        ("a" * 1001, "found 1001 characters, allowed are 1000"),
        ("(" * 1000, "missing )|too deeply"),
        ("\ud800", "surrogate"),
    ],
)
def test_what_cannot_be_run_is_refused_where_it_is_declared(expression: str, said: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        ParameterSpec("k", ParameterType.TEXT, "x", Constraint(pattern=expression))
    message = str(refused.value)
    assert message.startswith("parameter 'k': pattern: found ")
    assert any(part in message for part in said.split("|")), message


HOSTILE = [
    ("(a+)+", "a" * 100_000 + "!"),
    ("(a|a)*b", "a" * 100_000),
    ("(?:a?){900}a{900}", "a" * 100_000),
    ("(.*a){20}", "a" * 99_999 + "!"),
    (r"(?:\pL*é\pL*)*!", "é" * 50_000),
    ("(?:[01]*1[01]{300})*x", "01" * 50_000),
    (r"(?:.*a.{0,300}b)*", "a" * 100_000),
    ("(x+x+)+y", "x" * 100_000),
]


@pytest.mark.parametrize(("expression", "text"), HOSTILE)
def test_no_pattern_takes_longer_than_a_text_deserves(expression: str, text: str) -> None:
    begun = time.thread_time()
    try:
        spec = ParameterSpec("k", ParameterType.TEXT, "", Constraint(pattern=f"|{expression}", max_length=200_000))
    except InvalidValue:  # too many instructions is an answer, too
        return
    with pytest.raises(InvalidValue):
        spec.validate(text)
    assert time.thread_time() - begun < 10  # the backtracking engine takes longer than the universe is old


def test_other_threads_go_on_while_patterns_are_matched() -> None:
    """The engine lets the interpreter go: what an application does beside it waits for moments, not for the end."""
    specs = [
        ParameterSpec("k", ParameterType.TEXT, "", Constraint(pattern=f"|{pattern}"))
        for pattern in (r"(?:.*a.{0,180}b)*", "(?:a?){600}a{600}", "(.*a){20}!")
    ]

    def match() -> None:
        for spec in specs * 5:
            with pytest.raises(InvalidValue):
                spec.validate("a" * 100_000)

    matching = threading.Thread(target=match)
    matching.start()
    longest = 0.0
    while matching.is_alive():
        begun = time.monotonic()
        matching.join(0.001)
        longest = max(longest, time.monotonic() - begun)
    assert longest < 1


@given(st.text(alphabet="ab(){}[]|*+?.^$\\,01", max_size=20), st.text(alphabet="ab{}", max_size=30))
def test_whatever_is_declared_is_taken_or_refused_with_words(expression: str, text: str) -> None:
    try:
        pattern.check(expression)
    except pattern.InvalidPattern:
        with pytest.raises(pattern.InvalidPattern, match=r"allowed|\{0,3\}"):
            pattern.matches(expression, text)
    else:
        assert pattern.matches(expression, text) in (True, False)


def test_without_the_engine_a_pattern_is_refused_with_the_command_that_installs_it() -> None:
    script = (
        "import sys; sys.modules['re2'] = None\n"
        "import otel_opto\n"
        "otel_opto.parameter('plain', 'x', max_length=3)\n"
        "try: otel_opto.parameter('k', 'x', pattern='x')\n"
        "except otel_opto.InvalidValue as error: sys.exit(str(error))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "pip install 'otel-opto[pattern]'" in done.stderr
