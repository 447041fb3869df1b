"""Templates behind the messages that an application writes for a model."""

import json

from collector.core.span import AnyValue, Span
from tests.unit.collector.graph.workflows import graph_of, parameters, span

DRAFT = "The beam turns twice a minute, and nobody on shore counts it."


def chat(number: int, begin: float, said: str, answered: str, parent: int = 1) -> Span:
    def message(role: str, text: str) -> str:
        return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])

    attributes: dict[str, AnyValue] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": message("user", said),
        "gen_ai.output.messages": message("assistant", answered),
    }
    return span(number, parent, "chat", begin, begin + 0.5, attributes)


def templates(said: str, question: str = "Write about the lighthouse of Groix") -> list[str | None]:
    root = span(1, None, "poem", 0, 9, {"input.value": question})
    return [
        text
        for text, _ in parameters(graph_of([root, chat(2, 1, question, DRAFT), chat(3, 2, said, "ok then")])).values()
    ]


def test_words_around_another_operations_output_are_a_template() -> None:
    said = f"Give this line a title of five words:\n\n{DRAFT}"
    assert templates(said) == ["Give this line a title of five words:\n\n{chat}"]


def test_what_the_caller_was_given_is_a_field_too() -> None:
    said = f"You were asked to: Write about the lighthouse of Groix. Say how {DRAFT} fits what was wanted."
    (template,) = templates(said)
    assert template is not None
    assert template.count("{") == 2
    assert "Groix" not in template


def test_labels_and_what_a_user_said_are_no_templates() -> None:
    assert templates(f"Line: {DRAFT}\nCriticism: too technical for a poem, show the hands") == []
    whole = f"Please go on with what you said before, it was: {DRAFT}"
    assert templates(whole, question=whole) == []
