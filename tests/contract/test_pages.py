"""Lists of a store a page at a time, on every implementation: whole, in order, and undisturbed by what comes in."""

import base64
import json
from collections.abc import Awaitable, Callable

import pytest

from collector.core import page as pages
from collector.core.errors import InvalidRequest
from collector.core.feedback import Feedback, FeedbackState
from collector.core.page import Page, PageRequest, every
from collector.core.protocols import Store
from collector.core.release import Acknowledgement, ReleaseStatus
from collector.core.span import SpanContext
from collector.otlp.request import read_traces
from otel_opto.spec import ParameterSpec, ParameterType
from tests import samples

COUNT = 23
Fetch = Callable[[PageRequest], Awaitable[Page[object]]]


async def append(store: Store, *spans: object) -> None:
    await store.log.append(read_traces(samples.traces_request(spans), 1).request)  # type: ignore[arg-type]


async def walked(fetch: Fetch, limit: int) -> tuple[list[object], int]:
    """All items, and in how many pages they came."""
    page, count = await fetch(PageRequest(limit)), 1
    items = [*page.items]
    while page.next_cursor:
        assert len(page.items) <= limit
        page, count = await fetch(PageRequest(limit, page.next_cursor)), count + 1
        items += page.items
    return items, count


async def filled(store: Store) -> dict[str, Fetch]:
    """A store with so many of each, and the lists of it."""
    for number in range(1, COUNT + 1):
        await append(store, samples.span(number, 1))
        target = SpanContext(samples.trace_id(number % 2 + 1), samples.span_id(1))
        await store.feedback.submit([Feedback(target, "q", score=number / 100, time_unix_nano=5)], number)
        await store.acknowledgements.acknowledge(
            Acknowledgement("shop", f"i{number:02}", 1, ReleaseStatus.APPLIED, "", number)
        )
    await store.acknowledgements.acknowledge(Acknowledgement("", "", 1, ReleaseStatus.APPLIED, "", 1))
    await store.parameters.declare("shop", [ParameterSpec(f"k{n:02}", ParameterType.INTEGER, n) for n in range(COUNT)])
    return {
        "traces": store.search.traces,
        "feedback": store.feedback.listed,
        "feedback of a trace": lambda page: store.feedback.listed(page, trace_id=samples.trace_id(1)),
        "waiting feedback": lambda page: store.feedback.listed(page, states=[FeedbackState.WAITING]),
        "acknowledgements": lambda page: store.acknowledgements.of(1, page),
        "parameters": lambda page: store.parameters.declared("shop", page),
    }


async def test_the_pages_of_a_list_are_the_list(store: Store) -> None:
    for name, fetch in (await filled(store)).items():
        whole = [*(await fetch(PageRequest(1_000))).items]
        assert len(whole) == {"feedback of a trace": COUNT // 2, "acknowledgements": COUNT + 1}.get(name, COUNT), name
        for limit in (1, 2, 7, len(whole), len(whole) + 1):
            items, count = await walked(fetch, limit)
            assert items == whole, (name, limit)
            assert count == -(-len(whole) // limit), (name, limit)
        assert [item async for item in every(fetch)] == whole


async def test_what_comes_in_between_shifts_nothing(store: Store) -> None:
    for name, fetch in (await filled(store)).items():
        whole = [*(await fetch(PageRequest(1_000))).items]
        first = await fetch(PageRequest(5))
        await append(store, samples.span(500, 1), samples.span(3, 9, 1))  # one new trace, and an old one once more
        target = SpanContext(samples.trace_id(1), samples.span_id(1))
        await store.feedback.submit([Feedback(target, "q", score=1.0, text=name, time_unix_nano=6)], 99)
        await store.acknowledgements.acknowledge(Acknowledgement("another", "i", 1, ReleaseStatus.APPLIED, "", 9))
        await store.parameters.declare("shop", [ParameterSpec(f"a.{name.replace(' ', '.')}", ParameterType.INTEGER, 1)])
        rest, cursor = list(first.items), first.next_cursor
        while cursor:
            page = await fetch(PageRequest(5, cursor))
            rest, cursor = rest + list(page.items), page.next_cursor
        if name == "traces":  # of the trace that was touched again there is one span more
            assert [one.trace_id for one in rest] == [one.trace_id for one in whole]  # type: ignore[attr-defined]
        else:
            assert rest == whole, name


async def test_the_longest_names_have_cursors(store: Store) -> None:
    for last in "abc":
        long = Acknowledgement("木" * 1_000, "é" * 999 + last, 1, ReleaseStatus.FAILED, "x" * 10_000, 1)
        await store.acknowledgements.acknowledge(long)
    items, count = await walked(lambda page: store.acknowledgements.of(1, page), 1)
    assert (len(items), count) == (3, 3)


async def test_traces_of_one_request_go_on_within_it(store: Store) -> None:
    await append(store, *(samples.span(number, 1) for number in range(1, 31)))
    await append(store, samples.span(40, 1), samples.span(7, 2, 1))
    await append(store, samples.span(40, 2, 1))
    numbers = [40, 7, *(n for n in range(1, 31) if n != 7)]
    for limit in (1, 3, 29, 30, 31):
        items, _ = await walked(store.search.traces, limit)
        assert [one.trace_id for one in items] == [samples.trace_id(n) for n in numbers]  # type: ignore[attr-defined]


async def test_a_page_ends_where_it_is_large(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_PAGE_BYTES", 10_000)
    target = SpanContext(samples.trace_id(1), samples.span_id(1))
    texts = [Feedback(target, "q", text=f"{n}" * 3_000, time_unix_nano=5) for n in range(9)]
    await store.feedback.submit([*texts, Feedback(target, "q", text="x" * 50_000, time_unix_nano=5)], 1)
    page = await store.feedback.listed(PageRequest(1_000))
    assert [len(one.feedback.text) for one in page.items] == [50_000]
    items, count = await walked(store.feedback.listed, 1_000)
    assert (len(items), count) == (10, 4)


def forged(*content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


async def test_what_is_no_cursor_is_said(store: Store) -> None:
    lists = await filled(store)
    other = (await store.parameters.declared("shop", PageRequest(1))).next_cursor
    bad = [
        "nonsense", "%", "é", "a", "=" * 4, "A" * 20_000, forged(), forged("traces"), forged("feedback", -1),
        forged("feedback", 2**70), forged("feedback", 1.5), forged("feedback", True), forged("feedback", "1"),
        forged("traces", 1, 1), forged("parameters", 7), forged("parameters", "\ud800"), forged(*"[" * 50),
        base64.urlsafe_b64encode(b"[" * 3_000).decode(),
    ]  # fmt: skip
    for name, fetch in lists.items():
        for cursor in [*bad, *([] if name == "parameters" else [other])]:
            with pytest.raises(InvalidRequest, match="cursor: found"):
                await fetch(PageRequest(5, cursor))
