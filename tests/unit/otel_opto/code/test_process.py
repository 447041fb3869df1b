"""New code in a process of its own: what comes back, what is limited, what is refused."""

import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import otel_opto
from otel_opto.code.process import Call, Evaluation, Failure, Limits, Result, evaluate, expecting
from otel_opto.code.source import InvalidSource
from otel_opto.testing import Rehearsal

PATIENT = Limits(seconds=120.0)
"""For a loaded machine."""


def body(text: str, limits: Limits = PATIENT, **more: Any) -> Evaluation:
    return evaluate(f"def f():\n    {text}\n", [Call()], limits=limits, **more)


def double(x: int) -> int:
    return 2 * x


def test_results_failures_and_output_come_back() -> None:
    text = "def f(x, *, y=1):\n    print('of', x)\n    return [x / y, (x,)]\n"
    found = evaluate(text, [Call((4,), {"y": 2}), Call((1,), {"y": 0}), Call((3,))], limits=PATIENT)
    assert found.results == (
        Result([2.0, [4]]),
        Result(
            failure=Failure(
                "ZeroDivisionError",
                "division by zero",
                3,
                "   1 | def f(x, *, y=1):\n   2 |     print('of', x)\n"
                "   3 |     return [x / y, (x,)]    <--- ZeroDivisionError: division by zero",
            )
        ),
        Result([3.0, [3]]),
    )
    assert (found.ended, found.output) == ("", "of 4\nof 1\nof 3\n")
    assert {"cpu", "memory", "file size", "open files"} <= set(found.enforced)
    assert "3 |     return" in found.fault


def test_a_function_may_be_given_and_what_it_needs() -> None:
    assert evaluate(double, [Call((4,))], limits=PATIENT).results == (Result(8),)
    found = body("return helper(math.pi)", before="import math\n\n\ndef helper(x):\n    return int(x)\n")
    assert found.results == (Result(3),)
    with pytest.raises(InvalidSource, match="found builtin_function_or_method"):
        evaluate(len, [])
    with pytest.raises(InvalidSource, match="0 functions"):
        evaluate("import math", [])


def test_coroutines_and_generators_give_what_they_come_to() -> None:
    for text, wanted in (
        ("import asyncio\nasync def f(n):\n    await asyncio.sleep(0)\n    return n\n", 3),
        ("def f(n):\n    yield from range(n)\n", [0, 1, 2]),
        ("async def f(n):\n    for one in range(n):\n        yield one\n", [0, 1, 2]),
    ):
        assert evaluate(text, [Call((3,))], limits=PATIENT).results == (Result(wanted),)


def test_a_source_that_does_not_even_load_says_where() -> None:
    (failed,) = evaluate("import nothing_of_that_name\ndef f(): pass\n", [Call()], limits=PATIENT).results
    assert failed.failure is not None
    assert (failed.failure.type, failed.failure.line) == ("ModuleNotFoundError", 1)
    (late,) = evaluate("def f():\n    break\n", [Call()], limits=PATIENT).results
    assert late.failure is not None
    assert (late.failure.type, late.failure.line) == ("SyntaxError", 2)


def test_the_environment_is_scrubbed_and_the_folder_is_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    found = body("import os\n    open('mine', 'w').close()\n    return [dict(os.environ), os.getcwd(), os.listdir()]")
    environment, folder, files = found.results[0].value
    assert set(environment) <= {"PATH", "HOME", "TMPDIR", "LANG", "PYTHONHASHSEED", "LC_CTYPE"}
    assert environment["HOME"] == folder
    assert "mine" in files
    assert not Path(folder).exists()


@pytest.mark.parametrize(
    "text",
    [
        "import socket\n    socket.create_connection(('127.0.0.1', 80))",
        "import socket\n    socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "import os\n    os.fork()",
        "import subprocess\n    subprocess.run(['true'])",
        "import os\n    os.system('true')",
        "import ctypes\n    ctypes.CDLL(None)",
        "open('/etc/hostname').read()",
        "open('/tmp/otel-opto-not-here', 'w')",
        "import os\n    os.remove('/tmp/otel-opto-not-here')",
        "import os\n    os.rename('result.jsonl', '/tmp/otel-opto-not-here')",
        "import os\n    os.kill(os.getppid(), 0)",
    ],
)
def test_what_python_guards_is_refused_by_name(text: str) -> None:
    (found,) = body(text).results
    assert found.failure is not None
    assert found.failure.type == "PermissionError"
    assert "is not allowed in an evaluation" in found.failure.message


@pytest.mark.parametrize(
    "text",
    [
        "import json, re, statistics, decimal, random, zoneinfo, tempfile",
        "import tempfile\n    with tempfile.TemporaryFile() as file: file.write(b'x')",
        "import threading\n    one = threading.Thread(target=print)",
        "import asyncio\n    async def g(): return 1\n    asyncio.run(g())",
    ],
)
def test_what_is_harmless_runs(text: str) -> None:
    assert body(text).fault == ""


def test_processor_time_is_limited() -> None:
    found = body("while True: pass", Limits(seconds=120.0, cpu_seconds=1))
    assert (found.results, found.ended) == ((), "its processor time was used up")
    assert found.fault == found.ended


def test_time_is_limited_and_what_came_before_is_kept() -> None:
    text = "import time\ndef f(x):\n    time.sleep(x)\n    return x\n"
    found = evaluate(text, [Call((0,)), Call((3_600,))], limits=Limits(seconds=5.0))
    assert found.ended == "it had not ended after 5 s"
    assert found.results in ((Result(0),), ())  # on a loaded machine Python itself may take that long


@pytest.mark.skipif(sys.platform != "linux", reason="address space is not limited elsewhere")
def test_memory_and_files_are_limited() -> None:
    (memory,) = body("return len(bytearray(10**10))").results
    assert memory.failure is not None
    assert memory.failure.type == "MemoryError"
    (file,) = body("open('x', 'w').write('y' * 10**7)").results
    assert file.failure is not None
    assert "File too large" in file.failure.message


def test_output_is_bounded() -> None:
    found = body("print('x' * 10**6)\n    return 1")
    assert (len(found.output), found.results) == (10_000, (Result(1),))


def test_what_ends_itself_is_said() -> None:
    assert body("import os\n    os._exit(3)").ended == "it ended with exit code 3"
    (found,) = body("raise SystemExit(4)").results
    assert found.failure is not None
    assert found.failure.type == "SystemExit"
    (odd,) = body("return {1, 2}").results
    assert odd.failure is not None
    assert "the result is no JSON" in odd.failure.message


def test_it_is_a_check_of_new_code(opto: Rehearsal) -> None:
    cases = [(Call((2,)), 4), (Call((3,)), 9)]

    @otel_opto.node(trainable=otel_opto.Trainable(key="process.square", constraint=expecting(cases, limits=PATIENT)))
    def square(x: int) -> int:
        return 0

    def refused(text: str) -> str:
        with pytest.raises(otel_opto.InvalidValue) as error:
            opto.set("process.square", text)
        return str(error.value)

    assert "of [3] it makes 6, wanted is 9" in refused("def square(x):\n    return x * 2 if x > 2 else 4\n")
    assert "   2 |     return x / 0    <--- ZeroDivisionError" in refused("def square(x):\n    return x / 0\n")
    opto.set("process.square", "def square(x):\n    return x * x\n")
    assert square(5) == 25


def test_it_may_be_asked_from_any_thread() -> None:
    found: list[Evaluation] = []
    threads = [threading.Thread(target=lambda: found.append(body("return 1"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.results for one in found] == [(Result(1),)] * 3
