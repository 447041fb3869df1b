"""GEPA: reflection on judged runs, one text at a time, by the prompt of the package ``gepa``.

Agrawal et al., "GEPA: Reflective Prompt Evolution Can Outperform Reinforcement Learning" (2025). Of the package only
the signature that writes an instruction anew is used: it keeps nothing from call to call. Its engine, which evaluates
and remembers by itself, has its counterpart in studies and trainings.
"""

import asyncio
import importlib.util
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from collector.core.errors import OptimizerError
from collector.core.front import front_of
from collector.core.objective import Objective
from collector.core.protocols import OptimizationRequest, Optimizer
from collector.core.study import Cost, Proposal, Study, Trial
from collector.optimizer.answers.reading import UnreadableAnswer, behind_thoughts
from collector.optimizer.calls.llm import Messages, OpenAIModel
from collector.optimizer.calls.models import Seat
from collector.optimizer.drafting.fitting import Prompting
from collector.optimizer.drafting.forms import Form
from collector.optimizer.drafting.writer import Writer, one_prompt
from collector.optimizer.instance.history import refusals
from collector.optimizer.instance.problem import allowed, objective
from collector.optimizer.instance.quoting import inert, quoted, words
from collector.optimizer.instance.runs import Run, chosen, runs_of
from collector.optimizer.options import selected
from collector.optimizer.prompts import prompt
from otel_opto.spec import ParameterSpec, ParameterType, ParameterValue

MISSING = "the optimizer gepa needs the package gepa: pip install 'otel-opto[gepa,llm]'"

_FENCE = "```"
_WIDTHS = (1_600, 800, 400, 200, 100)
"""Characters of one recorded value, tried in turn until everything fits; then runs are left out."""

_MOST_STEPS = 3
"""Of a run that use the text: what the text itself was given, and what came of it."""

_PLACE = "\0"
"""Stands for the text while the prompt is made, so that nothing in it is taken for a mark of the package's template."""

_REASONS = 300


def build() -> Optimizer:
    """For the entry point."""
    return GEPA(OpenAIModel)


class _Block:
    """The new text between fences, as the package's prompt asks for it and its extractor finds it."""

    again = f"Write another text, again within one {_FENCE} block."

    def schema(self, parameters: Sequence[ParameterSpec]) -> Mapping[str, Any]:  # noqa: ARG002 - any text will do
        """See `Form`."""
        return {}

    def read(self, said: str, parameters: Sequence[ParameterSpec], *, cut_off: bool) -> Proposal:  # noqa: ARG002
        """See `Form`. What was cut off has no second fence."""
        answer = behind_thoughts(said)
        before, *inside = answer.split(_FENCE)
        text = str(_signature().output_extractor(answer)["new_instruction"]) if len(inside) > 1 else ""
        if not text:
            raise UnreadableAnswer(f"found {said.strip()[:200]!r}; wanted is the new text within one {_FENCE} block")
        return Proposal({parameters[0].key: text}, words(before, _REASONS))


class GEPA(Writer):
    """Shows the model one text and judged runs of it, and takes the text that it writes in its place.

    Texts take turns, from trial to trial. The parent is what is in force; in a study with several objectives it
    is drawn from the trials that no other is better than in all of them, as far as something was said of their outputs.
    """

    name = "gepa"
    form: ClassVar[Form] = _Block()

    def check(self, study: Study, parameters: Sequence[ParameterSpec]) -> Sequence[str]:
        """See `Optimizer`."""
        faults = list(super().check(study, parameters))
        if importlib.util.find_spec("gepa") is None:
            faults.append(MISSING)
        trained = selected(study, parameters)
        if trained and not _texts(trained):
            faults.append(_textless(trained))
        return faults

    async def propose(self, request: OptimizationRequest) -> Sequence[Proposal]:
        """See `Writer`. A proposal holds its parent's other values where they are not those in force."""
        if not request.parameters:
            return ()
        texts = _texts(request.parameters)
        if not texts:
            raise OptimizerError(_textless(request.parameters), permanent=True)
        await asyncio.to_thread(_signature)  # a third of a second to import
        spec = texts[(len(request.trials) + len(request.rejected)) % len(texts)]
        parent = _parent(request)
        about = replace(request, parameters=(spec,), current=parent)
        if parent != request.current:
            about = replace(about, batch=())  # its runs are of other values
        kept = {key: value for key, value in parent.items() if value != request.current[key]}
        proposals = await super().propose(about)
        return [
            replace(one, values={**kept, **one.values}, reasoning=one.reasoning or f"{spec.key} written anew")
            for one in proposals
        ]

    async def prepared(
        self,
        request: OptimizationRequest,
        options: Mapping[str, Any],
        seats: Sequence[Seat],  # noqa: ARG002
    ) -> tuple[Prompting, Cost]:
        """See `Writer`. Drafts see other runs among those that were judged alike."""
        return one_prompt(lambda number, chars: _messages(request, options["examples"], number, chars))


