"""Traces: searched, one as a graph of what flowed into what, and why the graph says it of a span."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from collector.core.errors import InvalidRequest
from collector.core.times import LATEST
from collector.ui import formats
from collector.ui.asking import path_of
from collector.ui.pages import cells
from collector.ui.shell import Look, Page
from collector.ui.tables import Cell, Table
from otel_opto import semconv

MOST_NODES = 200
"""In a picture; the list has all."""

_ON_A_PAGE = 50
_TRACES = 25
"""Each is read whole to be summed up, which takes one or two milliseconds of the processor."""

_FILTERS = ("service", "operation", "release", "metric", "lowest", "highest", "attribute", "since", "until")
_COLUMNS = ("trace", "began", "root", "services", "took", "spans", "errors")


async def traces(look: Look) -> Page:
    """``/traces``: the newest, or those that meet what was asked."""
    given = {name: look.asked(name).strip() for name in _FILTERS}
    if any(given.values()):
        found = await look.get("/api/v3/trace-summaries", **_query(given))
        rows = tuple(_found(one) for one in found["summaries"])
        note = f"The newest {_TRACES} that meet it; narrow the times for older ones." if len(rows) == _TRACES else ""
        table = Table("traces", "Traces that meet it", _COLUMNS, rows, empty="None does.", note=note)
    else:
        page = await look.get("/v1/traces", limit=_TRACES, cursor=look.asked("traces"))
        rows = tuple(_listed(one) for one in page["traces"])
        following = look.following("traces", page.get("next_cursor"))
        table = Table("traces", "Traces, the newest first", _COLUMNS, rows, following, note=page.get("message", ""))
    return Page("traces.html", "Traces", {"given": given}, (table,))


def _query(given: Mapping[str, str]) -> Mapping[str, str]:
    """The search of Jaeger's API that says it.

    Raises:
        InvalidRequest: an attribute without a value, a score that is no number, or one of no metric.
    """
    for name in ("lowest", "highest"):
        if given[name] and not _is_number(given[name]):
            raise InvalidRequest(f"{name}: found {given[name][:80]!r}, allowed is a number, such as 0.5")
    attributes: dict[str, str] = {}
    if given["release"]:
        attributes[semconv.RELEASE] = given["release"]
    if given["attribute"]:
        key, sign, value = given["attribute"].partition("=")
        if not sign:
            raise InvalidRequest(f"attribute: found {key[:80]!r}, allowed is KEY=VALUE")
        attributes[key.strip()] = value.strip()
    if given["lowest"] or given["highest"]:
        if not given["metric"]:
            raise InvalidRequest("metric: found none; scores belong to one, such as quality")
        lowest, highest = given["lowest"], given["highest"]
        wanted = f"{lowest}..{highest}" if lowest and highest else f">={lowest}" if lowest else f"<={highest}"
        attributes[semconv.FEEDBACK_PREFIX + given["metric"]] = wanted
    elif given["metric"]:
        attributes[semconv.EVALUATION_NAME] = given["metric"]
    return {
        "query.serviceName": given["service"],
        "query.operationName": given["operation"],
        "query.attributes": json.dumps(attributes) if attributes else "",
        "query.startTimeMin": _time(given["since"]) or "1970-01-01T00:00:00Z",
        "query.startTimeMax": _time(given["until"]) or formats.iso(LATEST),
        "query.searchDepth": str(_TRACES),
    }


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _time(text: str) -> str:
    """As an input for times has it (``2026-11-30T08:15``, meant in UTC), in RFC 3339."""
    return text if not text or text.endswith("Z") else f"{text}:00Z" if len(text) == 16 else f"{text}Z"


def _listed(one: Mapping[str, Any]) -> tuple[Cell, ...]:
    errors = one["error_count"]
    return (
        cells.trace(one["trace_id"]),
        cells.time(one["start_time_unix_nano"]),
        Cell(one["root_name"] or "–"),
        Cell(", ".join(one["services"])),
        Cell(formats.took(one["duration_nano"]), mark="number", value=one["duration_nano"] / 1e9),
        cells.number(one["span_count"]),
        Cell(formats.number(errors), mark="number bad" if errors else "number", value=errors),
    )


def _found(one: Mapping[str, Any]) -> tuple[Cell, ...]:
    begin, end = int(one["minStartTimeUnixNano"]), int(one["maxEndTimeUnixNano"])
    return _listed(
        {
            "trace_id": one["traceId"],
            "start_time_unix_nano": begin,
            "root_name": one["rootOperationName"],
            "services": [service["name"] for service in one["services"]],
            "duration_nano": end - begin,
            "span_count": one["spanCount"],
            "error_count": one["errorSpanCount"],
        }
    )


async def trace(look: Look) -> Page:
    """``/traces/{trace_id}``: the minimal subgraph, the whole on demand, many alike as one, a node in detail."""
    trace_id = look.request.path_params["trace_id"]
    part = look.asked("part") or "minimal"
    reach = look.asked("reach") or "trace"
    wanted = {"part": part, "reach": reach, "fold": look.asked("fold") or "true"}
    nodes = await look.get(
        path_of("/v1/traces/{}/nodes", trace_id), limit=_ON_A_PAGE, cursor=look.asked("nodes"), **wanted
    )
    graph = path_of("/v1/traces/{}/graph", trace_id)
    picture = await look.text(graph, format="svg", most=MOST_NODES, links="true", **wanted)
    node = look.asked("node")
    described = await look.get(path_of("/v1/traces/{}/nodes/{}", trace_id, node), reach=reach) if node else None
    shows = {
        "trace_id": nodes["trace_id"],
        "graph": nodes,
        "picture": Markup(picture),  # noqa: S704 - made of elements and texts, never of text alone
        "svg": graph,
        "wanted": wanted,
        "node": described,
        "most": MOST_NODES,
        "jump": lambda node_id: look.with_query(node=node_id),
    }
    return Page(
        "trace.html",
        f"Trace {nodes['trace_id']}",
        shows,
        (_nodes(look, nodes), _rules(nodes), _judgements(nodes), _gaps(nodes)),
    )


def _nodes(look: Look, graph: Mapping[str, Any]) -> Table:
    versions = {one["node"]: one for one in graph["parameters"]}
    failed = {one["span_id"]: one for one in graph["exceptions"]}
    rows = []
    for node in graph["nodes"]:
        error = failed.get(node["span_id"]) if node["kind"] == "operation" else None
        version = versions.get(node["id"])
        brought = "" if version is None else "code" if version["version"] is None else f"release {version['version']}"
        said = f"{error['type']}: {error['message']}" if error else formats.brief(node["value"], 200)
        rows.append(
            (
                Cell(node["name"], look.with_query(node=node["id"]) + "#node"),
                Cell(node["kind"] + (" (cut)" if node["incomplete"] else "")),
                Cell(node["service"] or "–"),
                Cell(brought or "–"),
                Cell(said, mark="bad" if error else ""),
            )
        )
    columns = ("node", "kind", "service", "from", "value")
    return Table("nodes", "Nodes", columns, tuple(rows), look.following("nodes", graph.get("next_cursor")))


def _rules(graph: Mapping[str, Any]) -> Table:
    """The legend of edges: what they look like says their origin, how faint they are how certain they are."""
    rows = tuple(
        (
            Cell(one["origin"]),
            Cell(one["rule"] or "–"),
            cells.number(one["edges"]),
            cells.share(one["confidence"]),
            Cell(one["why"] or "–"),
        )
        for one in graph["rules"]
    )
    columns = ("origin", "rule", "edges", "sure on average", "why there is one")
    note = "In the picture an edge is the fainter the less certain it is." if rows else ""
    return Table("rules", "How its edges were found", columns, rows, empty="It has no edges.", note=note)


def _judgements(graph: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            Cell(one["name"]),
            cells.number(one["score"]),
            Cell(one["label"] or "–"),
            Cell(formats.brief(one["text"] or "–", 400)),
            Cell(one["source"] or "–"),
            cells.time(one["time_unix_nano"]),
        )
        for one in graph["feedback"]
    )
    columns = ("metric", "score", "label", "text", "source", "when")
    return Table("feedback", "Feedback on what is listed", columns, rows, empty="There is none.")


def _gaps(graph: Mapping[str, Any]) -> Table:
    rows = tuple(
        (Cell(one["kind"].replace("_", " ")), Cell(one["span_id"], mark="id"), Cell(one["detail"]))
        for one in graph["gaps"]
    )
    return Table("gaps", "What is missing", ("what", "span", "detail"), rows, empty="Nothing.")


async def span(look: Look) -> Page:
    """``/traces/{trace_id}/spans/{span_id}``: what was read of it from which key, and the rules of its node's edges."""
    trace_id, span_id = look.request.path_params["trace_id"], look.request.path_params["span_id"]
    reach = look.asked("reach") or "trace"
    path = path_of("/v1/traces/{}/spans/{}/explanation", trace_id, span_id)
    found = await look.get(path, reach=reach)
    graph = f"{path_of('/traces/{}', trace_id)}?part=whole&reach={cells.quoted(reach)}"

    def jump(node: str) -> str:
        return f"{graph}&node={cells.quoted(node)}#node"

    shows = {
        "found": found,
        "merged": found["node"] != f"span:{found['span_id']}",
        "trace": graph,
        "jump": jump,
        "document": f"{path}?reach={cells.quoted(reach)}",
    }
    return Page("span.html", f"Span {found['span_id']}", shows, (_statements(found), _reasons(found, jump)))


