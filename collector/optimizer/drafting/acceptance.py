"""What a model is good for, found out in a minute: small problems with known answers, as studies ask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collector.core.errors import OptimizerError
from collector.core.study import Cost
from collector.optimizer.answers.alone import read_alone
from collector.optimizer.answers.moves import LARGER, SMALLER
from collector.optimizer.answers.reading import UnreadableAnswer, read_answer
from collector.optimizer.answers.schema import schema_of
from collector.optimizer.calls.llm import Busy, Completion, LanguageModel, Messages
from collector.optimizer.drafting.examples import MOST, worked_alone, worked_for
from collector.optimizer.instance.alone import value_now
from collector.optimizer.prompts import prompt
from otel_opto.spec import Constraint, ParameterSpec, ParameterType

_WARMTH = 0.7
_LONG = (16_000, 8_000, 4_000)
"""Characters of a prompt, tried in turn."""

_FEWER = (2, 0)
"""Worked examples, tried in turn where a model is weak with all of them."""

_LIKELY_RATIO = (1.0, 20.0)
"""Characters of a token; beyond that the endpoint counts something else."""

_WEAK_DIRECTION, _WEAK_READ, _MANY_COPIES = 0.7, 0.8, 0.5
_WIDTH = ParameterSpec("width", ParameterType.FLOAT, 40.0, Constraint(minimum=0, maximum=100), "of the beam")
_PROMPT = ParameterSpec("prompt", ParameterType.TEXT, "", Constraint(max_length=300))
_NUMBERS = ((12.0, LARGER), (80.0, SMALLER), (55.0, LARGER), (31.0, SMALLER), (5.0, LARGER), (95.0, SMALLER))
_TEXTS = (
    ("What colour is it?", "It looks quite red to me.", "red"),
    ("Tell me the day.", "I believe that today is a Monday.", "Monday"),
    ("Is the door open?", "The door seems to be open at present.", "open"),
    ("Name the town.", "The town that is meant is Lima.", "Lima"),
)


@dataclass
class Found:
    """What the answers were worth, so far, with so many worked examples at most before each question.

    `alone`: texts are asked for by themselves, because fewer come back as they were.
    """

    worked: int = MOST
    asked: int = 0
    read: int = 0
    directions: list[bool] = field(default_factory=list)
    copies: list[bool] = field(default_factory=list)
    cost: Cost = field(default_factory=Cost)
    chars: int = 0
    longest: int = 0
    alone: bool = False

    @property
    def direction(self) -> float:
        """The share of numbers that were moved the right way."""
        return sum(self.directions) / max(len(self.directions), 1)

    @property
    def copied(self) -> float:
        """The share of texts that came back as they were."""
        return sum(self.copies) / max(len(self.copies), 1)

    @property
    def readable(self) -> float:
        """The share of answers with a suggestion in them."""
        return self.read / max(self.asked, 1)

    @property
    def weak(self) -> bool:
        """Whether something in the answers themselves is wanting."""
        return self.readable < _WEAK_READ or self.direction < _WEAK_DIRECTION or self.copied > _MANY_COPIES

    @property
    def worth(self) -> float:
        """From 0 to 1, to compare with other examples."""
        return self.readable * (self.direction + 1 - self.copied) / 2


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The result, to be kept.

    Attributes:
        direction: Share of numbers that were moved the right way.
        readable: Share of answers with a suggestion in them.
        copied: Share of texts that came back as they were.
        prompt_chars: The longest prompt that was taken, of those tried; 0: none.
        chars_per_token: Of prompts; 0 where the endpoint does not count.
        tokens_per_second: Of answers; 0 the same.
        options: What a study with this model should be given.
        weaknesses: What it is too weak for, in words.
    """

    model: str
    direction: float
    readable: float
    copied: float
    prompt_chars: int
    chars_per_token: float
    tokens_per_second: float
    seconds: float
    options: Mapping[str, str | int | float]
    weaknesses: Sequence[str]


async def acceptance(model: LanguageModel, name: str) -> Acceptance:
    """Asks a dozen small problems, where it is weak again with fewer examples or in another form, then a long one.

    Args:
        model: As a study would ask it.
        name: Of the model.

    Raises:
        OptimizerError: the endpoint does not answer.
    """
    found = await _answered(model, MOST)
    for worked in _FEWER if found.weak else ():
        found = max(found, await _answered(model, worked), key=lambda one: one.worth)
    if any(found.copies):
        await _by_themselves(model, found)
    cost = found.cost
    ratio = round(found.chars / cost.input_tokens, 2) if cost.input_tokens else 0.0
    found.longest = await _longest(model)
    options: dict[str, str | int | float] = {"model": name, "temperature": _WARMTH}
    if found.longest:
        options["max_prompt_chars"] = found.longest
    if found.copied > _MANY_COPIES:
        options["candidates"] = 4
    if found.alone:
        options["form"] = "alone"
    if found.worked != MOST:
        options["worked_examples"] = found.worked
    if _LIKELY_RATIO[0] <= ratio <= _LIKELY_RATIO[1]:
        options["chars_per_token"] = ratio
    return Acceptance(
        name,
        round(found.direction, 3),
        round(found.readable, 3),
        round(found.copied, 3),
        found.longest,
        ratio,
        round(cost.output_tokens / cost.seconds, 1) if cost.seconds else 0.0,
        round(cost.seconds, 1),
        options,
        _weaknesses(found),
    )


