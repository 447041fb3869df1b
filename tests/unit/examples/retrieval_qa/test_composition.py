import logging

import pytest
from retrieval_qa.composition import Composed, compose_answer, fault_of
from retrieval_qa.extraction import Extraction
from retrieval_qa.parameters import TEMPLATE

FOUND = Extraction("37 metres", "The tower is 37 metres high.", "The lighthouse")
KNOWN = {"answer": "a", "sentence": "s", "title": "t"}


@pytest.mark.parametrize(
    ("template", "answer"),
    [
        ("{answer}", "37 metres"),
        ("{title}: {sentence}", "The lighthouse: The tower is 37 metres high."),
        ("{{{answer}}}", "{37 metres}"),
    ],
)
def test_a_template_is_filled(template: str, answer: str) -> None:
    with TEMPLATE.override(template):
        assert compose_answer(FOUND) == Composed(answer)


@pytest.mark.parametrize(
    "template", ["{answer} {nothing}", "{answer}{", "{answer} {}", "{answer} {0}", "{answer} {title.upper}",
                 "{answer} {title!r}", "{answer} {title:>9}", "{answer} {title[0]}"]
)  # fmt: skip
def test_one_that_cannot_be_filled_gives_way_to_the_codes_own_and_that_is_said(
    template: str, caplog: pytest.LogCaptureFixture
) -> None:
    with TEMPLATE.override(template), caplog.at_level(logging.WARNING):
        composed = compose_answer(FOUND)
    assert composed.answer == "The answer is 37 metres."
    assert template in composed.fault
    assert caplog.messages == [composed.fault]


def test_the_fault_names_what_was_found_and_what_is_allowed() -> None:
    assert fault_of("{answer} in {place}", KNOWN) == (
        "The template '{answer} in {place}' asks for {place}, allowed are {answer}, {sentence}, {title}; "
        "the code's own was used."
    )
