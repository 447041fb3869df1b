"""What was said of an output, passed back to the variables: one call of a model for each edge on the way."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Any

from collector.core.errors import OptimizerError
from collector.core.graph import Edge, NodeId, NodeKind
from collector.core.study import Cost
from collector.optimizer.answers import lenient
from collector.optimizer.calls.critics import CRITIQUE_CHARS, VALUE_CHARS
from collector.optimizer.calls.llm import LanguageModel
from collector.optimizer.instance.quoting import inert, quoted
from collector.optimizer.instance.runs import Run
from collector.optimizer.prompts import prompt

_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"critique": {"type": "string", "maxLength": CRITIQUE_CHARS}},
    "required": ["critique"],
    "additionalProperties": False,
}


class Critic:
    """Goes through one judged run from its output backwards.

    Args:
        model: Criticizes.
        run: With its feedback, which is what is passed back.
        most: Edges; those nearest to the output first.
        seed: For the model.
    """

    def __init__(self, model: LanguageModel, run: Run, most: int, seed: int) -> None:
        self._model, self._run, self._left, self._seed = model, run, most, seed
        self._said: dict[NodeId, list[str]] = {}
        self.cost = Cost()

    async def passed_back(self) -> Sequence[tuple[str, str]]:
        """Critiques of variables: key and words, in the order of the keys.

        Raises:
            OptimizerError: the model failed.
        """
        run = self._run
        leading = run.leading_to_variables()
        feedback = ", ".join(text for text in (run.feedback.label, run.feedback.text) if text)
        first = feedback or f"score {run.feedback.score}"
        self._said = {output.node: [first] for output in run.graph.outputs}
        for node in reversed(list(run.graph.topological())):
            if node.id not in self._said or node.kind is not NodeKind.OPERATION:
                continue
            edges = [edge for edge in run.edges_into(node.id) if edge.source in leading][: self._left]
            self._left -= len(edges)
            said = await asyncio.gather(*(self._criticized(edge) for edge in edges))
            for edge, words in zip(edges, said, strict=True):
                self._said.setdefault(edge.source, []).append(words)
        nodes = run.graph.by_id()
        return sorted(
            (nodes[node_id].name, words)
            for node_id, some in self._said.items()
            if node_id in run.variables
            for words in some
        )

    async def _criticized(self, edge: Edge) -> str:
        said = "; ".join(dict.fromkeys(self._said[edge.target]))
        asked = prompt(
            "textgrad_critique",
            step="\n".join(inert(line) for line in self._run.step(edge.target, VALUE_CHARS)),
            said=inert(quoted(said, CRITIQUE_CHARS * 2)),
            source=inert(self._run.program.names[edge.source]),
        )
        seed = random.Random(f"{self._seed}/{edge.source}/{edge.target}").getrandbits(31)  # noqa: S311 - no secret
        completion = await self._model.complete([{"role": "user", "content": asked}], _SCHEMA, seed, 0.0)
        tokens = completion.input_tokens, completion.output_tokens
        self.cost += Cost(completion.requests, *tokens, completion.seconds, completion.money)
        words = _read(completion.text)
        if not words:
            raise OptimizerError(f"the model gave no critique: found {completion.text[:200]!r}")
        return words


def _read(answer: str) -> str:
    """The critique in an answer; the whole answer where it is in no frame."""
    for found in lenient.objects(answer):
        if isinstance(found.value, dict) and isinstance(found.value.get("critique"), str):
            return str(found.value["critique"]).strip()[:CRITIQUE_CHARS]
    return "" if "{" in answer else answer.strip()[:CRITIQUE_CHARS]
