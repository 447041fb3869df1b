"""Reading what language models write."""

import json
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.core.parameter import validated
from collector.core.study import Cost
from collector.optimizer.answers import lenient
from collector.optimizer.answers.reading import UnreadableAnswer, read_answer
from collector.optimizer.answers.schema import schema_of, without_bounds
from otel_opto.spec import Constraint, ParameterSpec, ParameterType
from tests.contract.optimizers import DEFAULTS, SPECS

GOOD = {"top_k": 5, "weight": 0.5, "method": "fast", "style": "{a}", "strict": True}
ANSWER = json.dumps({"reasoning": "r", "suggestion": GOOD})


@pytest.mark.parametrize(
    "text",
    [
        ANSWER,
        f"```json\n{ANSWER}\n```",
        f"Certainly! Here it is: {ANSWER} I hope it helps {{a lot}}.",
        f"Set {{a}} to 1. {ANSWER}",
        str({"reasoning": "it's", "suggestion": GOOD}),
        '{"note": "thinking"} ' + ANSWER,
        '<think>perhaps {"suggestion": {"top_k": 1}}</think>' + ANSWER,
        json.dumps({"suggestion": {**GOOD, "top_k": "5", "weight": " 0.5", "strict": "True", "method": "FAST "}}),
        json.dumps({"suggestion": {f"<{key}>": value for key, value in GOOD.items()}}),
        json.dumps({"reasoning": "without the frame", **GOOD}),
    ],
)
def test_the_suggestion_is_found_and_typed(text: str) -> None:
    assert validated(read_answer(text, SPECS, Cost()).values, SPECS) == (GOOD, ())


def test_reasoning_and_cost_come_along() -> None:
    proposal = read_answer(ANSWER, SPECS, Cost(calls=2))
    assert (proposal.reasoning, proposal.cost) == ("r", Cost(calls=2))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        "no",
        "[]",
        '{"suggestion": {}}',
        '{"suggestion": "none"}',
        '{"suggestion": [1]}',
        '{"reasoning": "r", "suggestion": {"top_k": 5',
        "{1: 2}",
        "{1, 2}",
        "{" * 5_000,
        '{"a": ' * 5_000,
        "[" * 100_000 + "{",
    ],
)
def test_what_holds_no_suggestion_is_unreadable_and_shown(text: str) -> None:
    with pytest.raises(UnreadableAnswer, match="found ") as refused:
        read_answer(text, SPECS, Cost())
    assert text[:50] in str(refused.value)


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        ("top_k", "many", "many"),
        ("top_k", "7.5", 7.5),
        ("top_k", "nan", "nan"),
        ("top_k", None, None),
        ("top_k", [5], [5]),
        ("top_k", {"value": 5, "unit": "m"}, {"value": 5, "unit": "m"}),
        ("top_k", "7 items", "7 items"),
        ("weight", "0,5", "0,5"),
        ("weight", "50%", "50%"),
        ("style", "<value>", ["(the form was repeated: <value>)"]),
        ("weight", math.inf, ["inf"]),
        ("style", math.nan, ["nan"]),
        ("style", 5, 5),
        ("strict", "yes", "yes"),
        ("strict", 1, 1),
        ("method", "quick", "quick"),
        ("temprature", 1, 1),
    ],
)
def test_what_is_not_plain_reaches_validation_as_it_is(key: str, value: object, kept: object) -> None:
    proposal = read_answer(json.dumps({"suggestion": {key: value}}), SPECS, Cost())
    assert proposal.values == {key: kept}
    assert len(validated(proposal.values, SPECS)[1]) == 1


def test_a_choice_that_looks_like_a_number_may_be_written_as_one() -> None:
    spec = ParameterSpec("size", ParameterType.CHOICE, "1", Constraint(choices=("1", "2", "x", "X")))
    assert read_answer('{"suggestion": {"size": 2}}', [spec], Cost()).values == {"size": "2"}
    assert read_answer('{"suggestion": {"size": " x"}}', [spec], Cost()).values == {"size": " x"}
    assert read_answer('{"suggestion": {"size": true}}', [spec], Cost()).values == {"size": True}


