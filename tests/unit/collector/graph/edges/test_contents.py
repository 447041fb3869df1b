"""Dataflow that is found by what stands in outputs and inputs."""

import random
import string
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.core.graph import EdgeOrigin
from collector.core.span import AnyValue, Span
from collector.graph.rules import BY_NAME
from collector.graph.texts import significant
from tests.unit.collector.graph.workflows import flows, graph_of, span

PLAN = "1. find the tide table 2. compare spring and neap"
DRAFT = "The beam turns twice a minute, and nobody on shore counts it."


def step(number: int, begin: float, taken: AnyValue, made: AnyValue, parent: int = 1, end: float | None = None) -> Span:
    attributes = {"input.value": taken, "output.value": made, "openinference.span.kind": "CHAIN"}
    stated = {key: value for key, value in attributes.items() if value is not None}
    return span(number, parent, f"step {number}", begin, begin + 0.5 if end is None else end, stated)


def found(*steps: Span) -> set[tuple[int, int]]:
    return flows(graph_of([span(1, None, "root", 0, 99), *steps]))


@pytest.mark.parametrize(
    "taken",
    [
        PLAN,
        f"Follow this plan: {PLAN}. Answer in one sentence.",
        '{"plan": "1. find the tide table 2. compare spring and neap"}',
        '{"state": "{\\"plan\\": \\"1. find the tide table 2. compare spring and neap\\"}"}',
        "Plan:\n  1. find the tide table\n  2. compare spring   and neap\n",
        "PlanMessage(text='1. find the tide table 2. compare spring and neap', kind=None)",
        '[{"role": "user", "content": [{"text": "1. find the tide table 2. compare spring and neap"}]}]',
    ],
)
def test_a_text_is_found_however_it_is_wrapped(taken: str) -> None:
    assert found(step(2, 1, "What is the range?", PLAN), step(3, 2, taken, "The range is 5.9 m.")) == {(2, 3)}


def test_escaped_letters_are_the_letters() -> None:
    assert found(step(2, 1, "q", '{"text": "kre\\u00f1v ha mor"}'), step(3, 2, "Skriv: kreñv ha mor", "a")) == {(2, 3)}


def test_a_part_of_an_output_is_found_as_a_whole_input_or_inside_of_one() -> None:
    lines = "1. look up the tide table of Brest\n2. compare spring tide and neap tide"
    part = step(3, 2, "look up the tide table of Brest", "5.9 m")
    inside = step(4, 3, "Do this now: compare spring tide and neap tide!", "2.4 m")
    assert found(step(2, 1, "q", lines), part, inside) == {(2, 3), (2, 4)}
    assert found(step(2, 1, "q", f"ANSWER: {DRAFT}"), step(3, 2, f"Translate: {DRAFT}", "x")) == {(2, 3)}


def test_a_consumer_that_ended_before_its_producer_took_nothing_from_it() -> None:
    assert found(step(2, 5, "q", PLAN), step(3, 1, PLAN, "x")) == set()


def test_parallel_steps_that_share_an_input_and_repeat_it_feed_nobody() -> None:
    question = "How large is the tidal range at Brest?"
    repeated = '{"question": "How large is the tidal range at Brest?", "n": %d}'
    steps = [step(n, 1 + n, question, repeated % n) for n in (2, 3, 4)]
    assert found(*steps) == set()


def test_a_value_that_came_from_outside_is_nobodys_product() -> None:
    first = step(
        2, 1, '{"question": "Is berth 7 free tonight?"}', '{"question": "Is berth 7 free tonight?", "plan": 1}'
    )
    assert found(first, step(3, 2, "Question: Is berth 7 free tonight?", "yes it is free")) == set()


def test_what_a_step_hands_on_comes_from_the_step_that_handed_it_on() -> None:
    checked = step(3, 2, DRAFT, DRAFT)
    assert found(step(2, 1, "q", DRAFT), checked, step(4, 3, f"Print: {DRAFT}", "done")) >= {(2, 3), (3, 4)}


def test_of_nested_producers_the_outermost_is_joined_with_all_that_were_given_its_text() -> None:
    steps = [
        step(2, 1, "q", PLAN, end=4), step(3, 1.5, "q", PLAN, 2, end=3), step(4, 2, "q", PLAN, 3, end=2.5),
        step(5, 5, PLAN, "a", end=9), step(6, 5.5, PLAN, "a", 5, end=8), step(7, 6, PLAN, "a", 6, end=7),
    ]  # fmt: skip
    assert found(*steps) == {(2, 5), (2, 6), (2, 7)}


def test_a_failed_call_whose_answer_was_never_used_feeds_nobody() -> None:
    failed = span(2, 1, "chat", 1, 2, {"input.value": "Write about tides please"}, error="timeout")
    assert found(failed, step(3, 3, "Write about tides please", DRAFT)) == set()


@pytest.mark.parametrize("value", ["ok", "True", "stop", "42", "user", "yes"])
def test_short_and_common_values_prove_nothing_inside_texts(value: str) -> None:
    assert found(step(2, 1, "q", value), step(3, 2, f"It is {value} to go.", "x")) == set()


def test_a_short_output_that_is_a_whole_input_is_a_weak_find() -> None:
    graph = graph_of([span(1, None, "root", 0, 9), step(2, 1, "which desk?", "billing"), step(3, 2, "billing", "x")])
    (edge,) = [edge for edge in graph.edges if edge.origin is EdgeOrigin.CONTENT]
    assert (edge.rule, edge.confidence) == ("short", BY_NAME["short"].confidence)


