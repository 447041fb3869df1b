"""One candidate from an optimizer of ``trace-opt``: a step of its own, made again where nothing came of it."""

import asyncio
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from collector.core.errors import OptimizerError
from collector.core.parameter import validated
from collector.core.protocols import OptimizationRequest
from collector.core.span import AnyValue
from collector.core.study import Cost, Proposal, Trial
from collector.optimizer.answers import lenient
from collector.optimizer.answers.typing import text, values_of
from collector.optimizer.bridge.asked import NOTHING, Asked, PromptTooLong
from collector.optimizer.bridge.package import ALGORITHMS, Package, package
from collector.optimizer.bridge.told import Told
from collector.optimizer.calls.models import Seat
from collector.optimizer.drafting.conversation import against, identity, tried, warmth
from collector.optimizer.drafting.guard import Guard
from collector.optimizer.instance.problem import objective
from collector.optimizer.instance.quoting import quoted
from collector.optimizer.instance.runs import Run, chosen, runs_of
from otel_opto.spec import ParameterSpec, ParameterType

_TRIES = 3
_WIDTHS = (1_600, 800, 400, 200, 100)
"""Characters of one recorded value, tried in turn until its prompts fit; then runs are left out."""

_SHOWN = 20
"""Trials at most that OPRO is reminded of, the latest ones."""

_REASONS = 300

T = TypeVar("T")


