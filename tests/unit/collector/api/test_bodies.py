"""Bodies of requests: what is taken, and that what is not costs little."""

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.api.bodies import MOST_ITEM_BYTES, MOST_ITEMS, MOST_VALUES, parse, parse_each, split, tree_of
from collector.api.documents import FeedbackDocument, ParameterDocument, StudyDocument
from collector.api.messages import declaration_in, feedback_in
from collector.core.errors import InvalidRequest, TooLarge
from collector.otlp.fields import len_field
from otel_opto.v1 import feedback_pb2, parameter_pb2
from tests import samples

MEBIBYTE = 2**20
PARAMETER = {"key": "k", "type": "integer", "default": 1}
FEEDBACK = {"trace_id": samples.trace_id(1), "name": "q", "score": 0.5}


def listed(name: str, *items: object) -> bytes:
    return json.dumps({name: items}).encode()


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_of_a_decent_size_is_read(document: object) -> None:
    assert tree_of(json.dumps(document).encode()) == document
    assert tree_of(json.dumps(document, ensure_ascii=False).encode()) == document


def test_marks_in_texts_are_no_values() -> None:
    text = '[{,"' * MOST_VALUES
    assert tree_of(json.dumps([text, "\\", '\\"', text]).encode()) == [text, "\\", '\\"', text]


@pytest.mark.parametrize(
    "changed",
    [
        {"text": "cut \ud83d"}, {"name": "\udc00"}, {"attributes": {"\ud800": "x"}}, {"attributes": {"a": "\ud800"}},
        {"response_id": "\udfff"}, {"source": "\udc00\ud800"}, {"unknown": ["\ud800"]},
    ],
)  # fmt: skip
def test_half_a_surrogate_pair_is_refused_with_where_it_stands(changed: dict[str, object]) -> None:
    """It would be kept, and then nothing could be shown that it stands in."""
    with pytest.raises(InvalidRequest, match=r"found half a surrogate pair in '.*\\ud"):
        list(parse_each("feedback", FeedbackDocument, listed("feedback", FEEDBACK | changed)))


def test_whole_pairs_and_escapes_that_only_look_like_one_are_taken() -> None:
    document = {"text": "\U0001f600", "label": "\\ud800"}
    assert tree_of(json.dumps(document).encode()) == document


