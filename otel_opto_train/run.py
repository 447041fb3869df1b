"""One run of a workflow: its spans, its trace graph, and what was said of its outputs."""

import contextvars
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from opentelemetry.sdk.trace import TracerProvider

from collector.core.feedback import Feedback
from collector.core.graph import NodeKind, TraceFeedback
from collector.core.span import AnyValue, SpanContext
from otel_opto import semconv
from otel_opto.node import Node
from otel_opto.registry import Registry
from otel_opto.setup import Sdk
from otel_opto.spec import InvalidValue, ParameterSpec, ParameterValue
from otel_opto_train.judgement import Judgement, Said, failure_of, is_failure, judgement_of
from otel_opto_train.picture import DrawnGraph
from otel_opto_train.recording import Recorders, Tape, provider_of, taping
from otel_opto_train.traced import Traced, node_named, node_of_value, recorded, traced, with_feedback

_SPAN_NAME = "run"
WHOLE: Final = object()
"""Stands for the run's own output: None may be a value."""


class StrayValue(RuntimeError):
    """Somewhere in a run another value was read than the run has."""


class Run:
    """What happened while a workflow ran with certain values. Spans that end later, in the background, belong to it.

    Attributes:
        values: Of all parameters that were declared when it began.
        error: The exception that it ended with.
    """

    def __init__(
        self, values: Mapping[str, ParameterValue], specs: Mapping[str, ParameterSpec], told: Callable[["Run"], None]
    ) -> None:
        self.values = values
        self.error: BaseException | None = None
        self.tape = Tape()
        self._specs = specs
        self._told = told
        self._node: Node | None = None
        self._said: list[tuple[Judgement, object, str]] = []
        self._built: tuple[int, Traced] | None = None

    def begin(self, node: Node) -> None:
        """The span around it is open."""
        self._node = node

    def output(self, value: object) -> None:
        """Says what the run's output is; without it, it is that of the one operation in it, if there is one."""
        if self._node is not None:
            self._node.output(value)

    def backward(self, feedback: Said = None, on: object = WHOLE, *, node: str = "") -> None:
        """Feedback on the run's output, or on that of an operation in it.

        It may be given several times, for one output or for several: each leads back through its own minimal subgraph.

        Args:
            feedback: A score, a text, both as a pair or a mapping, or an exception. Nothing: the exception that the
                run ended with.
            on: A value that an operation gave, and that is judged.
            node: The name of the operation whose output is judged, where its value does not say which.

        Raises:
            InvalidJudgement: it says nothing, or its score is not finite.
        """
        judgement = failure_of(self.error) if feedback is None and self.error is not None else judgement_of(feedback)
        self._said.append((judgement, on, node))
        self._told(self)

    def forget(self) -> None:
        """What was said of it."""
        self._said.clear()

    @property
    def judgements(self) -> Sequence[Judgement]:
        """What was said of it."""
        return tuple(judgement for judgement, _, _ in self._said)

    @property
    def score(self) -> float | None:
        """The mean of the scores that were given; None without one."""
        scores = [judgement.score for judgement in self.judgements if judgement.score is not None]
        return sum(scores) / len(scores) if scores else None

    @property
    def otlp(self) -> bytes:
        """Its spans, as an OTLP export request."""
        return recorded(self.tape.spans())

    @property
    def root(self) -> tuple[str, str]:
        """Trace id and span id of the span around it.

        Raises:
            RuntimeError: it has not begun.
        """
        if self._node is None:
            raise RuntimeError("the run has not begun: `with optimizer.trace() as run:` begins it")
        context = self._node.span.get_span_context()
        return f"{context.trace_id:032x}", f"{context.span_id:016x}"

    @property
    def graph(self) -> DrawnGraph:
        """Its trace graph with the feedback; a notebook shows it as a picture, `print` as a tree.

        Raises:
            GraphError: its spans make none, or the run has not ended.
        """
        found = self._traced()
        return DrawnGraph.of(with_feedback(found.graph, [self._feedback(found, *said) for said in self._said]))

    def told(self, keys: Sequence[str], metric: str) -> tuple[TraceFeedback, ...]:
        """τ = (f, g) for each feedback, in the order in which it was given.

        Args:
            keys: Of the parameters from which the minimal subgraphs lead to what was judged.
            metric: The name that the feedback gets.

        Raises:
            GraphError: the spans make no graph.
            LookupError: no operation gave a value, or has a name, that feedback was given on.
            StrayValue: a parameter was read with another value than the run has.
        """
        found = self._traced()
        self._check_values(found)
        return tuple(found.leading_to(self._feedback(found, *said, metric), keys) for said in self._said)

    def _traced(self) -> Traced:
        spans = self.tape.spans()
        if self._built is None or self._built[0] != len(spans):
            self._built = len(spans), traced(recorded(spans), self.root, self._specs)
        return self._built[1]

    def _feedback(
        self, found: Traced, judgement: Judgement, on: object, name: str, metric: str = "quality"
    ) -> Feedback:
        span_id = found.top
        if name:
            span_id = node_named(found.graph, name).span_id or span_id
        elif on is not WHOLE:
            span_id = node_of_value(found.graph, on).span_id or span_id
        target = SpanContext(found.graph.trace_id, span_id)
        return Feedback(target, metric, judgement.score, judgement.label, judgement.text, "guide")

    def _check_values(self, found: Traced) -> None:
        for node in found.graph.nodes:
            wanted = self.values.get(node.name) if node.kind is NodeKind.PARAMETER else None
            if (
                wanted is not None
                and node.value is not None
                and not _is_same(self._specs[node.name], node.value, wanted)
            ):
                raise StrayValue(
                    f"parameter {node.name!r} was read as {node.value!r} in a run that has {wanted!r}: in a thread "
                    "that does not carry the context; start it with otel_opto.carried, or use "
                    "otel_opto.ContextThreadPoolExecutor"
                )