def _statements(found: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            Cell(one["fact"]),
            Cell(formats.brief(one["value"], 400)),
            Cell(", ".join(one["keys"]) or "–"),
            Cell(one["convention"] or "–"),
        )
        for one in found["statements"]
    )
    columns = ("what", "value", "from the keys", "by the convention")
    return Table("statements", "What was read of it", columns, rows, empty="Nothing: no convention knows its keys.")


def _reasons(found: Mapping[str, Any], jump: Callable[[str], str]) -> Table:
    """Edges of the span's node: into it, then out of it."""
    rows = []
    for one in found["edges"]:
        into = one["target"] == found["node"]
        other, other_name = (one["source"], one["source_name"]) if into else (one["target"], one["target_name"])
        rows.append(
            (
                Cell("into it" if into else "out of it"),
                Cell(other_name, jump(other)),
                Cell(one["argument"] or "–"),
                Cell(one["origin"]),
                cells.share(one["confidence"]),
                Cell(one["rule"] or "–"),
                Cell(one["reason"] or "–"),
                Cell((one["why"] if one["why"] != one["reason"] else "") or "–"),
            )
        )
    columns = ("flows", "from or to", "as", "origin", "sure", "rule", "reason", "why the rule is believed")
    return Table("edges", "Its edges", columns, tuple(rows), empty="It has none.")
