"""A bandit over what the developer listed."""

from collector.core.protocols import OptimizationRequest
from collector.core.study import Direction, Study, Trial
from collector.optimizer.generators.bandit import Bandit
from otel_opto.spec import Constraint, ParameterSpec, ParameterType

WORDS = ParameterSpec("words", ParameterType.TEXT, "a", Constraint(candidates=("b", "c", "d")))
TONE = ParameterSpec("tone", ParameterType.CHOICE, "p", Constraint(choices=("p", "q", "r")))
NUMBER = ParameterSpec("number", ParameterType.FLOAT, 0.5, Constraint(minimum=0, maximum=1))
FREE = ParameterSpec("free", ParameterType.TEXT, "x")


async def walked(study: Study, count: int) -> list[Trial]:
    """Scores are best where the words are "c" and the tone is "q"."""
    trials = [Trial(0, 1, {"words": "a", "tone": "p"}, score=0.0)]
    for number in range(1, count + 1):
        asked = OptimizationRequest(study, (WORDS, TONE), trials[0].values, (), tuple(trials), ())
        proposed = await Bandit().propose(asked)
        if not proposed:
            break
        values = {"words": str(proposed[0].values["words"]), "tone": str(proposed[0].values["tone"])}
        score = (values["words"] == "c") + 0.5 * (values["tone"] == "q")
        sign = 1 if study.direction is Direction.MAXIMIZE else -1
        trials.append(Trial(number, number + 1, values, score=sign * score))
    return trials


async def test_each_combination_comes_once_and_then_there_is_nothing_more() -> None:
    trials = await walked(Study("s", "shop", "q"), 20)
    assert len(trials) == 12
    assert len({tuple(trial.values.values()) for trial in trials}) == 12


async def test_it_turns_to_what_scored_better() -> None:
    for direction in Direction:
        places = []
        for seed in range(20):
            trials = await walked(Study("s", "shop", "q", seed=seed, direction=direction), 11)
            places.append([trial.values for trial in trials].index({"words": "c", "tone": "q"}))
        assert sum(places) / len(places) < 5.0  # 6 by chance


async def test_only_listed_values_change() -> None:
    current = {"words": "a", "number": 0.5, "free": "x"}
    asked = OptimizationRequest(Study("s", "shop", "q"), (WORDS, NUMBER, FREE), current, (), (), ())
    (proposal,) = await Bandit().propose(asked)
    assert proposal.values.keys() == {"words"}


def test_without_variants_it_says_so() -> None:
    (fault,) = Bandit().check(Study("s", "shop", "q"), (NUMBER, FREE))
    assert "none of number, free has variants" in fault
