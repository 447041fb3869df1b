"""Two tasks: an instruction for a model that judges sentences, and two lengths with words as feedback."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.optimizers.endpoint import answer
from benchmarks.optimizers.world import Judged, Step, Values
from otel_opto.spec import Constraint, ParameterSpec, ParameterType

Example = tuple[str, str]

_GOOD = (
    "The soup was hot and tasty.",
    "We laughed from the first minute to the last.",
    "The nurse was kind and took her time.",
    "This lamp looks even better than in the picture.",
    "An easy journey with a charming guide.",
    "The new keyboard is a joy to type on.",
    "My parents loved the garden and the view.",
    "Quick answer, fair price, perfect work.",
    "The singer moved the whole hall to tears of joy.",
    "Best bread in town, still warm.",
)
_BAD = (
    "The soup was salty and the bread was stale.",
    "We left before the end, it was so dull.",
    "The nurse shouted at my mother.",
    "The lamp flickers and gets far too hot.",
    "The guide got lost and blamed us.",
    "Half of the keys stick after a week.",
    "The garden was full of litter.",
    "Nobody called back, and the bill was wrong.",
    "The singer was out of tune all evening.",
    "Dry bread, and a fly in the butter.",
)
SENTENCES: Sequence[Example] = [
    (text, label)
    for pair in zip(_GOOD, _BAD, strict=True)
    for text, label in zip(pair, ("positive", "negative"), strict=True)
]
HELD_OUT: Sequence[Example] = (
    ("The tea was excellent.", "positive"),
    ("A horrible noise all night.", "negative"),
    ("Great shoes, I walked all day without pain.", "positive"),
    ("He ignored us for an hour.", "negative"),
    ("The puppy made everyone happy.", "positive"),
    ("The zip broke on the first day.", "negative"),
    ("Light, quiet and beautifully made.", "positive"),
    ("I have never been so bored.", "negative"),
    ("I would choose this school again.", "positive"),
    ("The colour faded after one wash.", "negative"),
)

INSTRUCTION = ParameterSpec(
    "prompt", ParameterType.TEXT, "What do you think of the text?", Constraint(max_length=500),
    "the instruction that the model gets before the text",
)  # fmt: skip


def sentiment(values: Values, example: Example) -> Judged:
    """Right where the answer is the label and nothing else."""
    text, label = example
    said = answer(str(values["prompt"]), text)
    steps = [
        Step("classify", None, said, {"text": text}, links=[(2, "answer")]),
        Step("chat", 1, said, {"text": text}, ["prompt"]),
    ]
    right = said == label
    return Judged(
        steps, float(right), "right" if right else f"wrong: the answer was {said!r}, expected exactly {label!r}"
    )


@dataclass(frozen=True)
class Lengths:
    """Both arms of a balance; an arm is right within half a unit."""

    left: float
    right: float

    def near(self, values: Values) -> bool:
        """Whether both are right."""
        return all(abs(float(values[key]) - getattr(self, key)) <= 0.5 for key in ("left", "right"))

    def judge(self, values: Values, load: Any) -> Judged:
        """The score is minus the distance; the words say which way."""
        found = {key: float(values[key]) for key in ("left", "right")}
        said = "; ".join(_word(key, value, getattr(self, key)) for key, value in found.items())
        distance = sum(abs(value - getattr(self, key)) for key, value in found.items())
        steps = [
            Step(
                "balance",
                None,
                f"arms {found['left']:.4g} and {found['right']:.4g}",
                {"load": load},
                links=[(2, "arms")],
            ),
            Step("set_arms", 1, list(found.values()), parameters=["left", "right"]),
        ]
        return Judged(steps, -round(distance, 3), said)


def _word(name: str, value: float, wanted: float) -> str:
    if abs(value - wanted) <= 0.5:
        return f"{name} is right"
    return f"{name} is too {'large' if value > wanted else 'small'}"


ARMS = (
    ParameterSpec("left", ParameterType.FLOAT, 1.0, Constraint(minimum=0, maximum=10), "length of the left arm"),
    ParameterSpec("right", ParameterType.FLOAT, 9.0, Constraint(minimum=0, maximum=10), "length of the right arm"),
)
Application = Callable[[Values, Any], Judged]
