"""A batch of runs as one view: the same text for the same runs, whatever their ids, clocks and order."""

import json
import random
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.core.feedback import Feedback
from collector.core.graph import SourcePosition, TraceFeedback
from collector.core.span import SpanContext
from collector.core.study import Study
from collector.graph.builder import build
from collector.graph.subgraph import minimal_subgraph
from collector.optimizer.instance.problem import Budget, problem
from collector.optimizer.instance.runs import chosen, code, runs_of, summary
from collector.otlp.decode import spans_of
from tests import samples
from tests.contract.optimizers import judged, request

SECOND = 1_000_000_000


@dataclass(frozen=True)
class Step:
    """One call under the root: what it was made of, what it gave."""

    name: str
    sources: tuple[tuple[int, str], ...]
    output: str
    parameter: str
    error: str


@st.composite
def workflows(draw: st.DrawFn) -> tuple[Step, ...]:
    """Few names, values and parameters, so that steps look alike."""
    size = draw(st.integers(1, 6))
    return tuple(
        Step(
            draw(st.sampled_from(["look", "rank"])),
            tuple(
                (number, draw(st.sampled_from(["", "a", "b"])))
                for number in draw(st.sets(st.integers(0, n - 1), max_size=2))
            )
            if n
            else (),
            draw(st.sampled_from(['"x"', '"y"'])),
            draw(st.sampled_from(["", "top_k", "style", "colour"])),
            draw(st.sampled_from(["", "", "broken", "late"])),
        )
        for n in range(size)
    )


def recorded(steps: tuple[Step, ...], score: float, rng: random.Random) -> TraceFeedback:
    """One run as a collector sees it: ids and times at random, producers done before their consumers start."""
    trace, root, *ids = rng.sample(range(1, 10_000), len(steps) + 2)
    done: list[int] = []
    messages = [samples.span(trace, root, name="ask", values={"opto.input.q": '"why?"', "opto.output": '"so"'})]
    for number, step in enumerate(steps):
        start = max([done[source] for source, _ in step.sources], default=0) + rng.randrange(SECOND)
        done.append(start + 1 + rng.randrange(SECOND))
        values = {"opto.output": step.output, "opto.input.given": json.dumps(step.name)}
        if step.parameter:
            values[f"opto.param.{step.parameter}.value"] = "v"
        links = [(ids[source], argument) for source, argument in step.sources if argument]
        message = samples.span(trace, ids[number], root, step.name, values=values, links=links, error=step.error,
                               start=start, duration=done[-1] - start)  # fmt: skip
        messages.append(message)
    rng.shuffle(messages)
    graph = build(samples.trace_id(trace), spans_of(samples.traces_request(messages)), {}, {})
    judgement = Feedback(SpanContext(samples.trace_id(trace), samples.span_id(root)), "quality", score, text="so so",
                         time_unix_nano=rng.randrange(10**18))  # fmt: skip
    return TraceFeedback(judgement, minimal_subgraph(graph, f"span:{samples.span_id(root)}"))