def _is_same(spec: ParameterSpec, recorded: AnyValue, wanted: ParameterValue) -> bool:
    """Whether a recorded value is that one; where attributes are limited in length it is cut."""
    if isinstance(recorded, str) and isinstance(wanted, str):
        return wanted.startswith(recorded)
    try:
        return spec.validate(recorded) == wanted
    except InvalidValue:
        return False


class Stage:
    """Where runs take place: the SDK's parameters and nodes, and tracer providers whose spans are recorded.

    Args:
        sdk: Of the process.
        recorders: Of the process.
        provider: A further one whose spans belong to runs, beside the SDK's own, or the global one.
    """

    def __init__(self, sdk: Sdk, recorders: Recorders, provider: TracerProvider | None = None) -> None:
        self._sdk = sdk
        self._recorders = recorders
        self._provider = provider

    @property
    def service(self) -> str:
        """The name that the spans of nodes have."""
        named = provider_of(self._sdk.tracer_provider).resource.attributes.get(semconv.SERVICE_NAME)
        return str(named or "unknown_service")

    @property
    def registry(self) -> Registry:
        """Of the declared parameters."""
        return self._sdk.registry

    def in_force(self) -> Mapping[str, ParameterValue]:
        """Of every declared parameter the value that a trace would get now."""
        release = self._sdk.pins.release_now()
        released = release.values if release is not None else {}
        return {
            key: released[key].value if key in released else spec.default
            for key, spec in self._sdk.registry.specs().items()
        }

    @contextmanager
    def run(
        self, values: Mapping[str, ParameterValue], told: Callable[[Run], None], *, catch: bool = False
    ) -> Iterator[Run]:
        """A run in a trace of its own, with these values and, of all other parameters, those in force.

        Args:
            values: Of some parameters; they fit.
            told: Is called for each feedback on it.
            catch: Whether an exception of the workflow ends the run only, see `is_failure`.
        """
        self._recorders.record(provider_of(self._sdk.tracer_provider))
        if self._provider is not None:
            self._recorders.record(self._provider)
        run = Run({**self.in_force(), **values}, self._sdk.registry.specs(), told)
        with self._sdk.registry.overriding(run.values), taping(run.tape):
            try:
                with self._sdk.start_node(_SPAN_NAME) as node:
                    run.begin(node)
                    yield run
            except BaseException as error:
                run.error = error
                if not catch or isinstance(error, GeneratorExit) or not is_failure(error):
                    raise

    def context(self, values: Mapping[str, ParameterValue]) -> contextvars.Context:
        """A copy of the present context in which these values are in force; nothing is recorded."""
        copied = contextvars.copy_context()
        copied.run(self._enter, values)
        return copied

    def _enter(self, values: Mapping[str, ParameterValue]) -> None:
        for key, value in values.items():
            self._sdk.registry.override_of(key).set(value)
