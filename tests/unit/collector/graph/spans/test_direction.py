"""Values of which a span does not say whether they went in or came out."""

from collector.core.graph import TraceGraph
from collector.core.span import AnyValue, Span
from tests.unit.collector.graph.workflows import flows, graph_of, span

LEASE = "rent 1240 EUR, deposit 3720 EUR, pets by consent only"
FOUND = "the rent is nine percent too high"


def step(number: int, begin: float, parent: int | None = 1, end: float | None = None, **carried: AnyValue) -> Span:
    """Attributes are written with ``__`` for a dot."""
    attributes = {key.replace("__", "."): value for key, value in carried.items()}
    return span(number, parent, f"step {number}", begin, begin + 0.5 if end is None else end, attributes)


def outputs(graph: TraceGraph) -> dict[int, AnyValue]:
    return {int(node.span_id, 16): node.value for node in graph.nodes if node.span_id and node.id.startswith("span:")}


def test_what_was_there_before_went_in_and_the_rest_came_out() -> None:
    graph = graph_of([
        step(1, 0, None, 9),
        step(2, 1, lease__document=LEASE, lease__clauses=["rent 1240 EUR", "deposit 3720 EUR"]),
        step(3, 2, check__clause="rent 1240 EUR", check__finding=FOUND),
        step(4, 3, report__first=FOUND, report__body="Dear tenant, you pay too much."),
        step(5, 4, mail__to="tenant@example.org", mail__body="Hello. Dear tenant, you pay too much. Yours"),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3), (3, 4), (4, 5)}
    said = outputs(graph)
    assert (said[3], said[4]) == (FOUND, "Dear tenant, you pay too much.")
    assert said[2] == ["rent 1240 EUR", "deposit 3720 EUR"]


def test_settings_and_what_the_caller_carries_flow_nowhere() -> None:
    common: dict[str, AnyValue] = {"tenant__plan": "seaview-hotels-gold", "wish": "three quiet nights by the sea"}
    steps = [step(number, number, **common, **{f"made__{number}": f"{number} things found"}) for number in (2, 3, 4, 5)]
    assert flows(graph_of([step(1, 0, None, 9, **common), *steps])) == set()
    assert flows(graph_of([step(1, 0, None, 9), *steps])) == set()


def test_a_result_that_is_found_twice_stays_a_result() -> None:
    graph = graph_of([
        step(1, 0, None, 9),
        span(2, 1, "family", 1, 2, {"plant": "Carex nigra", "family.found": "Cyperaceae"}),
        span(3, 1, "family", 3, 4, {"plant": "Carex flava", "family.found": "Cyperaceae"}),
        step(4, 5, label__of="Cyperaceae"),
    ])  # fmt: skip
    assert outputs(graph)[3] == "Cyperaceae"
    assert (2, 3) not in flows(graph)


def test_names_that_tell_are_believed() -> None:
    graph = graph_of([
        step(1, 0, None, 9, app__question="Is berth 7 free tonight?", app__answer="Yes, berth 7 is free tonight."),
        step(2, 1, app__query="Is berth 7 free tonight?", app__result="berth 7 free: yes, until noon"),
        step(3, 2, app__source="berth 7 free: yes, until noon", app__answer="Yes, berth 7 is free tonight."),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3)}
    assert graph.outputs[0].value == "Yes, berth 7 is free tonight."


def test_the_order_of_attributes_proves_nothing() -> None:
    spans = [
        step(1, 0, None, 9, a__request=LEASE),
        step(2, 1, lease__clauses=["rent 1240 EUR", "deposit 3720 EUR"], lease__document=LEASE),
        step(3, 2, check__clause="rent 1240 EUR", check__finding=FOUND),
    ]
    graph = graph_of(spans)
    assert flows(graph) == {(2, 3)}
    assert outputs(graph)[2] == ["rent 1240 EUR", "deposit 3720 EUR"]


def test_a_root_that_only_carries_what_it_was_given_has_its_last_step_s_output() -> None:
    steps = [step(2, 1, query__result="the slot is free"), step(3, 2, mail__reply="Your slot is booked.")]
    assert graph_of([step(1, 0, None, 9, episode=1180), *steps]).outputs[0].value == "Your slot is booked."
    graph = graph_of([step(1, 0, None, 9, subject="Your slot is booked. Bye."), *steps])
    assert graph.outputs[0].value == "Your slot is booked. Bye."


def test_beside_a_stated_output_everything_else_went_in() -> None:
    plan = "look the tide up, then compare it"
    spans = [
        span(1, None, "ask", 0, 9), span(2, 1, "plan", 1, 2, {"draft": "what is asked", "plan.result": plan}),
        span(3, 1, "search", 3, 4, {"wish": f"Follow: {plan}", "search.result": "5.9 m at springs"}),
        span(4, 1, "write", 5, 6, {"question": "what is asked"}),
    ]  # fmt: skip
    assert flows(graph_of(spans)) == {(2, 3)}


def test_values_of_which_none_is_known_to_have_gone_in_are_looked_at_all_the_same() -> None:
    plan = "look the tide up, then compare it"
    spans = [step(1, 0, None, 9), step(2, 1, draft=plan), step(3, 2, note=f"Done as it was said: {plan}")]
    assert flows(graph_of(spans)) == {(2, 3)}
