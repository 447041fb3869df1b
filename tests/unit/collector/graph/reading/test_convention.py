"""Conventions as tables."""

import re
from pathlib import Path

import pytest

from collector.core.span import AnyValue, Event, Link, Span
from collector.graph.reading.convention import Table, table
from collector.graph.reading.conventions import BUILT_IN
from collector.graph.reading.facts import Facts, Message, Role, source
from tests.unit.collector.graph.workflows import context

PAGE = (Path(__file__).parents[5] / "docs" / "conventions.md").read_text(encoding="utf-8")
ACME = next(block for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "spec" in block)
TABLES = {name: one for name, one in BUILT_IN.items() if isinstance(one, Table)}


def read(text: str, attributes: dict[str, AnyValue]) -> Facts | None:
    return table("acme", text).read(source(Span(context(2), "1" * 16, "s", 0, 1, attributes=attributes)))


def test_the_worked_example_of_the_page_reads_what_it_says() -> None:
    chat = '[{"role": "system", "content": "Plan."}, {"role": "user", "content": "Which tide?"}]'
    said = read(ACME, {"acme.kind": "Generation", "acme.agent": "planner", "acme.chat": chat, "acme.reply": "Both."})
    assert said is not None
    assert (said.role, said.actor) == (Role.MODEL, "planner")
    assert said.taken == (Message("system", "Plan."), Message("user", "Which tide?"))
    assert said.given == (Message("assistant", "Both."),)
    tool = {"acme.kind": "function", "acme.function": "tides", "acme.call": "c1", "acme.given": '{"port": "Husum"}'}
    said = read(ACME, {**tool, "acme.returned": "3.6 m"})
    assert said is not None
    assert (said.name, said.call_id, said.inputs) == ("tides", "c1", {"arguments": {"port": "Husum"}})
    assert (said.has_output, said.output) == (True, "3.6 m")


def test_a_span_without_its_keys_does_not_speak_it() -> None:
    assert read(ACME, {"acme.other": 1}) is None


HEAD = 'spec = "s"\nversion = "1"\nnamespaces = ["a"]\n'


def test_keys_that_spell_out_lists_and_members() -> None:
    text = HEAD + '[[input.values]]\ndocuments = "a.docs."\nq = "a.all#question"\n'
    attributes: dict[str, AnyValue] = {
        "a.docs.1.document.content": "two", "a.docs.0.document.content": "one", "a.all": '{"question": "how?"}',
    }  # fmt: skip
    said = read(text, attributes)
    assert said is not None
    assert said.inputs == {"documents": ["one", "two"], "q": "how?"}


def test_it_is_asked_about_spans_of_which_it_knows_a_key() -> None:
    one = table("acme", HEAD + '[input]\nmessages = ["a.list.", "a.chat~"]\n[[input.values]]\nq = "a.all#question"\n')
    assert all(one.only([key], False) for key in ("a.list.0.role", "a.chat", "a.all"))
    assert one.only(["a.lists.0.role", "a.other", "a.all.question"], False) is None
    assert table("acme", HEAD + '[link]\nargument = "m"\nspans = ["take *"]\n').only(["a.any"], False)
    told = table("acme", HEAD + '[event]\ntaken = ["a.said"]\n')
    assert told.only(["a.any", "a.told"], True)
    assert told.only(["a.any"], False) is None


def test_events_that_are_the_use_of_a_parameter() -> None:
    text = HEAD + '[flag]\nevents = ["a.asked"]\nkey = ["a.key"]\nvalue = ["a.value"]\nvariant = ["a.variant"]\n'
    said = [
        {"a.key": "size", "a.value": "7"}, {"a.key": "size", "a.value": "9"}, {"a.key": "tone", "a.variant": "1"},
        {"a.key": "on", "a.value": "false", "a.variant": "off"}, {"a.value": "of no key"},
    ]  # fmt: skip
    events = (*(Event("a.asked", 0, one) for one in said), Event("a.other", 0, {"a.key": "none"}))
    found = table("acme", text).read(source(Span(context(2), None, "s", 0, 1, events=events)))
    assert found is not None
    assert [(use.key, use.value) for use in found.uses] == [("on", False), ("size", 9), ("tone", "1")]


def test_events_that_are_messages_or_hold_them() -> None:
    text = HEAD + '[event]\nbody = ["a.body"]\ninstructions = ["a.rules"]\ntaken = ["a.asked"]\ngiven = ["a.said"]\n'
    text += '[event.roles]\n"a.question" = "user"\n"a.reply" = "answer"\n'
    turns = (
        Event("a.question", 0, {"a.body": '{"content": "How?"}'}),
        Event("a.reply", 1, {"message": '{"content": "So."}'}),
        Event("a.other", 2, {"a.rules": "Be brief.", "a.said": '[{"role": "assistant", "content": "Or so."}]'}),
    )
    found = table("acme", text).read(source(Span(context(2), None, "s", 0, 1, events=turns)))
    assert found is not None
    assert found.taken == (Message("user", "How?"), Message("system", "Be brief."))
    assert found.given == (Message("assistant", "So."), Message("assistant", "Or so."))
    assert table("acme", text).read(source(Span(context(2), None, "s", 0, 1))) is None


def test_links_without_a_name_are_an_argument_of_some_spans() -> None:
    text = HEAD + '[link]\nargument = "message"\nspans = ["take *"]\nrelays = ["pass*"]\n'
    links = (Link(context(3)), Link(context(4)), Link(context(3)))
    taken, passed, other = (
        table("acme", text).read(source(Span(context(2), None, name, 0, 1, links=links)))
        for name in ("take it", "passed", "taken")
    )
    assert taken is not None
    assert passed is not None
    assert (taken.arguments, taken.relay) == ((("message", context(3)), ("message", context(4))), False)
    assert (passed.arguments, passed.relay) == (taken.arguments, True)
    assert other is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("spec = ", "no TOML"),
        (HEAD + '[input]\nmesages = ["a.b"]\n', r"\[input\] has no mesages; there is: history"),
        ('spec = "s"\n', "version, namespaces is missing"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        table("acme", text)


@pytest.mark.parametrize("name", TABLES)
def test_each_says_its_keys_and_where_they_are_specified(name: str) -> None:
    said = TABLES[name]
    assert "](https://" in said.SAYS
    first = {key.partition(".")[0] for key in said.every_key()}
    assert first & set(said.NAMESPACES)
