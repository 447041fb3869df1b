"""Judged runs as the nodes of ``trace-opt``: one output over all of them, and what was said of it.

Trace has no batches: where several outputs are judged they are put together in one text, and so is the feedback, as
its `batchify` does. Its global registry of nodes keeps none of these.
"""

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from collector.core.graph import Node, NodeId, NodeKind
from collector.core.protocols import OptimizationRequest
from collector.core.span import AnyValue
from collector.optimizer.bridge.package import Package
from collector.optimizer.instance.history import line_of
from collector.optimizer.instance.problem import allowed
from collector.optimizer.instance.runs import Run
from otel_opto.spec import ParameterSpec, ParameterType, ParameterValue

_UNRECORDED = "[workflow] The program; how it uses the variables was not recorded."


class Told:
    """The nodes of one problem.

    Args:
        package: Makes them.
        request: Its parameters are the trainable nodes.
        runs: What is told; none: parameters and scores alone.
        width: Characters of one recorded value; a variable may be ten times as long.
        texts: Whether variables are given as texts, for optimizers that read nothing else.

    Attributes:
        leading: The trainable nodes that lead to the output.
        specs: Of the parameters, by the names that they have here.
        output: What is judged.
        feedback: What was said of it.
    """

    def __init__(
        self, package: Package, request: OptimizationRequest, runs: Sequence[Run], width: int, *, texts: bool = False
    ) -> None:
        self._nodes = package.nodes
        self._width = width
        self._taken: set[str] = set()
        self._numbers = itertools.count()
        self.specs: dict[str, ParameterSpec] = {}
        self._variables = {
            spec.key: self._variable(spec, request.current[spec.key], texts) for spec in request.parameters
        }
        outputs = [self._outputs(run) for run in runs]
        self.output = self._together([node for some in outputs for node in some])
        self.leading = [one for one in self._variables.values() if self._leads(one)]
        self.feedback = _together(self._said(request, runs))

    def name_of(self, spec: ParameterSpec) -> str:
        """The name that a parameter has here."""
        return str(self._variables[spec.key].py_name)

    def _leads(self, variable: Any) -> bool:
        return any(variable is one for one in self.output.parameter_dependencies)  # equal values are equal nodes there

    def _variable(self, spec: ParameterSpec, value: ParameterValue, texts: bool) -> Any:
        # What ends so is shown as code.
        name = f"{_identifier(spec.key)}__code" if spec.type is ParameterType.CODE else spec.key
        node = self._nodes.ParameterNode(
            _spelled(value) if texts else value,
            name=self._own(),
            description=f"[ParameterNode] {spec.description or spec.key}",
            constraint=allowed(spec),
        )
        self._name(node, name)
        self.specs[node.py_name] = spec
        return node

    def _outputs(self, run: Run) -> Sequence[Any]:
        """A run's judged outputs, made with all that leads to them."""
        made: dict[NodeId, Any] = {}
        for node in run.graph.topological():
            variable = self._variables.get(node.name) if node.kind is NodeKind.PARAMETER else None
            made[node.id] = self._step(run, node, made) if variable is None else variable
        judged = [output.node for output in run.graph.outputs] or [
            run.graph.operation(run.feedback.target.span_id or "")
        ]
        found = [made[node_id] for node_id in judged if node_id in made]
        return found or list(made.values())[-1:]

    def _step(self, run: Run, node: Node, made: Mapping[NodeId, Any]) -> Any:
        inputs: dict[str, Any] = {}
        for edge in run.edges_into(node.id):
            source = made[edge.source]
            if all(source is not taken for taken in inputs.values()):
                argument = _identifier(edge.argument)
                inputs[argument if edge.argument and argument not in inputs else f"x{len(inputs)}"] = source
        value = self._shown(node.value)
        described = f"[{_identifier(node.name)}] {node.description or node.name}"
        if inputs:
            found = self._nodes.MessageNode(value, inputs=inputs, description=described, name=self._own())
        else:
            found = self._nodes.Node(value, name=self._own(), description=described)
        self._name(found, node.name)
        return found

    def _together(self, outputs: Sequence[Any]) -> Any:
        """One output over several; over the variables, too, where nothing says how they are used."""
        if len(outputs) == 1 and outputs[0].parameter_dependencies:
            return outputs[0]
        inputs = {f"x{number}": node for number, node in enumerate(outputs)}
        described = "[concat] Concatenates the outputs of several runs."
        if not any(node.parameter_dependencies for node in outputs):
            inputs |= {f"v{number}": node for number, node in enumerate(self._variables.values())}
            described = _UNRECORDED
        value = _together([_spelled(node.data) for node in outputs])
        found = self._nodes.MessageNode(value, inputs=inputs, description=described, name=self._own())
        self._name(found, "outputs")
        return found

    def _said(self, request: OptimizationRequest, runs: Sequence[Run]) -> Sequence[str]:
        if runs:
            return ["\n".join(run.said_lines(self._width)).removeprefix("feedback: ") for run in runs]
        same = [trial for trial in request.trials if trial.values == request.current and trial.score is not None]
        said = [line_of(trial, request.remarks.get(trial.number), self._width) for trial in same[-1:]]
        return said or ["No run was judged."]

    def _shown(self, value: AnyValue) -> AnyValue:
        """As it is where it is short, else the beginning of its text."""
        text = _spelled(value)
        return value if len(text) <= self._width else f"{text[: self._width]} … ({len(text)} characters)"

    def _own(self) -> str:
        """A name for the registry of the package, under which nobody else's node is."""
        return f"otel_opto_{id(self)}_{next(self._numbers)}"

    def _name(self, node: Any, said: str) -> None:
        """The node's name, which no other one has here, also without its colon; the registry forgets the node.

        And its place: backward takes nodes of one level by their addresses, so that no two prompts would be alike.
        """
        registered = node.name.partition(":")[0]
        name = _identifier(said)
        number = next(number for number in itertools.count() if f"{name}{number}" not in self._taken)
        self._taken.add(f"{name}{number}")
        node._name = f"{name}:{number}"  # noqa: SLF001 - it has no other way to be named twice
        place = next(self._numbers)
        node._itemize = lambda: (-node.level, place, node)  # noqa: SLF001
        self._nodes.GRAPH._nodes.pop(registered, None)  # noqa: SLF001 - it would keep every node for ever


def _identifier(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_") or "step"


def _spelled(value: AnyValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _together(said: Sequence[str]) -> str:
    """Several texts as one, each under its number."""
    return said[0] if len(said) == 1 else "\n".join(f"ID [{number}]: {text}" for number, text in enumerate(said))
