import pytest
from retrieval_qa.composition import Composed, compose_answer
from retrieval_qa.extraction import Extraction
from retrieval_qa.parameters import TEMPLATE

from otel_opto import InvalidValue

FOUND = Extraction("37 metres", "The tower is 37 metres high.", "The lighthouse")


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
def test_one_that_cannot_be_filled_never_gets_into_force(template: str) -> None:
    with pytest.raises(InvalidValue, match=r"can be filled|braces"), TEMPLATE.override(template):
        pass
    assert compose_answer(FOUND) == Composed("The answer is 37 metres.")
