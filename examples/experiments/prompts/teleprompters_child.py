"""COPRO and GEPA of dspy; for a Python that has the package ``dspy``: imports nothing of ours.

Read is a line of JSON that says the problem. Then a line is written for each question that an instruction is to answer,
and one is read that has the answer, its score and what is said of it; so whoever started it runs the program, and
measures. How instructions are made, and which are asked, is the package's own.
"""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

_STEPS = 1_000
"""Questions: whoever started it ends it before."""
_DEPTH = 2
"""Rounds of COPRO: the second one knows what became of the first."""


def main() -> None:
    """Until there is nothing more to try, or nobody who answers."""
    told, sys.stdout = sys.stdout, sys.stderr  # the package prints
    import dspy  # noqa: PLC0415 - of the other Python

    said = json.loads(sys.stdin.readline())
    verdicts: dict[tuple[str, str], tuple[float, str]] = {}

    def answer(instruction: str, text: str) -> str:
        told.write(json.dumps([instruction, text]) + "\n")
        told.flush()
        heard = sys.stdin.readline()
        if not heard:
            raise SystemExit(0)
        found = json.loads(heard)
        verdicts[text, found["answer"]] = float(found["score"]), found["said"]
        return str(found["answer"])

    def scored(example: Any, answered: Any, *_: Any) -> float:
        return verdicts[example.text, answered.answer][0]

    def judged(example: Any, answered: Any, *_: Any) -> Any:
        score, feedback = verdicts[example.text, answered.answer]
        return dspy.Prediction(score=score, feedback=feedback)

    model = model_of(dspy, said)
    dspy.configure(lm=model)
    examples = [dspy.Example(text=text, answer=wanted).with_inputs("text") for text, wanted in said["examples"]]
    program = program_of(dspy, said["start"], answer)
    if said["method"] == "copro":
        copro = dspy.COPRO(
            prompt_model=model, metric=scored, breadth=max(2, said["calls"] // _DEPTH + 1), depth=_DEPTH,
            init_temperature=said["warmth"],
        )  # fmt: skip
        copro.compile(program, trainset=examples, eval_kwargs={"num_threads": 1, "display_progress": False})
    else:
        gepa = dspy.GEPA(
            metric=judged, max_metric_calls=_STEPS, reflection_lm=model, num_threads=1, seed=said["seed"]
        )  # fmt: skip
        gepa.compile(program, trainset=examples, valset=examples)


def model_of(dspy: Any, said: Mapping[str, Any]) -> Any:
    """The optimizer's model."""

    class Drafts(dspy.LM):  # type: ignore[misc]
        """Is asked once for each draft: not every endpoint makes several at once."""

        drafts = 0

        def __call__(self, *given: Any, n: int = 1, **asked: Any) -> list[Any]:
            outputs = []
            for _ in range(n):
                self.drafts += 1
                outputs += super().__call__(*given, **{**asked, "seed": said["seed"] + self.drafts})
            return outputs

    return Drafts(
        f"openai/{said['model']}", api_base=said["address"], api_key="none", cache=False, temperature=said["warmth"],
        max_tokens=said["most"],
    )  # fmt: skip


def program_of(dspy: Any, start: str, answer: Callable[[str, str], str]) -> Any:
    """The program that is optimized: one step, whose instruction is answered with elsewhere."""

    class Answer(dspy.Predict):  # type: ignore[misc]
        """The step."""

        def forward(self, **given: Any) -> Any:
            answered = dspy.Prediction(answer=answer(self.signature.instructions, given["text"]))
            if dspy.settings.trace is not None:
                dspy.settings.trace.append((self, given, answered))
            return answered

    class Program(dspy.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.solve = Answer(dspy.Signature("text -> answer", start))

        def forward(self, text: str) -> Any:
            return self.solve(text=text)

    return Program()


if __name__ == "__main__":
    main()