def test_lone_surrogates_cannot_come_through() -> None:
    text = '{"reasoning": "\\ud800", "suggestion": {"style": "a\\udfffb", "\\ud800": ["\\ud800"]}}'
    proposal = read_answer(text, SPECS, Cost())
    assert (proposal.reasoning, proposal.values) == ("?", {"style": "a?b", "?": ["?"]})


def test_depth_is_bounded() -> None:
    deep = read_answer('{"suggestion": {"style": ' + "[" * 200 + "]" * 200 + "}}", SPECS, Cost()).values["style"]
    assert json.dumps(deep).count("[") == 9
    assert "too deep" in json.dumps(deep)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*DEFAULTS, "<top_k>", "other", "reasoning"]), TREES, min_size=1))
def test_whatever_is_suggested_can_be_kept_and_validated(suggestion: dict[str, object]) -> None:
    proposal = read_answer(json.dumps({"suggestion": suggestion}), SPECS, Cost())
    json.dumps(proposal.values, allow_nan=False).encode()
    good, _ = validated(proposal.values, SPECS)
    for spec in SPECS:
        if spec.key in good:
            spec.validate(good[spec.key])


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(UnreadableAnswer, match="wanted is"):
        read_answer(text, SPECS, Cost())


DIRECTION = {"type": "string", "enum": ["larger", "smaller", "keep"]}


def test_the_schema_asks_for_reasons_first_and_for_every_parameter_within_its_bounds() -> None:
    bounded = ParameterSpec("note", ParameterType.TEXT, "a", Constraint(max_length=90))
    huge = ParameterSpec("book", ParameterType.TEXT, "a", Constraint(max_length=90_000))
    assert schema_of([*SPECS, bounded, huge], {"style": 40, "note": 100}) == {
        "type": "object",
        "properties": {
            "reasoning": {"type": "string", "maxLength": 300},
            "suggestion": {
                "type": "object",
                "properties": {
                    "top_k": {"anyOf": [DIRECTION, {"type": "integer", "minimum": 1, "maximum": 9}]},
                    "weight": {"anyOf": [DIRECTION, {"type": "number", "minimum": 0.0, "maximum": 1.0}]},
                    "method": {"type": "string", "enum": ["slow", "fast"]},
                    "style": {"type": "string", "maxLength": 40},
                    "strict": {"type": "boolean"},
                    "note": {"type": "string", "maxLength": 90},
                    "book": {"type": "string"},
                },
                "required": [*DEFAULTS, "note", "book"],
                "additionalProperties": False,
            },
        },
        "required": ["reasoning", "suggestion"],
        "additionalProperties": False,
    }


def test_bounds_of_whole_numbers_are_whole() -> None:
    spec = ParameterSpec("n", ParameterType.INTEGER, 2, Constraint(minimum=0.5, maximum=9.5))
    found = schema_of([spec])["properties"]["suggestion"]["properties"]["n"]["anyOf"][1]
    assert found == {"type": "integer", "minimum": 1, "maximum": 9}


def test_bounds_can_be_left_away_for_endpoints_that_refuse_them() -> None:
    said = json.dumps(without_bounds(schema_of(SPECS)))
    assert not any(bound in said for bound in ("minimum", "maximum", "maxLength"))
    assert "enum" in said


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("def f(x):\n    return x != ''}}", "def f(x):\n    return x != ''"),
        ('def f(x):\n    return x"}}\n', "def f(x):\n    return x"),
        ("def f(x):\n    return [x]]", "def f(x):\n    return [x]"),
        ("```python\ndef f(x):\n    return {x}}}\n```", "def f(x):\n    return {x}"),
        ("def f(x):\n    return {x}", "def f(x):\n    return {x}"),
        ("def f(x):\n    return {{x}", "def f(x):\n    return {{x}"),
        ("def f(x):\n    return (x}}", "def f(x):\n    return (x}}"),
        ("}" * 9, "}" * 9),
    ],
)
def test_ends_of_the_object_that_stand_in_a_source_are_taken_off_where_it_is_python_then(said: str, kept: str) -> None:
    code = ParameterSpec("f", ParameterType.CODE, "def f(x):\n    return 0\n")
    assert read_answer(json.dumps({"suggestion": {"f": said}}), [code], Cost()).values == {"f": kept}