@given(
    st.lists(st.tuples(workflows(), st.sampled_from([0.0, 0.5])), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
@settings(max_examples=150, deadline=None)
def test_two_recordings_of_one_batch_give_the_same_text(
    batch: list[tuple[tuple[Step, ...], float]], rng: random.Random
) -> None:
    def text() -> str:
        runs = [recorded(steps, score, rng) for steps, score in batch]
        rng.shuffle(runs)
        return problem(replace(request(), batch=tuple(runs)), Budget(1_000_000, 2))

    assert text() == text()


def test_the_worst_are_read_last_and_the_best_is_kept() -> None:
    asked = replace(request(), batch=tuple(judged(n, n / 10, f"{n}") for n in (3, 1, 4, 2)))
    runs = runs_of(asked)
    assert [run.feedback.score for run in runs] == [0.1, 0.2, 0.3, 0.4]
    assert [run.feedback.score for run in chosen(runs, 3)] == [0.4, 0.2, 0.1]
    assert [run.feedback.score for run in chosen(runs, 1)] == [0.1]


def test_of_runs_judged_alike_each_draft_sees_others_and_different_feedback() -> None:
    batch = tuple(judged(n, 0.0, "wrong: positive" if n % 2 else "wrong: negative", f"{n}") for n in range(1, 9))
    runs = runs_of(replace(request(), batch=batch))
    shown = [[run.lines(100) for run in chosen(runs, 3, draft)[1:]] for draft in range(3)]
    assert len({str(lines) for lines in shown}) == 3
    assert all("positive" in str(lines) and "negative" in str(lines) for lines in shown)


def test_sorts_of_feedback_take_turns_whatever_the_outputs_were() -> None:
    said = [
        f"wrong: {word * n}, expected {'positive' if n < 7 else 'negative'}" for n, word in enumerate("abcdefghij", 1)
    ]
    runs = runs_of(replace(request(), batch=tuple(judged(n, 0.0, text, f"{n}") for n, text in enumerate(said, 1))))
    for draft in range(4):
        texts = [run.feedback.text for run in chosen(runs, 3, draft)[1:]]
        assert sum("negative" in text for text in texts) == 1


def test_ways_taken_equally_often_are_told_in_one_order() -> None:
    odd = judged(4, 0.5, "")
    shorter = replace(odd.graph, edges=tuple(edge for edge in odd.graph.edges if edge.argument != "found"))
    batch = (judged(1, 0.5, ""), replace(odd, graph=shorter))
    both = [code(runs_of(replace(request(), batch=order))) for order in (batch, batch[::-1])]
    assert both[0] == both[1]
    assert [line for line in both[0] if line.startswith("(")] == ["(1 of 2 runs)", "(1 of 2 runs)"]


def test_exceptions_are_told_with_the_step_that_failed() -> None:
    (run,) = runs_of(replace(request(), batch=(judged(1, 0.0, "", error="no place"),)))
    assert 'exception in tell: ValueError: "no place"' in run.lines(100)
    assert summary([run]) == "1 run, 1 with an exception:"


STACK = """Traceback (most recent call last):
  File "/app/shop.py", line 12, in tell
    return write(found)
           ^^^^^^^^^^^^
  File "{file}", line 3, in write
    return json.loads(found)
  File "/usr/lib/python3.11/json/__init__.py", line 346, in loads
    return _default_decoder.decode(s)
ValueError: no place
"""


def test_the_line_that_failed_is_shown_of_released_code_else_of_the_innermost() -> None:
    item = judged(1, 0.0, "", error="no place")
    (record,) = item.graph.exceptions

    def shown(file: str, position: SourcePosition) -> str:
        failed = replace(record, stacktrace=STACK.format(file=file), position=position)
        (run,) = runs_of(replace(request(), batch=(replace(item, graph=replace(item.graph, exceptions=(failed,))),)))
        return next(line for line in run.lines(100) if line.startswith("exception"))

    innermost = SourcePosition("/usr/lib/python3.11/json/__init__.py", 346, "loads")
    said = 'exception in tell: ValueError: "no place" at line '
    assert shown("<write@0123456789ab>", innermost) == said + '3: "return json.loads(found)"'
    assert shown("/app/write.py", innermost) == said + '346: "return _default_decoder.decode(s)"'
    assert shown("/app/write.py", SourcePosition("/elsewhere.py", 1, "")) == said.removesuffix(" at line ")


def test_a_study_that_minimizes_shows_the_highest_first() -> None:
    study = Study("s", "shop", "quality", direction=request().study.direction.MINIMIZE)
    assert [run.feedback.score for run in runs_of(request(study=study))] == [n / 10 for n in range(7, 0, -1)]


def test_a_program_that_differs_in_a_line_is_shown_by_its_difference() -> None:
    @dataclass
    class Shaped:
        steps: list[str]

        @property
        def program(self) -> "Shaped":
            return self

        def lines(self) -> list[str]:
            return self.steps

    usual = [f"s{n} = s{n}()" for n in range(6)]
    runs = [
        Shaped(usual),
        Shaped(usual),
        Shaped([*usual[:3], "more = more()", *usual[3:]]),
        Shaped(["other = other()"]),
    ]
    assert code(runs) == [  # type: ignore[arg-type]
        "(2 of 4 runs)", *usual,
        "(1 of 4 runs)", "other = other()",
        "(1 of 4 runs, the same but for)", "with more = more()",
    ]  # fmt: skip