async def _answered(model: LanguageModel, worked: int) -> Found:
    """The dozen."""
    found = Found(worked)
    for seed, (value, wanted) in enumerate(_NUMBERS):
        await _number(model, found, seed, value, wanted)
    for seed, (text, said, expected) in enumerate(_TEXTS):
        await _text(model, found, seed, text, said, expected)
    return found


def _weaknesses(found: Found) -> Sequence[str]:
    said = []
    if found.readable < _WEAK_READ:
        said.append(f"{found.readable:.0%} of its answers can be read, {_WEAK_READ:.0%} are wanted: it cannot be used")
    if found.direction < _WEAK_DIRECTION:
        said.append(f"it moves {found.direction:.0%} of numbers the right way: search numbers (optimizer hybrid)")
    if found.copied > _MANY_COPIES:
        said.append(
            f"it repeats {found.copied:.0%} of texts as they were: ask for several candidates, or a stronger one"
        )
    if not found.longest:
        said.append(f"it takes no prompt of {_LONG[-1]:,} characters: give it a longer context")
    return said


async def _number(model: LanguageModel, found: Found, seed: int, value: float, wanted: str) -> None:
    too = "small" if wanted == LARGER else "large"
    run = f'output = "width {value:g}"\nfeedback: score {-abs(50 - value):g}, "width is too {too}"'
    shown = f"width = {value:g} ({_WIDTH.describe_allowed()}) -- of the beam"
    answer = await _suggested(model, found, seed, _WIDTH, _asked(_WIDTH, shown, run, found.worked))
    if answer is None:
        return
    moved = isinstance(answer, int | float) and (answer > value if wanted == LARGER else answer < value)
    found.directions.append(answer == wanted or bool(moved))


async def _text(model: LanguageModel, found: Found, seed: int, text: str, said: str, expected: str) -> None:
    shown = f'prompt = "{text}" ({_PROMPT.describe_allowed()})'
    asked_for = _asked(_PROMPT, shown, _run_of(said, expected), found.worked)
    answer = await _suggested(model, found, seed, _PROMPT, asked_for)
    if answer is not None:
        found.copies.append(answer == text)


async def _by_themselves(model: LanguageModel, found: Found) -> None:
    """The texts once more, with nothing around them."""
    system = prompt("alone_system", kind="text")
    turns = [turn for worked in worked_alone(_PROMPT, found.worked, 1) for turn in worked.turns_alone()]
    copies = []
    for seed, (text, said, expected) in enumerate(_TEXTS):
        question = f"{value_now(text)}<run>\n{_run_of(said, expected)}\n</run>"
        messages = ({"role": "system", "content": system}, *turns, {"role": "user", "content": question})
        completion = await model.complete(messages, {}, seed, 0.0)
        found.chars += sum(len(message["content"]) for message in messages)
        found.cost += _cost(completion)
        answer = read_alone(completion.text, _PROMPT, text)
        copies.append(completion.finish_reason == "length" or answer in ("", text))
    if sum(copies) / len(copies) < found.copied:
        found.copies, found.alone = copies, True


def _run_of(said: str, expected: str) -> str:
    return f'output = "{said}"\nfeedback: score 0, "wrong: expected exactly \'{expected}\'"'


def _asked(spec: ParameterSpec, shown: str, run: str, most: int) -> Messages:
    turns = [turn for worked in worked_for((spec,), most) for turn in worked.turns()]
    problem = prompt(
        "optoprime_problem",
        objective="Improve the output in accordance with the feedback.\nScore: quality, higher is better.",
        code=f"output = program({spec.key})",
        variables=shown,
        history="",
        summary="1 run:",
        runs=f"<run>\n{run}\n</run>",
    )
    return (
        {"role": "system", "content": prompt("optoprime_system", in_short="")},
        *turns,
        {"role": "user", "content": problem},
    )


async def _suggested(
    model: LanguageModel, found: Found, seed: int, spec: ParameterSpec, messages: Messages
) -> object | None:
    completion = await model.complete(messages, schema_of((spec,)), seed, 0.0)
    found.asked += 1
    found.chars += sum(len(message["content"]) for message in messages)
    found.cost += _cost(completion)
    try:
        read = read_answer(completion.text, (spec,), Cost(), cut_off=completion.finish_reason == "length")
    except UnreadableAnswer:
        return None
    if spec.key not in read.values:
        return None
    found.read += 1
    return read.values[spec.key]


async def _longest(model: LanguageModel) -> int:
    """Of the lengths that are tried, the longest that is taken.

    Raises:
        Busy: the endpoint did not even get through the shortest one in time; a longer one may take too long.
    """
    for chars in _LONG:
        content = "Answer with the word yes.\n" + "word " * (chars // 5)
        try:
            await model.complete([{"role": "user", "content": content[:chars]}], schema_of((_PROMPT,)), 1, 0.0)
        except OptimizerError as error:
            if isinstance(error, Busy) and chars == _LONG[-1]:
                raise
            continue
        return chars
    return 0


def _cost(completion: Completion) -> Cost:
    return Cost(completion.requests, completion.input_tokens, completion.output_tokens, completion.seconds)
