"""What looks for the prompt."""

import random
from collections.abc import Generator, Iterator
from functools import partial
from typing import TYPE_CHECKING

import otel_opto
from examples.experiments.frame.experiment import Method, Setting, Tried
from examples.experiments.frame.stepping import Judged, stepped, until
from examples.experiments.prompts import teleprompters
from examples.experiments.prompts.program import Program, program
from examples.experiments.prompts.tasks import said_of

if TYPE_CHECKING:
    from collector.core.span import AnyValue


def by_optimizer(name: str, setting: Setting) -> Iterator[Tried]:
    """An optimizer of the registry; a step is the whole training part."""
    own = program(setting)
    options: dict[str, AnyValue] = {
        "model": setting.endpoint.name, "base_url": setting.endpoint.address, "temperature": 0.7, "max_tokens": 200,
        "max_prompt_chars": 8_000, "timeout_seconds": 600, "concurrency": 1, "examples": 2,
    }  # fmt: skip
    if name == "textgrad":
        options["max_edges"] = 4
    optimizer = otel_opto.Optimizer(
        [own.prompt], name=name, options=options, instruction=own.task.wanted, metric="right", seed=setting.seed
    )

    def judged() -> Judged:
        scores, wrong = [], []
        for question, wanted in own.data.train:
            with optimizer.trace() as run:
                answer = own.solve(question)
                run.output(answer)
            score, said = said_of(answer, wanted)
            run.backward((score, said))
            scores.append(score)
            wrong += [said] if not score else []
        return sum(scores) / len(scores), wrong[0] if wrong else "all right"

    yield from _kept(own, stepped(optimizer, judged, setting.calls))


def _kept(own: Program, candidates: Generator[Tried, None, None]) -> Iterator[Tried]:
    """Candidates as they come, and in the end what the best one is worth."""
    tried = []
    for one in until(1.0, candidates):
        tried.append(one)
        yield one
    yield from own.tested([one for one in tried if one.values])


_RULES = (
    "You improve the instruction of a language model. You are shown the instruction and answers that were wrong. "
    "Write a better instruction, and nothing else."
)
_WORKED = (
    ("Instruction: Look at the digit.\nQuestion: seven\nAnswer: 'It is a number.', expected exactly '7'",
     "Which digit is meant? Answer with a single digit such as 7 and nothing else."),
)  # fmt: skip


def by_rewriting(setting: Setting) -> Iterator[Tried]:
    """The plain loop: the best prompt and two wrong answers, one worked example; a better rewrite takes its place."""
    yield from _kept(own := program(setting), _rewritten(own, setting))


def _rewritten(own: Program, setting: Setting) -> Generator[Tried, None, None]:
    best, wrong = own.candidate(own.task.start)
    yield best
    for call in range(1, setting.calls + 1):
        prompt = str(best.values[own.prompt.spec.key])
        shown = [f"Question: {question}\n{said_of(answer, wanted)[1]}" for (question, wanted), answer in wrong[:2]]
        messages = [{"role": "system", "content": _RULES}]
        for asked, answered in _WORKED:
            messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
        messages.append({"role": "user", "content": "\n".join([f"Instruction: {prompt}", *shown])})
        said = setting.endpoint.advice(messages, most=80, seed=1_000 * setting.seed + call, warmth=0.7)
        fresh = said.strip().removeprefix("Instruction:").strip()[:500]
        if not fresh:
            yield Tried({}, None, "nothing new: an empty answer")
            continue
        found, its = own.candidate(fresh)
        if (found.score or 0.0) > (best.score or 0.0):
            best, wrong = found, its
        yield found


def by_hand(setting: Setting) -> Iterator[Tried]:
    """Instructions that a person wrote beforehand, in turn."""
    own = program(setting)
    prompts = (own.task.start, *own.task.written)[: setting.calls + 1]
    yield from _kept(own, (own.candidate(prompt)[0] for prompt in prompts))


_BANK = (
    "exactly",
    "only",
    "one",
    "word",
    "answer",
    "short",
    "with",
    "lowercase",
    "text",
    "the",
    "nothing",
    "else",
    "and",
)


def by_edits(setting: Setting) -> Iterator[Tried]:
    """Random edits of the best prompt so far: a word away, twice, elsewhere, or another one."""
    own = program(setting)
    yield from _kept(own, _edited(own, setting))


def _edited(own: Program, setting: Setting) -> Generator[Tried, None, None]:
    chance = random.Random(f"edits/{setting.problem}/{setting.seed}")
    best, _ = own.candidate(own.task.start)
    yield best
    for _ in range(setting.calls):
        words = str(best.values[own.prompt.spec.key]).split()
        for _ in range(2):
            place = chance.randrange(len(words))
            kind = chance.choice(("away", "other", "more", "swap"))
            if kind == "away" and len(words) > 1:
                del words[place]
            elif kind == "other":
                words[place] = chance.choice(_BANK)
            elif kind == "more":
                words.insert(place, chance.choice(_BANK))
            else:
                words.insert(chance.randrange(len(words)), words.pop(place))
        found, _ = own.candidate(" ".join(words)[:500])
        yield found
        if (found.score or 0.0) >= (best.score or 0.0):
            best = found


def by_teleprompter(name: str, setting: Setting) -> Iterator[Tried]:
    """An optimizer of dspy."""
    own = program(setting)
    yield from _kept(own, teleprompters.by_dspy(name, own, setting))


METHODS = (
    Method(
        "optoprime",
        "traced runs with feedback: the text by itself, or all with what was tried",
        partial(by_optimizer, "optoprime"),
        "model",
    ),
    Method("opro", "what was tried, with scores and words; no runs", partial(by_optimizer, "opro"), "model"),
    Method("textgrad", "critiques along the edges of two runs", partial(by_optimizer, "textgrad"), "model"),
    Method(
        "copro",
        "COPRO of the package dspy: what was tried, with scores; own process, own prompt",
        partial(by_teleprompter, "copro"),
        "model",
        teleprompters.PYTHON,
        teleprompters.HOW,
    ),
    Method(
        "gepa",
        "GEPA of dspy: three wrong answers of one of its best, feedback in words; own process, own prompt",
        partial(by_teleprompter, "gepa"),
        "model",
        teleprompters.PYTHON,
        teleprompters.HOW,
    ),
    Method("rewriting", "a plain loop: the best prompt, two wrong answers, one worked example", by_rewriting, "model"),
    Method("by hand", "instructions that a person wrote beforehand; no optimizer is asked", by_hand, "model"),
    Method("edits", "random edits of the best prompt so far; no optimizer is asked", by_edits, "model"),
)
