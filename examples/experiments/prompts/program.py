"""The program whose prompt is looked for, and how a prompt is measured."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import otel_opto
from examples.experiments.frame.experiment import Form, Setting, Tried
from examples.experiments.prompts.tasks import Data, Example, Sizes, Task, said_of, task

_FINALISTS = 2
SIZES = {Form.MINUTE: Sizes(3, 2, 2), Form.SHORT: Sizes(6, 4, 10), Form.FULL: Sizes(15, 10, 40)}


@dataclass(frozen=True, slots=True)
class Program:
    """A task, the parameter, two traced functions, and the data of a run.

    Attributes:
        solve: Gives the answer to a question, with the prompt that is in force.
    """

    task: Task
    data: Data
    prompt: otel_opto.Parameter[str]
    solve: Callable[[str], str]

    def measured(self, prompt: str, examples: Sequence[Example]) -> tuple[float, list[tuple[Example, str]]]:
        """The share that is right, and what was wrong, with the answer."""
        wrong = []
        with self.prompt.override(prompt):
            for example in examples:
                answer = self.solve(example[0])
                if not said_of(answer, example[1])[0]:
                    wrong.append((example, answer))
        return 1 - len(wrong) / len(examples), wrong

    def candidate(self, prompt: str) -> tuple[Tried, list[tuple[Example, str]]]:
        """A prompt on the training part."""
        score, wrong = self.measured(prompt, self.data.train)
        return Tried({self.prompt.spec.key: prompt}, score, self.words(wrong)), wrong

    @staticmethod
    def words(wrong: Sequence[tuple[Example, str]]) -> str:
        """What was said of the first answer that was wrong."""
        return said_of(wrong[0][1], wrong[0][0][1])[1] if wrong else "all right"

    def tested(self, tried: Sequence[Tried]) -> Iterator[Tried]:
        """The best two by the training part meet on the validation part; who wins is measured on the test part."""
        scored = {str(next(iter(one.values.values()))): one.score for one in tried if one.score is not None}
        best = sorted(scored, key=lambda prompt: -(scored[prompt] or 0.0))[:_FINALISTS]
        if not best:
            return
        held = {prompt: self.measured(prompt, self.data.validation)[0] for prompt in best}
        chosen = max(best, key=lambda prompt: (held[prompt], scored[prompt] or 0.0))
        score, _ = self.measured(chosen, self.data.test)
        yield Tried({self.prompt.spec.key: chosen}, score, f"validation {held[chosen]:.3g}", "test")


def program(setting: Setting) -> Program:
    """The program of a run; the parameter is declared anew."""
    what, model = task(setting.problem), setting.endpoint
    key = f"{what.name.replace(' ', '_')}.prompt"
    described = "the instruction that the model gets before the text"
    prompt = otel_opto.parameter(key, default=what.start, max_length=500, description=described)

    @otel_opto.node
    def chat(text: str) -> str:
        messages = [{"role": "system", "content": prompt.value}, {"role": "user", "content": text}]
        return model.answer(messages, most=what.most_tokens)

    @otel_opto.node
    def solve(text: str) -> str:
        return str(chat(text)).strip()

    return Program(what, what.data(setting.seed, SIZES[setting.form]), prompt, solve)