def _signature() -> Any:
    try:
        from gepa.strategies.instruction_proposal import InstructionProposalSignature  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise OptimizerError(MISSING, permanent=True) from error
    return InstructionProposalSignature


def _texts(parameters: Sequence[ParameterSpec]) -> Sequence[ParameterSpec]:
    return [spec for spec in parameters if spec.type in (ParameterType.TEXT, ParameterType.CODE)]


def _textless(parameters: Sequence[ParameterSpec]) -> str:
    keys = ", ".join(spec.key for spec in parameters)
    return f"none of {keys} is a text or code, and gepa writes nothing else; choose another optimizer"


def _parent(request: OptimizationRequest) -> Mapping[str, ParameterValue]:
    """The values that are changed."""
    study = request.study
    others = [one for one in study.objectives if one.weight]
    if not others:
        return request.current
    front = front_of(request.trials, (Objective(study.metric, study.direction), *others))
    known = [trial for trial in front if trial.values == request.current or _remarks(request, trial)]
    if not known:
        return request.current
    rng = random.Random(f"{study.seed}/{len(request.trials)}/{len(request.rejected)}")  # noqa: S311 - no secret
    drawn = rng.choice(known).values
    return {key: drawn.get(key, value) for key, value in request.current.items()}


def _remarks(request: OptimizationRequest, trial: Trial) -> Sequence[str]:
    said = request.remarks.get(trial.number)
    return [text for text in dict.fromkeys((said.worst, said.best)) if text] if said else []


def _messages(request: OptimizationRequest, examples: int, number: int, chars: int) -> Messages:
    (spec,) = request.parameters
    runs = chosen(runs_of(request), examples, number)
    sizes = [(width, len(runs)) for width in _WIDTHS]
    sizes += [(_WIDTHS[-1], count) for count in reversed(range(len(runs)))]
    for width, count in sizes:
        system = prompt(
            "gepa_system",
            variable=spec.key,
            objective=objective(request),
            allowed=words(" -- ".join(text for text in (allowed(spec), spec.description) if text), width * 10),
            refused="\n".join(refusals(request, width)),
        )
        # The worst-judged come last.
        asked = _asked(str(request.current[spec.key]), _records(request, runs[len(runs) - count :], width))
        if len(system) + len(asked) <= chars:
            return ({"role": "system", "content": system}, {"role": "user", "content": asked})
    raise OptimizerError(
        f"option max_prompt_chars: objective and text alone take {len(system) + len(asked) - chars} characters too "
        "many; raise it",
        permanent=True,
    )


def _asked(text: str, records: Sequence[Mapping[str, Any]]) -> str:
    """The package's prompt."""
    told = {"current_instruction_doc": _PLACE, "dataset_with_feedback": records}
    return str(_signature().prompt_renderer(told)).replace(_PLACE, text)


def _records(request: OptimizationRequest, runs: Sequence[Run], width: int) -> Sequence[Mapping[str, Any]]:
    """What the package calls examples: of runs, else what was said of outputs of the same values."""
    if runs:
        return [_record(run, width) for run in runs]
    same = [trial for trial in request.trials if trial.values == request.current]
    said = [text for trial in same for text in _remarks(request, trial)]
    return [{"Feedback": _shown(text, width)} for text in said] or [{"Feedback": "(no run was recorded)"}]


def _record(run: Run, width: int) -> Mapping[str, Any]:
    nodes, names = run.graph.by_id(), run.program.names
    steps: dict[str, Mapping[str, str]] = {}
    for node in run.program.steps:
        into = run.edges_into(node.id)
        if any(edge.source in run.variables for edge in into) and len(steps) < _MOST_STEPS:
            taken = {names[e.source]: nodes[e.source].value for e in into if e.source not in run.variables}
            steps[names[node.id]] = {
                name: _shown(value, width) for name, value in [*taken.items(), ("result", node.value)]
            }
    return {
        "Inputs": {names[node.id]: _shown(node.value, width) for node in run.program.inputs},
        "Steps that use the text": steps,
        "Generated Outputs": {names[output.node]: _shown(output.value, width) for output in run.graph.outputs},
        "Feedback": "\n".join(map(_safe, run.said_lines(width))),
    }  # fmt: skip


def _shown(value: Any, width: int) -> str:
    return _safe(quoted(value, width))


def _safe(line: str) -> str:
    """A line that can end neither a block nor stand for a mark of the template."""
    return inert(line).replace("`", "\\u0060")
