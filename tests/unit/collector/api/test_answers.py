"""Answers are the JSON of their document, whatever its shape."""

import json

from hypothesis import given
from hypothesis import strategies as st

from collector.api.answers import answer

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(DOCUMENTS)
async def test_an_answer_is_its_document(document: object) -> None:
    said = await answer(lambda: document)
    assert json.loads(bytes(said.body)) == document
    assert bytes(said.body).decode() == json.dumps(document, ensure_ascii=False, separators=(",", ":"))