HOSTILE: dict[str, Callable[[], bytes]] = {
    "empty lists": lambda: b'{"parameters":[' + b"[]," * MEBIBYTE + b"1]}",
    "empty objects": lambda: b'{"parameters":[' + b"{}," * MEBIBYTE + b"1]}",
    "numbers": lambda: b'{"parameters":[' + b"1," * (2 * MEBIBYTE) + b"1]}",
    "deep": lambda: b"[" * (4 * MEBIBYTE),
    "keys": lambda: json.dumps({f"{n}": n for n in range(MOST_VALUES + 1)}).encode(),
    "unknown keys": lambda: json.dumps({f"{n}": n for n in range(MOST_VALUES - 1)}).encode(),
    "unknown keys of a parameter": lambda: listed("parameters", {f"{n}": n for n in range(MOST_VALUES - 9)}),
    "wrong candidates": lambda: listed("parameters", {**PARAMETER, "candidates": [1] * (MOST_VALUES - 20)}),
    "wrong parameters": lambda: listed("parameters", *[{}] * MOST_ITEMS),
    "too many parameters": lambda: listed("parameters", *[{}] * (MOST_ITEMS + 1)),
    "an endless text": lambda: b'{"parameters":"' + b"x" * (4 * MEBIBYTE),
    "quotes": lambda: b'"' * (4 * MEBIBYTE - 1),
    "backslashes": lambda: b'"' + b"\\" * (4 * MEBIBYTE - 1),
    "a long number": lambda: b'{"parameters":[' + b"9" * MEBIBYTE + b"]}",
    "no text": lambda: b'{"parameters":["\xff"]}',
    "another encoding": lambda: listed("parameters", PARAMETER).decode().encode("utf-16"),
    "nothing": lambda: b"",
    "a list": lambda: b"[]",
    "a text": lambda: b'"parameters"',
    "something beside": lambda: json.dumps({"parameters": [], "more": 1}).encode(),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_body_is_refused_in_few_words_and_at_once(name: str) -> None:
    body = HOSTILE[name]()
    begun = time.thread_time()
    with pytest.raises((InvalidRequest, TooLarge)) as refused:
        list(parse_each("parameters", ParameterDocument, body))
    assert time.thread_time() - begun < 5  # one of them took five minutes
    assert len(str(refused.value)) < 10_000


@pytest.mark.parametrize("key", ["optimizer_options", "feedback_filter", "labels", "parameters", "more"])
def test_a_hostile_study_is_refused_in_few_words_and_at_once(key: str) -> None:
    many = {f"{n}": [] for n in range(MOST_VALUES // 2 - 10)}
    body = json.dumps({"name": "n", "service": "s", "metric": "m", "batch_size": 0, key: many}).encode()
    begun = time.thread_time()
    with pytest.raises(InvalidRequest) as refused:
        parse(StudyDocument, body).study()
    assert time.thread_time() - begun < 5
    assert len(str(refused.value)) < 10_000


def test_every_fault_is_said_with_its_place_and_the_rest_counted() -> None:
    with pytest.raises(InvalidRequest) as refused:
        list(
            parse_each(
                "parameters", ParameterDocument, listed("parameters", {"key": 1}, PARAMETER, {**PARAMETER, "x": 2})
            )
        )
    said = str(refused.value)
    for part in ("parameters.0.key: ", "parameters.0.type: field required", "parameters.2.x: extra inputs", "found 2"):
        assert part in said


def test_what_is_sound_is_read() -> None:
    (spec,) = [
        document.spec() for document in parse_each("parameters", ParameterDocument, listed("parameters", PARAMETER))
    ]
    assert (spec.key, spec.default) == ("k", 1)
    (one,) = [
        document.feedback() for document in parse_each("feedback", FeedbackDocument, listed("feedback", FEEDBACK))
    ]
    assert (one.name, one.score) == ("q", 0.5)
    with pytest.raises(InvalidRequest, match=r"allowed are 1,000 at most"):
        list(
            parse_each(
                "feedback",
                FeedbackDocument,
                listed("feedback", {**FEEDBACK, "attributes": {f"{n}": "" for n in range(1_001)}}),
            )
        )


def declaration(*parameters: bytes) -> bytes:
    return len_field(1, b"shop") + b"".join(len_field(3, one) for one in parameters)


def test_a_declaration_is_read_an_item_at_a_time() -> None:
    parameter = parameter_pb2.ParameterSpec(key="k", type=1, default={"integer": 1})  # type: ignore[arg-type]
    body = parameter_pb2.DeclareParametersRequest(service="shop", instance_id="i", parameters=[parameter] * 2)
    service, specs = declaration_in(body.SerializeToString())
    assert (service, [spec.key for spec in specs]) == ("shop", ["k", "k"])
    request, items = split(type(body), "parameters", body.SerializeToString())
    assert (request.instance_id, len(items), len(request.parameters)) == ("i", 2, 0)


HOSTILE_MESSAGES: dict[str, Callable[[], bytes]] = {
    "empty parameters": lambda: declaration(*[b""] * (MOST_ITEMS + 1)),
    "parameters without a type": lambda: declaration(*[b""] * MOST_ITEMS),
    "one that is too large": lambda: declaration(b"x" * (MOST_ITEM_BYTES + 1)),
    "two million candidates": lambda: declaration(len_field(4, b"\x3a\x00" * (MOST_ITEM_BYTES // 2 - 10))),
    "unknown fields": lambda: b"\x28\x00" * (2 * MEBIBYTE),
    "a service of megabytes": lambda: len_field(1, b"x" * (3 * MEBIBYTE)),
    "half a field": lambda: b"\x1a\x7f",
    "no text": lambda: declaration(len_field(1, b"\xff")),
    "no message": lambda: b"\xff" * 100,
}


@pytest.mark.parametrize("name", HOSTILE_MESSAGES)
def test_a_hostile_message_is_refused_in_few_words_and_at_once(name: str) -> None:
    body = HOSTILE_MESSAGES[name]()
    begun = time.thread_time()
    with pytest.raises((InvalidRequest, TooLarge)) as refused:
        declaration_in(body)
    assert time.thread_time() - begun < 5
    assert len(str(refused.value)) < 10_000


def test_attributes_of_feedback_are_bounded_over_grpc_too() -> None:
    feedback = feedback_pb2.Feedback(trace_id=samples.trace_id(1), name="q", score=1.0)
    feedback.attributes.update({f"{n}": "" for n in range(1_001)})
    body = feedback_pb2.SubmitFeedbackRequest(feedback=[feedback]).SerializeToString()
    with pytest.raises(InvalidRequest, match=r"attributes: found 1,001, allowed are 1,000"):
        feedback_in(body)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e400"])
def test_a_number_that_no_store_could_write_again_is_refused_wherever_it_stands(number: str) -> None:
    for body in (f'{{"optimizer_options":{{"a":[{number}]}}}}', f'{{"feedback":[{{"score":{number}}}]}}', number):
        with pytest.raises(InvalidRequest, match="allowed are finite ones"):
            tree_of(body.encode())
