import pytest
from retrieval_qa.analysis import Kind, analyse_question


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many boats are there?", Kind.NUMBER),
        ("What does a ticket cost?", Kind.NUMBER),
        ("By how much is the clock slow?", Kind.NUMBER),
        ("When was it built?", Kind.TIME),
        ("On which day is it shut?", Kind.TIME),
        ("Until what year were beacons lit?", Kind.TIME),
        ("Who rings the bell?", Kind.PERSON),
        ("What is the name of the head teacher?", Kind.PERSON),
        ("Where is the bell?", Kind.PLACE),
        ("In which building is the museum?", Kind.PLACE),
        ("What marks the summit?", Kind.PHRASE),
        ("How do I get there?", Kind.PHRASE),
        ("", Kind.PHRASE),
    ],
)
def test_the_kind_follows_from_the_question_word(question: str, kind: Kind) -> None:
    assert analyse_question(question).kind is kind


def test_words_are_stems_that_carry_meaning_each_once_and_in_order() -> None:
    assert analyse_question("Which of the boats are the boat's tug boats?").words == ("boat", "tug")
