"""Texts with fields: the style of the declared one, and what other texts can be filled."""

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_opto.spec import Constraint, InvalidValue, ParameterSpec, ParameterType
from otel_opto.template import Style, Template, template_of


def template(default: str, *placeholders: str, candidates: tuple[str, ...] = ()) -> Template:
    found = template_of((default, *candidates), placeholders)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("default", "placeholders", "style"),
    [
        ("Answer {question}", ("question",), Style.FORMAT),
        ("{doc.title}: {question}", ("doc", "question"), Style.FORMAT),
        ("{doc.title}", ("doc.title",), Style.FORMAT),
        ("{items[0]} or {question!r}", ("items", "question"), Style.FORMAT),
        ("{score:.2f} at {now:%Y-%m-%d}, {name:>{width}}", ("score", "now", "name", "width"), Style.FORMAT),
        ("{user-name}", ("user-name",), Style.FORMAT),
        ('{{"a": 1}} {question}', ("question",), Style.FORMAT),
        ("{{{question}}}", ("question",), Style.FORMAT),
        ("Answer {{question}}", ("question",), Style.DOUBLE),
        ("Answer {{ question }}", ("question",), Style.DOUBLE),
        ("{{ doc.title | upper }} {{items[0]}} {{&raw}}", ("doc", "items", "&raw"), Style.DOUBLE),
        ('{"a": {"b": "{{question}}"}}', ("question",), Style.DOUBLE),
        ("{% if doc %}{{ doc }}{% endif %} {# why #}", ("doc",), Style.DOUBLE),
        ('JSON like {"answer": "..."} to {question}', ("question",), Style.PLAIN),
        ('Schema: {"a": {"b": "}"}} - {question}', ("question",), Style.PLAIN),
        ("Return {answer: string} to {question}", ("question",), Style.PLAIN),
        ("{question} {", ("question",), Style.PLAIN),
        ('{"a": 1} {user-name}', ("user-name",), Style.PLAIN),
    ],
)
def test_placeholders_are_found_in_every_style(default: str, placeholders: tuple[str, ...], style: Style) -> None:
    found = template(default, *placeholders)
    assert found.style is style
    assert found.fault_of(default) == ""


@pytest.mark.parametrize(
    ("default", "style"),
    [
        ("Hello {name}", Style.FORMAT),
        ("Hello {}", Style.FORMAT),
        ('As JSON: {{"answer": 1}}', Style.FORMAT),
        ("Hello {{name}}", Style.DOUBLE),
        ("no field", None),
        ('As JSON: {"answer": 1}', None),
        (r"Put the answer in \boxed{}.", None),
        (r"\frac{a}{b}", None),
    ],
)
def test_fields_of_the_default_make_a_template_though_nobody_names_them(default: str, style: Style | None) -> None:
    found = template_of((default,), ())
    assert (found and found.style) is style


def test_a_default_that_lacks_a_placeholder_or_asks_for_much_room_is_refused() -> None:
    for default in ("no field", "{other}", "{{other}}", "{question:>{", "$question"):
        with pytest.raises(ValueError, match=r"containing \{question\}"):
            template_of((default,), ("question",))
    with pytest.raises(ValueError, match="at most 99999 wide"):
        template_of(("{question:>1000000000}",), ("question",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{question} {a.__class__}", "{a.__class__} is no field that can be filled; these can: {question}"),
        ("{question.__class__.__init__.__globals__}", "is no field"),
        ("{question} {question[0]}", "is no field"),
        ("{question:>1000000000}", "is no field"),
        ("{question!r}", "is no field"),
        ("{question} {other}", "is no field"),
        ("{question} {0}", "is no field"),
        ("{question} {}", "is no field"),
        ("{question} {question:{question}}", "is no field"),
        ('Answer {question} as JSON: {"answer": ...}', '{"answer": ...} is no field'),
        ("{question} {", "cannot be filled: Single '{'"),
        ("{question} }", "cannot be filled: Single '}'"),
        ("{question!}", "cannot be filled"),
        ("{question:{w:{x:{y}}}}", "cannot be filled"),
        ("{{question}}", "{question} is missing"),
        ("nothing", "{question} is missing"),
    ],
)
def test_what_str_format_could_not_fill_is_refused_with_words(text: str, said: str) -> None:
    assert said in template("Answer {question}", "question").fault_of(text)


