"""What looks like a prompt and was never declared."""

import re
import subprocess
import sys
from pathlib import Path

from collector.api.discoveries import Discovery, seen_in, together
from collector.core.graph import TraceGraph
from collector.graph.builder import build
from otel_opto.spec import ParameterSpec, ParameterType
from tests import samples
from tests.unit.collector.graph.workflows import TRACE, graph_of, span

PAGE = (Path(__file__).parents[4] / "docs" / "graph.md").read_text(encoding="utf-8")
CHAT = '[{"role": "system", "content": "Answer in one line."}, {"role": "user", "content": "Which tide is larger?"}]'
SPANS = [
    span(1, None, "ask", 0, 9, {"opto.param.k.value": 3}),
    span(2, 1, "chat", 1, 2, {"gen_ai.operation.name": "chat", "gen_ai.input.messages": CHAT}),
    span(3, 1, "draft", 3, 4, {"app.prompt": "Write {count} lines on {topic}.", "app.answer": "one, two"}),
    span(4, 1, "flag", 4, 5, {"param.style": "dry"}),
]


def kinds(graph: TraceGraph) -> dict[str, tuple[bool, bool]]:
    return {one.key: (one.discovered, one.trainable) for one in graph.parameters}


def test_what_a_span_calls_a_parameter_is_trainable_and_what_looks_like_a_prompt_is_discovered() -> None:
    assert kinds(graph_of(SPANS)) == {
        "ask.system_prompt": (True, False),
        "app.prompt": (True, False),
        "k": (False, True),
        "style": (False, True),
    }


def test_what_is_declared_is_no_discovery() -> None:
    specs = {("app", "app.prompt"): ParameterSpec("app.prompt", ParameterType.TEXT, "Write {count} lines on {topic}.")}
    assert kinds(build(TRACE, SPANS, {}, specs))["app.prompt"] == (False, True)


def test_of_several_traces_each_key_once_the_newest_first() -> None:
    older = span(3, 1, "draft", 3, 4, {"app.prompt": "Write on {topic}.", "app.answer": "one, two"})
    found = together([seen_in("app", graph_of(SPANS)), seen_in("app", graph_of([*SPANS[:2], older]))])
    assert [(one.key, one.texts, one.traces, one.text) for one in found] == [
        ("app.prompt", 2, 1, "Write {count} lines on {topic}."),
        ("ask.system_prompt", 1, 1, "Answer in one line."),
    ]
    assert found[0].fields == ("count", "topic")
    assert found[0].span_ids == (samples.span_id(3),)
    assert seen_in("other", graph_of(SPANS)) == ()


def test_the_five_lines_make_it_a_parameter() -> None:
    """In a process of its own: a declaration stays for the life of one."""
    hostile = 'Say "{topic}" in {count} lines,\nas {"a": 1} shows: \\n'
    texts = ["Write {count} lines on {topic}.", hostile, "Answer in one line."]
    programs = [Discovery("qa", f"§ the plan's {n}.prompt", text, 1, fields_of(text), 1, "t", ()).code() for n, text in
                enumerate(texts)]  # fmt: skip
    assert all(len(program.splitlines()) == 5 for program in programs)
    names = [re.findall(r"^(\w+) =", program, re.MULTILINE)[0] for program in programs]
    whole = "\n".join([*programs, f"assert [{', '.join(f'{name}.value' for name in names)}] == {texts!r}"])
    environment = {"OTEL_OPTO_DISABLED": "1", "PATH": ""}
    ran = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, check=False, env=environment)
    assert (ran.returncode, ran.stderr) == (0, "")


def fields_of(text: str) -> tuple[str, ...]:
    return ("count", "topic") if "{topic}" in text else ()


def test_the_page_shows_the_code() -> None:
    shown = "".join(f"    {line}\n" for line in seen_in("app", graph_of(SPANS))[0].code().splitlines())
    assert shown in PAGE
