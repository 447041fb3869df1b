from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from retrieval_qa import candidates
from retrieval_qa.candidates import Span
from retrieval_qa.words import written_words

Grammar = Callable[[list[str]], Iterator[Span]]


@pytest.mark.parametrize(
    ("grammar", "sentence", "found"),
    [
        (candidates.numbers, "It is 640 metres long and costs 1,340 crowns.", ["640 metres", "1,340 crowns"]),
        (candidates.numbers, "It was built in 1874.", []),
        (candidates.numbers, "It is painted every sixth year.", ["every sixth year"]),
        (candidates.times, "It was built in 1874 after the great flood.", ["1874"]),
        (candidates.times, "It opens at seven in the morning, never on Sundays.", ["seven in the morning", "Sundays"]),
        (candidates.times, "Closed between April and July.", ["between April and July"]),
        (candidates.times, "Held on the last Friday of July.", ["the last Friday of July"]),
        (candidates.times, "It has seven rooms.", []),
        (candidates.names, "The smith Kaspar Dunn lives on Gull Point.", ["Kaspar Dunn", "Gull Point"]),
        (candidates.names, "The Smith left.", ["The Smith"]),
        (candidates.places, "Her bell hangs in the school, her wheel in Marrick.", ["the school", "Marrick"]),
        (candidates.places, "It closed in 1938.", []),
        (candidates.phrases, "A cairn marks the summit.", ["A cairn marks", "the summit"]),
    ],
)
def test_each_grammar_finds_its_kind(grammar: Grammar, sentence: str, found: list[str]) -> None:
    words = written_words(sentence)
    assert [" ".join(words[span.start : span.end]) for span in grammar(words)] == found


@given(st.text(alphabet="aA1 .,'sé-", max_size=60) | st.text(max_size=60))
def test_spans_hold_words_of_the_sentence_and_rise(sentence: str) -> None:
    words = written_words(sentence)
    for grammar in (candidates.numbers, candidates.times, candidates.names, candidates.places, candidates.phrases):
        spans = list(grammar(words))
        assert all(0 <= span.start < span.end <= len(words) for span in spans)
        assert spans == sorted(spans, key=lambda span: span.start)
