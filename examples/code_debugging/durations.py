"""The function, what is known of it, and one traced and judged call."""

import traceback
from collections.abc import Callable

import otel_opto
from otel_opto.code.process import Call, Limits, evaluate

CASES = (("90s", 90), ("2m", 120), ("1h", 3_600), ("1h30m", 5_400), ("2d", 172_800), ("45", 45), ("", 0))
"""A text, and the seconds that it means."""

_LIMITS = Limits(seconds=60.0, cpu_seconds=5)


def comes_to_an_end(function: Callable[[str], int]) -> str:
    """Tried in a process of its own before it runs in this one: it may be wrong, and may not hang or kill."""
    return evaluate(function, [Call((text,)) for text, _ in CASES], limits=_LIMITS).ended


@otel_opto.node(
    trainable=otel_opto.Trainable(
        key="durations.seconds",
        imports=["re"],
        constraint=comes_to_an_end,
        description="seconds of a duration such as 1h30m",
        fallback=False,  # an answer of the declared function would be scored as the new one's
    )
)
def seconds(text: str) -> int:
    """Seconds of a duration: 90s, 1h30m, 2d; a bare number is of seconds, nothing is 0."""
    number, unit = text[:-1], text[-1]
    return int(number) * {"s": 1, "m": 60, "h": 3600}[unit]


def tried(text: str, wanted: int) -> bool:
    """One call in a trace of its own, judged by its result or by what the interpreter says of it."""
    with otel_opto.start_node("test", {"text": text, "wanted": wanted}) as test:
        try:
            found = seconds(text)
        except Exception as error:  # noqa: BLE001 - whatever a function under test raises
            test.output(None)
            said = f"seconds({text!r}) raised {type(error).__name__}: {error}, {_place(error)}; wanted is {wanted}"
            otel_opto.feedback(0.0, said, name="passed")
            return False
        test.output(found)
        passed = bool(found == wanted)
        said = "" if passed else f"seconds({text!r}) gave {found!r}, wanted is {wanted}"
        otel_opto.feedback(float(passed), said, name="passed")
        return passed


def _place(error: Exception) -> str:
    innermost = traceback.extract_tb(error.__traceback__)[-1]
    return f"at line {innermost.lineno}: {innermost.line}"