def test_languages_without_spaces_between_words() -> None:
    made = "ブレストの潮の干満差は大潮で5.9メートルです"
    assert found(step(2, 1, "質問", made), step(3, 2, f"次の文を訳してください「{made}」お願いします", "x")) == {(2, 3)}


def test_a_text_is_significant_by_length_and_by_what_it_is_made_of() -> None:
    told = {
        text: significant(text)
        for text in ("short", "transferred-to", "BP-1100-2233", "two words here", "TW-3391", "gpt-4o")
    }
    assert told == {
        "short": False,
        "transferred-to": False,
        "BP-1100-2233": True,
        "two words here": True,
        "TW-3391": True,
        "gpt-4o": False,
    }


def test_a_text_that_two_made_and_that_is_there_twice_comes_from_both() -> None:
    answers = [step(number, number, "vote!", "Rennes, in 1720") for number in (2, 3, 4)]
    assert found(*answers, step(5, 9, "Rennes, in 1720 | Rennes, in 1720", "x")) == {(3, 5), (4, 5)}
    assert found(*answers, step(5, 9, ["Rennes, in 1720"] * 3, "x")) == {(2, 5), (3, 5), (4, 5)}
    assert found(*answers, step(5, 9, "Who said: Rennes, in 1720", "x")) == {(4, 5)}


def test_a_record_is_found_in_every_layout() -> None:
    made = step(2, 1, "q", '{"shop": "Oliwa", "sold": 344, "eur": 17022.25}')
    inside = 'Assess this: {"eur":17022.25,"sold":344,"shop":"Oliwa"} please'
    assert found(made, step(3, 2, inside, "x")) == {(2, 3)}
    assert found(made, step(3, 2, "Oliwa: 344 pcs, 17022.25 EUR", "x")) == {(2, 3)}
    assert found(made, step(3, 2, "{'sold': 344, 'shop': 'Oliwa', 'eur': 17022.25}", "x")) == {(2, 3)}


def test_who_was_given_a_text_and_made_more_of_it_did_not_make_it() -> None:
    made = step(2, 1, "q", PLAN)
    formatted = step(3, 2, PLAN, ["You are a planner.", f"Go on with: {PLAN}"])
    assert found(made, formatted, step(4, 3, {"plan": PLAN}, "x")) == {(2, 3), (2, 4)}  # type: ignore[arg-type]


LETTERS = st.text(string.ascii_lowercase, min_size=3, max_size=9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(LETTERS, min_size=4, max_size=12), min_size=2, max_size=8, unique_by=tuple), st.randoms())
def test_a_chain_of_distinct_texts_is_found_whatever_surrounds_them(
    made: list[list[str]], chance: random.Random
) -> None:
    texts = [f"{' '.join(words)} n{index}x{index}" for index, words in enumerate(made)]
    steps = [step(2, 1, "begin", texts[0])]
    for index, text in enumerate(texts[1:], 1):
        before, after = ("".join(chance.choices("ABC 123", k=9)) for _ in range(2))
        steps.append(step(index + 2, index + 1, f"{before}: {texts[index - 1]}. {after}", text))
    chance.shuffle(steps)
    expected = {(number, number + 1) for number in range(2, len(texts) + 1)}
    assert found(*steps) >= expected


def test_a_field_whose_value_came_from_outside_proves_nothing() -> None:
    plan = step(2, 1, ["MSKU 730412-8", "TGHU 551907-3"], [{"box": "MSKU 730412-8", "focus": "count the flywheels"}])
    assert found(plan, step(3, 3, {"box": "MSKU 730412-8", "value": 41250}, "1113")) == set()
    assert found(plan, step(3, 3, {"of": "count the flywheels", "value": 41250}, "1113")) == {(2, 3)}


def test_who_repeats_a_text_and_says_nothing_of_its_inputs_is_where_it_came_from_last() -> None:
    made, repeated = step(2, 1, "q", DRAFT), step(3, 2, None, DRAFT)
    assert found(made, repeated, step(4, 3, f"Print: {DRAFT}", "done")) == {(2, 3), (3, 4)}


def test_what_a_caller_was_given_is_no_product_of_what_it_calls() -> None:
    given = "The beam turns twice a minute"
    caller = step(2, 1, given, "done", end=9)
    inner = [
        step(3, 2, "q", "nothing to say here", 2, end=8),
        step(4, 3, "rewrite", given, 3, end=4),
        step(5, 5, f"Print: {given}", "x", 3, end=6),
    ]
    assert found(caller, *inner) == set()


@pytest.mark.parametrize(
    ("made", "taken"),
    [
        (
            "Grüße aus Föhr, die Fähre fährt nach Wyk",
            "Text: " + normalize("NFD", "Grüße aus Föhr, die Fähre fährt nach Wyk"),
        ),
        ('The "tide" & the <moon> are one', "<p>The &quot;tide&quot; &amp; the &lt;moon&gt; are one</p>"),
        ("The rent is too high. Ask a lawyer.", "Sum up in a line: The rent is too high. Or the deposit?"),
        ('{"booking_id": "bk_58213"}', "Your receipt for booking bk_58213"),
        ("'look the tide up at Husum'", "('Plan: look the tide up at Husum',)"),
    ],
)
def test_the_same_in_other_letters_and_layouts(made: AnyValue, taken: AnyValue) -> None:
    assert found(step(2, 1, "q", made), step(3, 2, taken, "x")) == {(2, 3)}


def test_two_names_that_stand_in_a_text_prove_nothing() -> None:
    assert found(step(2, 1, "q", ["billing", "shipping"]), step(3, 2, "Is it billing or shipping?", "x")) == set()
