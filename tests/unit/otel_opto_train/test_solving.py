"""Problems whose oracle is a function."""

from collections.abc import Mapping

import pytest

from collector.core.graph import TraceFeedback
from collector.core.problem import Objective, Problem, black_box
from collector.core.study import Direction, Study
from collector.optimizer.registry import OptimizerRegistry
from otel_opto.spec import Constraint, ParameterSpec, ParameterType, ParameterValue
from otel_opto_train.solving import solved
from tests.unit.otel_opto_train.conftest import Variants

X = ParameterSpec("x", ParameterType.FLOAT, 0.0, Constraint(minimum=-10, maximum=10))


async def parabola(values: Mapping[str, ParameterValue]) -> TraceFeedback:
    x = float(values["x"])
    return black_box(values, (x - 3) ** 2, (x - 3) ** 2, "larger" if x < 3 else "smaller", metric="loss")


PROBLEM = Problem((X,), Objective("loss", Direction.MINIMIZE, "Make it small."), parabola)


async def test_search_solves_it() -> None:
    study = Study("s", "shop", "loss", optimizer="search", seed=3)
    course = await solved(PROBLEM, OptimizerRegistry().load("search"), study, 25)
    best = course.attempts[course.best]
    assert len(course.attempts) == 26
    assert best.mean is not None
    assert best.mean < 0.5


async def test_the_optimizer_sees_objective_graph_and_feedback() -> None:
    variants = Variants([{"x": 1.0}, {"x": 2.0}])
    course = await solved(PROBLEM, variants, Study("s", "shop", "any"), 5, runs=2)
    assert [one.scores for one in course.attempts] == [(9.0, 9.0), (4.0, 4.0), (1.0, 1.0)]
    told = variants.asked[-1]
    assert (told.study.metric, told.study.direction, told.study.instruction) == (
        "loss",
        Direction.MINIMIZE,
        "Make it small.",
    )
    assert {one.feedback.text for one in told.batch} == {"larger"}
    assert [edge.target for edge in told.batch[0].graph.edges] == ["span:0000000000000001"]


async def test_a_score_that_is_no_number_is_no_feedback() -> None:
    async def nowhere(values: Mapping[str, ParameterValue]) -> TraceFeedback:
        return black_box(values, 0.0, float("nan"), metric="loss")

    problem = Problem((X,), PROBLEM.objective, nowhere)
    with pytest.raises(
        ValueError, match=r"oracle: score: found nan of \{'x': 0.0\}, allowed are finite numbers, or None"
    ):
        await solved(problem, Variants([]), Study("s", "shop", "loss"), 2)