def test_fields_may_be_used_bare_or_as_a_declared_text_has_them() -> None:
    found = template("{doc.title!r:>9} {items[0]}", "doc", candidates=("{doc} {price:.2f}",))
    for text in ("{doc}", "{doc.title!r:>9}{price:.2f}", "{doc} {items} {price}", '{doc} {{"a": 1}}'):
        assert found.fault_of(text) == ""
    for text in ("{doc.title}", "{doc.title!r:>10}", "{doc} {items[1]}", "{doc} {price:.3f}", "{doc!r}"):
        assert "is no field" in found.fault_of(text)
    numbered = template("{} and {}")
    assert numbered.fault_of("{} or {}") == numbered.fault_of("{1}, {0}") == ""
    assert "{2} is no field" in numbered.fault_of("{}{}{}")
    assert "cannot switch" in numbered.fault_of("{} {0}")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{{ question }} as {"answer": {"b": 1}}', ""),
        ("{{question}} {other}", ""),
        ("{question}", "{{question}} is missing"),
        ("{{question}} {{other}}", "{{other}} is no field"),
        ("{{ question.__class__ }}", "is no field"),
        ("{{ question | center(1000000000) }}", "is no field"),
        ("{{question}} {{ 7 * 7 }}", "is no field"),
        ("{{question}} {{", "{{ is never closed"),
        ("{{question}} {% for x in y %}", "statements"),
        ("{{question}} {{#if x}}{{/if}}", "statements"),
        ("{{question}} {% ", "{% is never closed"),
        ("{# {{question}} #}", "{{question}} is missing"),
    ],
)
def test_double_braces(text: str, fault: str) -> None:
    found = template("Answer {{question}}", "question").fault_of(text)
    assert fault in found
    assert bool(fault) is bool(found)


def test_statements_stay_as_they_were_declared() -> None:
    found = template("{% if doc %}Read {{ doc }}. {% endif %}{{question}}", "question")
    assert found.fault_of("{% if doc %}See {{ doc }}: {% endif %}Then {{question}}") == ""
    assert "statements" in found.fault_of("{% if doc %}{{ doc }} {{question}}")
    assert "statements" in found.fault_of("{% endif %}{{ doc }}{% if doc %}{{question}}")


def test_among_other_braces_only_what_looks_like_a_field_must_be_known() -> None:
    found = template('As {"answer": "..."}: {question}', "question")
    assert found.fault_of('{question} gives {"a": {"b": [1]}}, {} or { x }') == ""
    assert "{context} is no field" in found.fault_of("{question} {context}")
    assert "is no field" in found.fault_of("{question} {question.__class__}")
    assert "{question} is missing" in found.fault_of('{"answer": "question"}')


@given(st.text(alphabet="{}!:[]. aq0>%#\"'", max_size=40))
def test_what_is_accepted_can_be_formatted_in_little_room(text: str) -> None:
    if template("{q}", "q").fault_of(text) == "":
        assert len(text.format(q="Q")) <= len(text)
        assert {name for _, name, _, _ in string.Formatter().parse(text) if name} == {"q"}


_HOSTILE = [
    *(part * (100_000 // len(part)) for part in ("{", "{{", "{a", "{% ", "{{{ ", "}", "{q[", "{a.b", "{a.a.", "{#")),
    "{q:" * 30_000 + "}" * 30_000,
    "{q" + ".a" * 50_000,
]


@pytest.mark.parametrize("default", ["{q}", "{{q}}", '{"a": 1} {q}'])
@pytest.mark.parametrize("text", _HOSTILE, ids=lambda text: text[:6])
def test_the_check_itself_is_bounded(default: str, text: str) -> None:
    begin = time.process_time()
    template(default, "q").fault_of(text)
    assert time.process_time() - begin < 2


def test_a_parameter_says_what_a_text_must_be_and_refuses_the_rest() -> None:
    spec = ParameterSpec("p", ParameterType.TEXT, "{q}", Constraint(placeholders=("q",), candidates=("to {q}",)))
    assert "containing {q}, braces beside fields doubled" in spec.describe_allowed()
    with pytest.raises(InvalidValue, match=r"'p': found '\{q\} \{a\.b\}' .*\{a\.b\} is no field"):
        spec.validate("{q} {a.b}")
    with pytest.raises(InvalidValue, match="is missing"):
        ParameterSpec("p", ParameterType.TEXT, "{q}", Constraint(placeholders=("q",), candidates=("none",)))
    with pytest.raises(InvalidValue, match="cannot be filled"):
        ParameterSpec("p", ParameterType.TEXT, "{q}", Constraint(placeholders=("q",), candidates=("{q} {",)))
