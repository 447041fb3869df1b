"""What is tried before the optimizer is asked."""

import pytest

from benchmarks.selection.town import Users, studied, study
from collector.core.candidate import Selection, Suggestion
from collector.core.study import StudyState


async def test_suggestions_are_the_first_candidates_and_the_optimizers_are_pooled_with_them() -> None:
    users = Users({0: 0.5, 1: 0.5, 7: 0.95}, failing={})
    suggested = (
        Suggestion({"x": 7}, "training t, candidate 3"), Suggestion({"x": 7.0}, "the same"), Suggestion({"x": 0}),
        Suggestion({"x": 9_999}, "too large"),
    )  # fmt: skip
    record = await studied(users, study(suggestions=suggested, selection=Selection(units=1_500)))
    assert record.state is StudyState.FINISHED
    assert [trial.values["x"] for trial in record.trials] == [0, 7, 1]
    assert record.trials[1].reasoning == "training t, candidate 3"
    assert [dict(one.proposal.values) for one in record.rejected] == [{"x": 9_999}]
    assert 1 in {one.of for one in record.repeats}  # the optimizer's own 7
    winner = record.winner()
    assert winner is not None
    assert winner.number == 1


async def test_there_are_no_more_of_them_than_trials() -> None:
    users = Users({0: 0.5, 3: 0.5, 4: 0.5})
    suggested = tuple(Suggestion({"x": x}) for x in (4, 3))
    record = await studied(users, study(suggestions=suggested, max_trials=1, selection=Selection(units=300)))
    assert [trial.values["x"] for trial in record.trials] == [0, 4]


@pytest.mark.parametrize(
    ("suggestions", "said"),
    [
        ((Suggestion({}),), "suggestions.0: found no values; it needs one of a parameter at least"),
        ((Suggestion({"y": 1}),), "suggestions.0: found y, which the study does not train"),
        ((Suggestion({"x": 1}),) * 101, "suggestions: found 101, allowed are 100 at most"),
    ],
)
def test_what_is_wrong_is_named(suggestions: tuple[Suggestion, ...], said: str) -> None:
    assert study(suggestions=suggestions, parameters=("x",)).faults() == [said]