# --- what models write in place of JSON -----------------------------------------------------------------------------

P = ParameterSpec("p", ParameterType.TEXT, "Say it")
N = ParameterSpec("n", ParameterType.INTEGER, 1, Constraint(minimum=0, maximum=9))
TOP = ParameterSpec("top_k", ParameterType.INTEGER, 1)
B = ParameterSpec("b", ParameterType.BOOLEAN, default=False)
CODE = "def f(x):\n    return x"
FORMS = {
    "raw line breaks": f'{{"reasoning":"r","suggestion":{{"p":"{CODE}"}}}}',
    "triple quotes": f'{{"suggestion":{{"p":"""{CODE}"""}}}}',
    "curly quotes": "{“reasoning”: “r”, “suggestion”: {“p”: “new”}}",
    "German quotes": "{„suggestion“: {„p“: „new“}}",
    "guillemets": "{«suggestion»: {«p»: «new»}}",
    "single quotes": "{'suggestion': {'p': 'new'}}",
    "backticks": "{`suggestion`: {`p`: `new`}}",
    "keys without quotes": '{reasoning: "r", suggestion: {p: "new"}}',
    "trailing commas": '{"reasoning":"r","suggestion":{"p":"new",},}',
    "line comment": '{"reasoning":"r", // c\n"suggestion":{"p":"new"}}',
    "block comment": '{"suggestion":{/* the "p" */ "p":"new"}}',
    "braces missing at the end": '{"suggestion":{"p":"new"',
    "braces missing before the fence": '```json\n{"suggestion":{"p":"new"\n```',
    "list of names and values": '{"suggestion":[{"name":"p","value":"new"}]}',
    "bare list of names and values": '[{"name":"p","value":"new"}]',
    "list of objects": '{"suggestion":[{"p":"new"}]}',
    "suggestion as a string": json.dumps({"suggestion": json.dumps({"p": "new"})}),
    "wrapped value": '{"suggestion":{"p":{"value":"new","type":"text"}}}',
    "another name of the frame": '{"reasoning":"r","variables":{"p":"new"}}',
    "frame in a frame": '{"answer":{"reasoning":"r","suggestion":{"p":"new"}}}',
    "tags": "<reasoning>r</reasoning><variable><name>p</name><value>new</value></variable>",
    "tags by key": "I would say <p>\nnew\n</p>",
    "assignment": 'p = "new"',
    "listed assignment": "Better:\n- `p` = 'new'",
    "draft first": '{"suggestion": {"p": "draft"}}\nBetter:\n{"suggestion": {"p": "new"}}',
    "tags after a draft": '{"suggestion": {"p": "draft"}} <p>new</p>',
    "thought": '<think>{"suggestion":{"p":"no"}}</think>{"suggestion":{"p":"new"}}',
    "thought without its beginning": 'hm {"suggestion":{"p":"no"}}</think>{"suggestion":{"p":"new"}}',
    "outer quotes": json.dumps({"suggestion": {"p": '"new"'}}),
    "blanks around": json.dumps({"suggestion": {"p": " new \n"}}),
    "twice": '{"suggestion":{"p":"a","p":"new"}}',
    "two spellings": '{"suggestion":{"p":"new","P":"other"}}',
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_with_one_reading_are_read(form: str) -> None:
    wanted = CODE if "return" in FORMS[form] else "new"
    assert read_answer(FORMS[form], [P, N], Cost()).values == {"p": wanted}


@pytest.mark.parametrize(
    "text",
    [
        '{"suggestion":{"p":"ne',
        '{"suggestion":{"n": 1',
        '<think>maybe {"suggestion":{"p":"no"}} hmm',
        '{"suggestion": {"p": "draft"}}\nBetter: {"suggestion": {"p": "fin',
        "Set p to new",
        "TERMINATE",
        "p = new",
        "<p>new",
        "<variable><name>p</name><value>new</variable>",
        "{p}",
    ],
)
def test_what_is_not_whole_is_no_answer(text: str) -> None:
    with pytest.raises(UnreadableAnswer):
        read_answer(text, [P, N], Cost())


def test_an_answer_that_was_cut_off_counts_only_as_far_as_it_was_closed() -> None:
    whole = '{"suggestion":{"p":"new"}}'
    assert read_answer(whole + " and so on and", [P], Cost(), cut_off=True).values == {"p": "new"}
    with pytest.raises(UnreadableAnswer):
        read_answer(whole[:-1], [P], Cost(), cut_off=True)


@pytest.mark.parametrize(
    "key", ["<top_k>", "top_k:0", "top_k0", "Top-K", "topK", "`top_k`", "top_k (a number)", "$top_k"]
)
def test_a_key_may_be_spelled_apart(key: str) -> None:
    assert read_answer(json.dumps({"suggestion": {key: 3}}), [TOP, P], Cost()).values == {"top_k": 3}


def test_a_key_that_could_be_two_is_neither() -> None:
    both = [TOP, ParameterSpec("top.k", ParameterType.INTEGER, 1)]
    assert read_answer('{"suggestion": {"topK": 3}}', both, Cost()).values == {"topK": 3}


def test_quotes_and_blanks_that_the_default_has_stay() -> None:
    quoted = ParameterSpec("p", ParameterType.TEXT, '"Say it" ')
    assert read_answer(json.dumps({"suggestion": {"p": '"new" '}}), [quoted], Cost()).values == {"p": '"new" '}
    assert read_answer(json.dumps({"suggestion": {"p": '"a" or "b"'}}), [P], Cost()).values == {"p": '"a" or "b"'}


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.fixed_dictionaries({"p": TEXTS, "n": st.integers(0, 9), "b": st.booleans()}), TEXTS)
def test_python_and_json_say_the_same(values: dict[str, object], reasoning: str) -> None:
    answer = {"reasoning": reasoning, "suggestion": values}
    read = [read_answer(said, [P, N, B], Cost()).values for said in (json.dumps(answer), json.dumps(answer, indent=2))]
    assert read[0] == read[1]
    found = next(lenient.objects(repr(answer)))
    assert found.value == answer


