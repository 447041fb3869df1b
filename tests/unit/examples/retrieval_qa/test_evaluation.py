import pytest
from hypothesis import given
from hypothesis import strategies as st
from retrieval_qa.composition import Composed
from retrieval_qa.corpus import Corpus, Passage, Question
from retrieval_qa.evaluation import Evaluator, Outcome, token_f1
from retrieval_qa.extraction import Extraction
from retrieval_qa.retrieval import Found, Hit

EVALUATOR = Evaluator(Corpus([Passage("p1", "Boats", "Tolsay has 42 boats."), Passage("p2", "Dogs", "61 dogs bark.")]))
QUESTION = Question("q1", "How many boats?", "42 boats", "p1")
RIGHT = Extraction("42 boats", "Tolsay has 42 boats.", "Boats")
WRONG = Extraction("61 dogs", "61 dogs bark.", "Dogs")


def judged(answer: str, extraction: Extraction, kept: list[str], passed_over: list[str]) -> str:
    hits = [Hit(name, name, 1.0) for name in kept]
    outcome = Outcome(Found(hits, passed_over), hits, extraction, Composed(answer))
    return EVALUATOR.evaluate(QUESTION, outcome).text


@pytest.mark.parametrize(
    ("extraction", "kept", "passed_over", "reason"),
    [
        (WRONG, ["p2"], ["p1"], "the passage 'Boats' that holds the answer was found as number 2, and only 1 kept"),
        (WRONG, ["p2"], [], "the passage 'Boats' that holds the answer was not found"),
        (
            WRONG,
            ["p2", "p1"],
            [],
            "the passage 'Boats' that holds the answer was ranked 2 of 2 kept, but a sentence of 'Dogs' was chosen",
        ),
        (
            Extraction("Tolsay", RIGHT.sentence, "Boats"),
            ["p1"],
            [],
            "the right sentence was chosen, but 'Tolsay' taken from it",
        ),
        (RIGHT, ["p1"], [], "'42 boats' was found, and the template added words that are not wanted"),
    ],
)
def test_the_first_step_that_went_wrong_is_named(
    extraction: Extraction, kept: list[str], passed_over: list[str], reason: str
) -> None:
    assert (
        judged("It is so.", extraction, kept, passed_over) == f"Expected '42 boats' but answered 'It is so.': {reason}."
    )


def test_a_right_answer_needs_no_reason() -> None:
    assert judged("42 Boats!", RIGHT, ["p1"], []) == "Answered '42 Boats!', as expected."


@pytest.mark.parametrize(
    ("found", "wanted", "score"),
    [("four", "four knots", 2 / 3), ("Four, knots.", "four knots", 1.0), ("", "four", 0.0), ("a a a", "a", 0.5)],
)
def test_token_f1(found: str, wanted: str, score: float) -> None:
    assert token_f1(found, wanted) == pytest.approx(score)


@given(st.text(alphabet="ab 1", max_size=20), st.text(alphabet="ab 1", max_size=20))
def test_token_f1_is_a_share_and_symmetric(found: str, wanted: str) -> None:
    assert 0.0 <= token_f1(found, wanted) == token_f1(wanted, found) <= 1.0
