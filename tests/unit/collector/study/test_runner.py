"""Steps 4 to 6 on a real store: trials, validation, failures, conclusions."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from collector.core.calls import ModelCall
from collector.core.candidate import Fate, Selection
from collector.core.errors import BudgetSpent, OptimizerError
from collector.core.feedback import Feedback
from collector.core.protocols import OptimizationRequest
from collector.core.release import ReleaseDraft
from collector.core.rollout import RolloutPlan
from collector.core.span import SpanContext
from collector.core.study import Cost, Exploration, Policy, Proposal, Remarks, Study, StudyRecord, StudyState
from collector.core.telemetry import Signal
from collector.pipeline import Pipeline
from collector.publisher.desk import aside
from collector.storage.file_store import FileStore
from collector.study.runner import RunnerSettings, StudyRunner
from otel_opto.assignment import Assignment
from otel_opto.spec import Constraint, ParameterSpec, ParameterType
from tests import samples
from tests.clocks import TickingClock
from tests.control import Control, control_of

SPECS = (
    ParameterSpec("x", ParameterType.INTEGER, 1, Constraint(minimum=0, maximum=9)),
    ParameterSpec("fixed", ParameterType.TEXT, "as it is", trainable=False),
)
WHOLE = Exploration(share=1.0)
STUDY = Study(
    "tune", "shop", "quality", batch_size=2, max_trials=3, optimizer="scripted", exploration=WHOLE,
    selection=Selection(units=600),
)  # fmt: skip


@dataclass
class Scripted:
    """An optimizer that proposes what it is told, in turn; an exception in the script is raised."""

    script: list[Sequence[Proposal] | OptimizerError]
    requests: list[OptimizationRequest] = field(default_factory=list)

    def check(self, study: Study, parameters: Sequence[ParameterSpec]) -> Sequence[str]:
        return ()

    async def propose(self, request: OptimizationRequest) -> Sequence[Proposal]:
        self.requests.append(request)
        said = self.script.pop(0)
        if isinstance(said, OptimizerError):
            raise said
        return said


@dataclass
class Bench:
    store: FileStore
    pipeline: Pipeline
    control: Control
    optimizer: Scripted
    runner: StudyRunner
    clock: TickingClock
    traces: int = 0

    async def judge(self, score: Callable[[int], float], count: int = 2) -> None:
        """What the application does: traces with the release that each is given, and its score."""
        in_force = await self.control.desk.assignment("shop")
        assert in_force is not None
        for _ in range(count):
            self.traces += 1
            current = await self.control.desk.release(in_force.release_for(samples.trace_id(self.traces)))
            assert current is not None
            value = current.values["x"]
            assert isinstance(value.value, int)
            used = {"opto.release": current.number, "opto.assignment": in_force.revision,
                    "opto.param.x.version": value.version, "opto.output": '"out"'}  # fmt: skip
            spans = [samples.span(self.traces, 1, values=used, start=self.traces)]
            await self.pipeline.ingest(Signal.TRACES, samples.traces_request(spans))
            record = samples.evaluation(self.traces, 1, score(value.value), "said", time=self.traces)
            await self.pipeline.ingest(Signal.LOGS, samples.logs_request([record]))
        await self.pipeline.attach()
        await self.runner.improve("tune")

    async def until(self, score: Callable[[int], float], trials: int) -> StudyRecord:
        """Traffic until so many trials have a score, or the study has ended."""
        while True:
            record = await self.record()
            complete = sum(trial.complete for trial in record.trials)
            if record.state is not StudyState.RUNNING or complete >= trials:
                return record
            await self.judge(score)

    async def to_the_end(self, score: Callable[[int], float]) -> StudyRecord:
        """Traffic until the study has ended."""
        while (await self.record()).state is StudyState.RUNNING:
            await self.judge(score, 10)
        return await self.record()

    async def record(self) -> StudyRecord:
        record = await self.control.studies.study("tune")
        assert record is not None
        return record

    async def in_force(self) -> object:
        release = await self.control.desk.control("shop")
        assert release is not None
        return release.values["x"].value


def runner_of(store: FileStore, pipeline: Pipeline, control: Control, optimizer: Scripted) -> StudyRunner:
    settings = RunnerSettings(retry_seconds=0.001, max_failures=3)
    return StudyRunner(
        store, pipeline, control.arms, lambda _: optimizer, control.counters, settings, asyncio.Event()
    )  # fmt: skip


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    clock = TickingClock()
    store = FileStore(tmp_path, clock)
    await store.start()
    control = control_of(store, clock)
    pipeline = Pipeline(store, clock, control.counters, lambda: None, control.desk.release)
    optimizer = Scripted([])
    runner = runner_of(store, pipeline, control, optimizer)
    await store.parameters.declare("shop", SPECS)
    await control.studies.create(STUDY, "test")
    yield Bench(store, pipeline, control, optimizer, runner, clock)
    await store.stop()


async def reason(bench: Bench, assignment: Assignment) -> str:
    release = await bench.control.desk.release(assignment.control)
    assert release is not None
    return release.reason


def proposing(*values: int) -> list[Sequence[Proposal] | OptimizerError]:
    return [[Proposal({"x": value}, f"try {value}")] for value in values]


async def test_a_study_goes_from_the_baseline_to_what_fresh_data_confirm(bench: Bench) -> None:
    bench.optimizer.script = proposing(5, 9, 3)
    with bench.control.hub.watch("shop") as published:
        await bench.runner.improve("tune")
        assert await reason(bench, await anext(published)) == "study tune: baseline"
        record = await bench.to_the_end(lambda x: x / 10)
        last = await bench.control.desk.control("shop")
    assert [(t.number, t.values["x"], t.score) for t in record.trials] == [
        (0, 1, pytest.approx(0.1)),
        (1, 5, pytest.approx(0.5)),
        (2, 9, pytest.approx(0.9)),
        (3, 3, pytest.approx(0.3)),
    ]
    assert (record.state, await bench.in_force()) == (StudyState.FINISHED, 9)
    winner = record.winner()
    assert winner is not None
    assert winner.number == 2
    assert winner.found is not None
    assert winner.found.gain[1] > 0
    assert last is not None
    assert last.reason == "study tune: trial 2, fresh data exclude that it is no better"
    assert last.values["fixed"].value == "as it is"
    assert {window.purpose for window in record.windows} == {"baseline", "look", "confirm"}


async def test_without_evidence_nothing_is_released(bench: Bench) -> None:
    """All are alike: whatever looks better by a few units stays where it is."""
    luck = random.Random(1)
    bench.optimizer.script = proposing(5, 9, 3)
    await bench.runner.improve("tune")
    record = await bench.to_the_end(lambda _: float(luck.random() < 0.5))
    assert (record.state, record.winner(), await bench.in_force()) == (StudyState.FINISHED, None, 1)
    assert "the incumbent stays" in record.message
    assert Fate.OPEN not in {trial.fate for trial in record.trials[1:]} or "no evidence yet" in record.message


async def test_what_is_proposed_again_gets_more_units_and_is_no_trial(bench: Bench) -> None:
    bench.optimizer.script = [*proposing(5, 5), [Proposal({"x": 1}, "as it is")], *proposing(9, 4)]
    await bench.runner.improve("tune")
    record = await bench.until(lambda x: x / 10, 3)
    assert [trial.values["x"] for trial in record.trials[:3]] == [1, 5, 9]
    assert [(one.of, one.reasoning) for one in record.repeats] == [(1, "try 5"), (0, "as it is")]
    looked_at = [window.trials for window in record.windows]
    assert looked_at[:3] == [(), (1,), (1,)]


async def test_all_candidates_of_one_answer_are_measured_together(bench: Bench) -> None:
    bench.optimizer.script = [[Proposal({"x": value}) for value in (5, 9, 3)]]
    await bench.runner.improve("tune")
    record = await bench.until(lambda x: x / 10, 4)
    assert record.windows[1].trials == (1, 2, 3)
    assert len(bench.optimizer.requests) == 1


async def test_what_is_more_than_the_trials_allowed_is_kept_with_its_fate(bench: Bench) -> None:
    ten = [Proposal({"x": value}, f"x = {value}", Cost(calls=1)) for value in (0, 2, 3, 4, 5, 6, 7, 8, 9, 2)]
    bench.optimizer.script = [ten]
    await bench.runner.improve("tune")
    record = await bench.until(lambda x: x / 10, 4)
    assert record.windows[1].trials == (1, 2, 3)
    assert [one.errors for one in record.rejected] == [
        ("max_trials: 3 were there already; it fits, and was not tried",)
    ] * 6
    assert [one.of for one in record.repeats] == [2]
    assert sum(one.proposal.cost.calls for one in record.rejected) == 6


async def test_feedback_that_comes_late_changes_what_is_known(bench: Bench) -> None:
    bench.optimizer.script = [*proposing(5), [], *proposing(9)]
    await bench.runner.improve("tune")
    await bench.until(lambda x: x / 10, 1)
    in_force = await bench.control.desk.assignment("shop")
    assert in_force is not None
    late = 7_000
    release = await bench.control.desk.release(in_force.releases[1])
    assert release is not None
    used = {"opto.release": release.number, "opto.assignment": in_force.revision}
    await bench.pipeline.ingest(
        Signal.TRACES, samples.traces_request([samples.span(late, 1, values=used, start=bench.traces)])
    )
    before = await bench.until(lambda x: x / 10, 2)
    assert before.trials[1].score == pytest.approx(0.5)
    units = before.trials[1].feedback_count
    said = samples.evaluation(late, 1, 0.0, "after all", time=late)
    await bench.pipeline.ingest(Signal.LOGS, samples.logs_request([said]))
    await bench.pipeline.attach()
    after = await bench.to_the_end(lambda x: x / 10)
    assert after.trials[1].feedback_count > units
    assert after.trials[1].score == pytest.approx(0.5, abs=0.05)
    assert after.trials[1].score < 0.5


async def test_the_optimizer_sees_the_best_values_with_their_judged_subgraphs(bench: Bench) -> None:
    bench.optimizer.script = proposing(5, 2, 7)
    await bench.runner.improve("tune")
    await bench.until(lambda x: x / 10, 3)
    first, second, third = bench.optimizer.requests
    assert [request.current["x"] for request in (first, second, third)] == [1, 5, 5]
    assert [spec.key for spec in third.parameters] == ["x"]
    for judged in third.batch:
        assert judged.feedback.score == 0.5
        assert [(p.key, p.text) for p in judged.graph.parameters] == [("x", "5")]


async def test_two_judged_outputs_of_one_trace_have_each_their_own_subgraph(bench: Bench) -> None:
    spans = [
        samples.span(1, 1, name="ask", values={"opto.param.x.value": 1}),
        samples.span(1, 2, 1, "find", values={"opto.output": '"a"'}, start=1),
        samples.span(1, 3, 1, "tell", values={"opto.output": '"b"'}, links=[(2, "found")], start=2),
    ]
    await bench.pipeline.ingest(Signal.TRACES, samples.traces_request(spans))
    targets = [SpanContext(samples.trace_id(1), samples.span_id(number)) for number in (3, 9, 1)]
    batch = [Feedback(target, "quality", 0.5) for target in targets]
    pairs = await bench.pipeline.judged(STUDY, batch)
    assert [pair.feedback.target.span_id for pair in pairs] == [samples.span_id(3), samples.span_id(1)]
    names = [[node.name for node in pair.graph.nodes] for pair in pairs]
    assert names == [["find", "tell"], ["x", "ask", "find", "tell"]]


async def test_a_proposal_that_does_not_fit_never_becomes_a_release(bench: Bench) -> None:
    bench.optimizer.script = [
        [Proposal({"x": 99}, "too much")],
        [Proposal({"x": "many"}), Proposal({"y": 1}), Proposal({"x": 4}, "fits")],
    ]
    await bench.runner.improve("tune")
    record = await bench.until(lambda x: x / 10, 1)
    assert [rejected.errors for rejected in record.rejected] == [
        ("parameter 'x': found 99 (int), allowed: a whole number from 0 to 9",),
        ("parameter 'x': found 'many' (str), allowed: a whole number from 0 to 9",),
        ("parameter 'y': unknown; known: x",),
    ]
    assert [rejected.proposal.values for rejected in bench.optimizer.requests[1].rejected] == [{"x": 99}]
    assert [trial.values["x"] for trial in record.trials] == [1, 4]


async def test_what_its_own_generator_refuses_never_becomes_a_release_and_is_counted(bench: Bench) -> None:
    refused = Proposal({"x": 3}, "copied", Cost(calls=3, refused=3), faults=("copies recorded data",))
    bench.optimizer.script = [[refused], [Proposal({"x": 4}, "general", Cost(calls=2, refused=1))]]
    await bench.runner.improve("tune")
    record = await bench.until(lambda x: x / 10, 1)
    assert [(rejected.proposal.values, rejected.errors) for rejected in record.rejected] == [
        ({"x": 3}, ("copies recorded data",))
    ]
    assert [trial.values["x"] for trial in record.trials] == [1, 4]
    assert [record.rejected[0].proposal.cost.refused, record.trials[1].cost.refused] == [3, 1]


async def test_a_text_that_the_application_cannot_format_is_never_released_and_the_optimizer_is_told(
    bench: Bench,
) -> None:
    prompt = ParameterSpec("prompt", ParameterType.TEXT, "Answer {question}", Constraint(placeholders=("question",)))
    await bench.store.parameters.declare("shop", [*SPECS, prompt])
    broken = 'Answer {question} as JSON: {"answer": ...}'
    bench.optimizer.script = [[Proposal({"prompt": broken})], [Proposal({"prompt": "{question}?"})]]
    await bench.runner.improve("tune")
    await bench.until(lambda x: x / 10, 1)
    (rejected,) = bench.optimizer.requests[1].rejected
    assert rejected.proposal.values == {"prompt": broken}
    assert '{"answer": ...} is no field that can be filled; these can: {question}' in rejected.errors[0]
    assert [release.values["prompt"].value for release in await bench.control.desk.releases()] == [
        "{question}?",
        "Answer {question}",
    ]


async def test_a_candidate_that_a_deploy_took_away_is_out_at_once(bench: Bench) -> None:
    bench.optimizer.script = proposing(9, 5, 4)
    await bench.runner.improve("tune")
    await bench.until(lambda x: x / 10, 2)
    narrower = ParameterSpec("x", ParameterType.INTEGER, 1, Constraint(minimum=0, maximum=6))
    await bench.store.parameters.declare("shop", [narrower])
    record = await bench.to_the_end(lambda x: x / 10)
    assert record.trials[1].fate is Fate.INVALID
    assert "found 9 (int), allowed: a whole number from 0 to 6" in record.trials[1].why
    assert await bench.in_force() == 5
    assert all(1 not in window.trials for window in record.windows[2:])


async def test_a_passing_fault_is_tried_again_and_a_lasting_one_ends_the_study(bench: Bench) -> None:
    bench.optimizer.script = [OptimizerError("busy"), *proposing(6), OptimizerError("no such model", permanent=True)]
    await bench.runner.improve("tune")
    record = await bench.to_the_end(lambda x: x / 10)
    assert [trial.values["x"] for trial in record.trials] == [1, 6]
    assert (record.state, record.message) == (StudyState.FAILED, "no such model; the incumbent stays")
    assert await bench.in_force() == 1


async def test_a_fault_that_does_not_pass_ends_the_study_after_the_tries_allowed(bench: Bench) -> None:
    bench.optimizer.script = [OptimizerError("busy")] * 3
    await bench.runner.improve("tune")
    await bench.judge(lambda x: 0.5)
    assert (await bench.record()).state is StudyState.FAILED
    assert len(bench.optimizer.requests) == 3


async def test_nothing_more_to_suggest_goes_on_with_what_there_is(bench: Bench) -> None:
    bench.optimizer.script = [*proposing(8), []]
    await bench.runner.improve("tune")
    record = await bench.to_the_end(lambda x: x / 10)
    assert (record.state, await bench.in_force()) == (StudyState.FINISHED, 8)
    assert record.message.startswith("scripted has nothing more to suggest; better than the incumbent by ")


async def test_feedback_on_another_release_or_metric_or_without_the_attribute_does_not_count(bench: Bench) -> None:
    await bench.runner.improve("tune")
    await bench.pipeline.ingest(
        Signal.TRACES, samples.traces_request([samples.span(900, 1, values={"opto.release": 77})])
    )
    await bench.pipeline.submit(
        [
            Feedback(SpanContext(samples.trace_id(900), ""), "quality", 1.0, time_unix_nano=1),
            Feedback(SpanContext(samples.trace_id(900), ""), "speed", 1.0, time_unix_nano=2),
        ]
    )
    assert await bench.pipeline.attach() == 2
    await bench.judge(lambda x: 0.5, count=1)
    assert [trial.score for trial in (await bench.record()).trials] == [None]


async def test_labels_that_a_study_maps_close_its_trials(bench: Bench) -> None:
    await bench.store.parameters.declare("labelled", SPECS[:1])
    study = Study("words", "labelled", "verdict", batch_size=2, labels={"good": 1.0, "bad": 0.0}, exploration=WHOLE)
    await bench.control.studies.create(study, "test")
    await bench.runner.improve("words")
    release = await bench.control.desk.control("labelled")
    assert release is not None
    for number, label in ((501, "good"), (502, "meh"), (503, "bad")):
        used = {"opto.release": release.number}
        spans = [samples.span(number, 1, values=used, start=number)]
        await bench.pipeline.ingest(Signal.TRACES, samples.traces_request(spans, "labelled"))
        target = SpanContext(samples.trace_id(number), "")
        await bench.pipeline.submit([Feedback(target, "verdict", label=label, time_unix_nano=number)])
    await bench.pipeline.attach()
    bench.optimizer.script = [[]]
    await bench.runner.improve("words")
    record = await bench.control.studies.study("words")
    assert record is not None
    assert [(trial.score, trial.feedback_count) for trial in record.trials] == [(0.5, 2)]
    assert [judged.feedback.score for judged in bench.optimizer.requests[0].batch] == [1.0, 0.0]


async def test_a_trace_that_makes_no_graph_does_not_hold_up_a_study(bench: Bench) -> None:
    bench.optimizer.script = proposing(5)
    await bench.runner.improve("tune")
    current = await bench.control.desk.control("shop")
    assert current is not None
    circle = [
        samples.span(800, 1, values={"opto.release": current.number}),
        samples.span(800, 2, 1, links=[(3, "a")]),
        samples.span(800, 3, 1, links=[(2, "b")]),
    ]
    await bench.pipeline.ingest(Signal.TRACES, samples.traces_request(circle))
    await bench.pipeline.ingest(Signal.LOGS, samples.logs_request([samples.evaluation(800, 1, 0.2, "said")]))
    await bench.judge(lambda x: x / 10, count=1)
    assert [len(request.batch) for request in bench.optimizer.requests] == [1]


async def test_a_study_waits_until_its_parameters_are_declared(bench: Bench) -> None:
    await bench.control.studies.create(Study("early", "later", "quality", exploration=WHOLE), "test")
    await bench.runner.improve("early")
    assert (await bench.control.desk.control("later")) is None
    await bench.store.parameters.declare("later", SPECS[:1])
    await bench.runner.improve("early")
    release = await bench.control.desk.control("later")
    assert release is not None
    assert {key: value.value for key, value in release.values.items()} == {"x": 1}


async def test_a_study_of_what_nobody_declares_fails_in_words_after_its_deadline(bench: Bench) -> None:
    exploration = Exploration(share=1.0, deadline_seconds=3_600.0)
    early = Study("early", "later", "quality", parameters=("y",), exploration=exploration)
    await bench.control.studies.create(early, "test")
    await bench.store.parameters.declare("later", SPECS)

    async def improved() -> StudyRecord:
        await bench.runner.improve("early")
        record = await bench.control.studies.study("early")
        assert record is not None
        return record

    assert (await improved()).state is StudyState.RUNNING
    bench.clock.now += 3_600 * 10**9
    record = await improved()
    assert record.state is StudyState.FAILED
    assert record.message.startswith(
        "no application of 'later' has declared y; declared are fixed, x; so it was for 3600"
    )
    assert await bench.control.studies.running("later") == []


async def test_a_spent_budget_goes_on_with_what_was_found(bench: Bench) -> None:
    bench.optimizer.script = [*proposing(5), BudgetSpent("max_calls: 1 of 1")]
    await bench.runner.improve("tune")
    record = await bench.to_the_end(lambda x: x / 10)
    assert record.state is StudyState.FINISHED
    assert record.message.startswith("max_calls: 1 of 1; better than the incumbent")
    assert await bench.in_force() == 5


async def test_an_optimizer_is_told_what_was_said_of_trials_and_has_a_book_for_its_calls(bench: Bench) -> None:
    bench.optimizer.script = proposing(5, 9)
    await bench.runner.improve("tune")
    await bench.until(lambda x: x / 10, 2)
    first, second = bench.optimizer.requests
    assert first.remarks == {0: Remarks("said", "said")}
    assert second.remarks.keys() == {0, 1}
    assert first.calls is not None
    assert second.calls is not None
    await first.calls.record(ModelCall("tiny", Cost(1, 10)))
    assert await second.calls.spent() == Cost(1, 10)


@pytest.mark.parametrize("turns", range(10))
async def test_it_ends_when_it_is_cancelled_as_its_wait_ends(bench: Bench, turns: int) -> None:
    bench.runner._settings = RunnerSettings(gather_seconds=0.0)
    bench.runner._woken.set()
    waiting = asyncio.create_task(bench.runner._wait())
    for _ in range(turns):
        await asyncio.sleep(0)
    over = waiting.done()
    waiting.cancel()
    await asyncio.wait({waiting}, timeout=20)
    assert waiting.cancelled() or over


async def test_a_study_that_ends_does_not_end_a_persons_rollout(bench: Bench) -> None:
    bench.optimizer.script = proposing(5)
    await bench.runner.improve("tune")
    control = bench.control
    candidate = await control.desk.publish(ReleaseDraft("shop", {"x": 7, "fixed": "as it is"}, "by hand"), "me", aside)
    plan = RolloutPlan("shop", candidate.number, candidate.hash, policy=Policy.AUTOMATIC)
    await control.rollouts.draft("r", plan, "me")
    await control.rollouts.begin("r", "me")
    before = await control.desk.assignment("shop")
    await bench.runner.conclude(await bench.record(), StudyState.STOPPED, "stopped by request", "me")
    assert (await bench.record()).state is StudyState.STOPPED
    assert await control.desk.assignment("shop") == before


async def test_a_collector_that_dies_goes_on_where_it_was(bench: Bench) -> None:
    """Everything that decides is in the store: a runner that knows nothing takes the same decisions."""
    bench.optimizer.script = proposing(5, 9, 3)
    await bench.runner.improve("tune")
    for _ in range(200):
        bench.runner = runner_of(bench.store, bench.pipeline, control_of(bench.store, bench.clock), bench.optimizer)
        await bench.judge(lambda x: x / 10, 4)
        if (await bench.record()).state is not StudyState.RUNNING:
            break
    record = await bench.record()
    winner = record.winner()
    assert winner is not None
    assert (winner.values["x"], await bench.in_force()) == (9, 9)


async def test_values_that_somebody_else_put_in_force_end_the_study(bench: Bench) -> None:
    bench.optimizer.script = proposing(5, 9, 3)
    await bench.runner.improve("tune")
    await bench.until(lambda x: x / 10, 2)
    await bench.control.desk.publish(ReleaseDraft("shop", {"x": 2, "fixed": "as it is"}, "by hand"), "me")
    await bench.runner.improve("tune")
    record = await bench.record()
    assert record.state is StudyState.STOPPED
    assert "what is in force has other values than the study began with (x)" in record.message
    assert await bench.in_force() == 2