class TheirDraft:
    """A draft of the optimizer trace_opt. Its memory is made from the trials each time, and so are its nodes.

    Args:
        seat: Its model.
        request: What the candidate is for.
        number: Of the draft: each has its own seeds, temperatures and runs.
        options: Of the study, defaults filled in.
    """

    def __init__(self, seat: Seat, request: OptimizationRequest, number: int, options: Mapping[str, Any]) -> None:
        self._seat, self._request, self._number, self._options = seat, request, number, options
        self._tried = tried(request)
        self._guard = Guard(request, ())
        self.cost = Cost()
        self.copies = 0

    async def hold(self) -> Proposal | None:
        """See `Draft`."""
        refused: Proposal | None = None
        fault = ""
        for attempt in range(_TRIES):
            proposal = await self._suggested(attempt)
            if not proposal.values:
                fault = "it suggested nothing that can be read"
            elif identity(self._request, proposal.values) in self._tried:
                self.copies += 1
            else:
                proposal, fault = against(proposal, self._request, self._guard)
                if not fault:
                    return proposal
                self.cost += Cost(refused=len(proposal.faults))
                refused = proposal
        if refused is None and not self.copies:
            raise OptimizerError(f"{self._called} of trace-opt, in {self.cost.calls} answers: {fault}")
        return refused

    @property
    def _called(self) -> str:
        return ALGORITHMS[self._options["algorithm"]]

    async def _suggested(self, attempt: int) -> Proposal:
        """What one step of it suggests, told as much as its prompts may hold."""
        runs = chosen(
            await asyncio.to_thread(runs_of, self._request), self._options["examples"], self._number + attempt
        )
        runs = self._within(runs)
        longest: PromptTooLong | None = None
        for width, count in _sizes(len(runs)):
            asked = Asked(
                self._seat.model,
                asyncio.get_running_loop(),
                lambda call: self._seed(attempt, call),
                warmth(self._options["temperature"], self._number + attempt),
                self._options["max_prompt_chars"],
            )
            told = runs[len(runs) - count :]
            try:
                return await _beside(lambda: self._stepped(told, width, asked), asked)  # noqa: B023 - it is awaited
            except PromptTooLong as error:
                longest = error
            finally:
                self.cost += asked.cost
        raise OptimizerError(
            f"option max_prompt_chars: {longest}, with every value cut and without any run; raise it, or name fewer "
            "parameters in the study",
            permanent=True,
        )

    def _within(self, runs: Sequence[Run]) -> Sequence[Run]:
        """The last of the runs, as many as there may be nodes: backward takes time with their cube."""
        most, found = self._options["max_nodes"], 0
        for place in reversed(range(len(runs))):
            found += len(runs[place].graph.nodes)
            if found > most:
                if place == len(runs) - 1:
                    raise OptimizerError(
                        f"option max_nodes: a run has {found} nodes, {most} are allowed, since trace-opt takes time "
                        "with their cube; raise it, or take optoprime",
                        permanent=True,
                    )
                return runs[place + 1 :]
        return runs

    def _stepped(self, runs: Sequence[Run], width: int, asked: Asked) -> Proposal:
        """Backward and step; in a thread."""
        found = package()
        texts = self._called == "TextGrad"
        told = Told(found, self._request, runs, width, texts=texts)
        made = self._made(found, told, asked, width)
        feedback = f"{objective(self._request)}\n{told.feedback}" if texts else told.feedback
        try:
            made.zero_feedback()
            made.backward(told.output, feedback)
            suggested = made.propose()
        except OptimizerError:
            raise
        except Exception as error:
            raise OptimizerError(f"{self._called} of trace-opt failed: {type(error).__name__}: {error}") from error
        said = {getattr(name, "py_name", name): value for name, value in suggested.items() if value != NOTHING}
        return self._proposal(told, values_of(said, told.specs), "" if texts else _reasoning(asked.last))

    def _proposal(self, told: Told, said: Mapping[str, AnyValue], reasons: str) -> Proposal:
        """What was suggested for variables; of several, what is not allowed keeps its value, as there, and is named."""
        named = {told.specs[name]: value for name, value in said.items() if name in told.specs}
        values = {spec.key: _read(spec, value) for spec, value in named.items()}
        good, faults = validated(values, self._request.parameters)
        reasons = reasons or f"suggested by {self._called} of trace-opt"
        if good and faults:
            return Proposal(dict(good), f"{reasons} (left out: {'; '.join(faults)})")
        return Proposal(values, reasons)

    def _made(self, found: Package, told: Told, asked: Asked, width: int) -> Any:
        """The optimizer, with what it would remember."""
        wanted = f"{self._default(found)}\n{objective(self._request)}"
        more = {"memory_size": self._options["memory_size"]} if self._called == "OptoPrime" else {}
        # Of one that leads nowhere nothing was said, and TextGrad would ask for it all the same.
        made = getattr(found.optimizers, self._called)(told.leading, asked, objective=wanted, **more)
        if self._called == "TextGrad":
            return made
        # Its own typing drops texts that have "def" in them and takes "False" for true.
        made.construct_update_dict = lambda suggestion: suggestion
        others = [one for one in self._request.trials if one.score is not None and one.values != self._request.current]
        if self._called == "OPRO":
            made.buffer = [self._remembered(told, trial, width) for trial in others[-_SHOWN:]]
        else:
            for trial in others:
                made.memory.add(self._remembered(told, trial, width))
        return made

    def _default(self, found: Package) -> str:
        return str(getattr(getattr(found.optimizers, self._called), "default_objective", ""))

    def _remembered(self, told: Told, trial: Trial, width: int) -> tuple[Mapping[str, Any], str]:
        """A trial as its memory keeps a step: variables and what was said."""
        specs = [spec for spec in self._request.parameters if spec.key in trial.values]
        variables = {told.name_of(spec): (trial.values[spec.key], None) for spec in specs}
        remarks = self._request.remarks.get(trial.number)
        said = [one for one in dict.fromkeys((remarks.worst, remarks.best)) if one] if remarks else []
        return variables, "; ".join([f"score {trial.score:.4g}", *(quoted(one, width) for one in said)])

    def _seed(self, attempt: int, call: int) -> int:
        """Another one for each call of a study, and the same for the same request."""
        request = self._request
        told = (request.study.seed, len(request.trials), len(request.rejected), self._number, attempt, call)
        return random.Random(repr(told)).getrandbits(31)  # noqa: S311 - for variety, not for secrecy


def _sizes(runs: int) -> Iterator[tuple[int, int]]:
    yield from ((width, runs) for width in _WIDTHS)
    yield from ((_WIDTHS[-1], count) for count in reversed(range(runs)))


async def _beside(work: Callable[[], T], asked: Asked) -> T:
    """Does it in a thread of its own: the pool of the loop is what the calls need that it waits for."""
    pool = ThreadPoolExecutor(1, "trace-opt")
    try:
        return await asyncio.get_running_loop().run_in_executor(pool, work)
    finally:
        asked.stop()
        pool.shutdown(wait=False)


def _read(spec: ParameterSpec, value: AnyValue) -> AnyValue:
    """A JSON value that was written as a text."""
    if spec.type is not ParameterType.JSON or not isinstance(value, str):
        return value
    try:
        found: AnyValue = json.loads(value)
    except ValueError:
        return value
    return found


def _reasoning(answer: str) -> str:
    try:
        found = [one.value for one in lenient.objects(answer)]
    except lenient.Tangled:
        return ""
    said = [one["reasoning"] for one in found if isinstance(one, dict) and isinstance(one.get("reasoning"), str)]
    return text(said[-1])[:_REASONS] if said else ""