@given(st.dictionaries(TEXTS, st.recursive(TEXTS | st.booleans() | st.integers(), st.lists, max_leaves=5), min_size=1))
def test_the_lenient_reader_reads_json_as_json_does(value: dict[str, object]) -> None:
    for said in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1), str(value)):
        (found, *_) = lenient.objects("Here: " + said + " Done.")
        assert (found.value, found.whole) == (value, True)


@given(st.text(alphabet="{}[]\"':,\\ \n`<>pnvalue/*#0", max_size=200))
def test_no_scraps_of_an_answer_break_the_reader(text: str) -> None:
    try:
        proposal = read_answer(text, [P, N], Cost())
    except UnreadableAnswer:
        return
    json.dumps(proposal.values, allow_nan=False)


@pytest.mark.parametrize("junk", ['{"a', "{'a':", "[", "{" * 3, '{"suggestion":', "<p>", "/*", "{a: /*"])
def test_hostile_texts_end_soon(junk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    monkeypatch.setattr(lenient._Reader, "value", _counting(lenient._Reader.value, looked))
    with pytest.raises(UnreadableAnswer):
        read_answer(junk * 40_000, [P], Cost())
    assert len(looked) < 200_000


def _counting(value: Callable[..., object], looked: list[int]) -> Callable[..., object]:
    def counted(reader: object, depth: int) -> object:
        looked.append(depth)
        return value(reader, depth)

    return counted
