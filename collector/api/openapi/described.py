"""What is said of each endpoint of the API itself: its queries, its body and its answers."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from collector.access.described import JSON, Described, Query, json_of
from collector.api.archives import ArchiveDocument
from collector.api.discoveries import MOST_TRACES
from collector.api.documents import (
    AcknowledgementDocument,
    FeedbackDocument,
    ParameterDocument,
    SignatureDocument,
    StudyDocument,
)
from collector.api.drawing import MEDIA_TYPES, PARTS
from collector.api.openapi import answers, graph_answers, rollout_answers, study_answers
from collector.api.openapi.answers import page_of
from collector.api.pictures import FORMS, PICTURES
from collector.api.rollout_documents import ApprovalDocument, RolloutDocument, StepDocument, ValuesDocument
from collector.core.page import DEFAULT_ON_A_PAGE, MOST_ON_A_PAGE
from collector.core.study import Reach
from collector.render.published import GraphDocument
from collector.render.svg import MOST_NODES

_PAGE = (
    Query("limit", f"Items at most; 0 means {MOST_ON_A_PAGE:,}.", {"type": "integer", "minimum": 0}),
    Query("cursor", "The `next_cursor` of the page before."),
)
_TRUTH = {"type": "string", "enum": ["true", "false"], "default": "false"}
_REACH = Query("reach", "How far beyond the trace.", {"type": "string", "enum": [one.value for one in Reach]})
_PART = Query("part", "`minimal`: what leads from trainable parameters to the judged output.", {"enum": list(PARTS)})
_FOLD = Query("fold", "Whether siblings that flow into the same are one node.", _TRUTH)
_NEWEST = Query("newest", "Whether the newest come first.", _TRUTH)
_SERVICE = Query("service", "Only of this service.")


def _trials(otherwise: int) -> Query:
    bounds = {"type": "integer", "minimum": 0, "maximum": otherwise, "default": otherwise}
    return Query("trials", "How many trials the document begins with.", bounds)


def _text(media: str = "text/plain") -> Mapping[str, Any]:
    return {media: None}


_SERVICES: Mapping[str, Described] = {
    "GET /v1/services": Described(
        "The services, by name.", json_of(page_of("services", rollout_answers.Service)), _PAGE
    ),
    "GET /v1/services/{service}": Described("One service, known or not.", json_of(rollout_answers.Service)),
    "GET /v1/services/{service}/parameters": Described(
        "The parameters that a service has declared.", json_of(page_of("parameters", answers.Parameter)), _PAGE
    ),
    "PUT /v1/services/{service}/parameters": Described(
        "Declares parameters; what was declared before and is not named stays.",
        json_of(page_of("parameters", answers.Parameter)),
        body=ParameterDocument,
        listed="parameters",
        once=True,
    ),
    "GET /v1/services/{service}/discoveries": Described(
        "What looks like a prompt in the newest traces and was never declared.",
        json_of(graph_answers.DiscoveriesFound),
        (Query("traces", "How many are looked at.", {"type": "integer", "minimum": 0, "maximum": MOST_TRACES}),),
    ),
    "GET /v1/services/{service}/status": Described("What a service waits for.", json_of(answers.Standing)),
    "GET /v1/services/{service}/release": Described(
        "The values to apply, with an ETag; 304 where `If-None-Match` names it.",
        json_of(answers.Values),
        (Query("targeting_key", "Whose arm is wanted: a user, a session; else the control's values."),),
    ),
    "GET /v1/services/{service}/assignment": Described("Who gets which release.", json_of(answers.Assignment)),
    "POST /v1/services/{service}/releases": Described(
        "Makes a release of values, for a rollout to bring to users.",
        json_of(answers.Release),
        body=ValuesDocument,
        status=HTTPStatus.CREATED,
        once=True,
    ),
}
_RELEASES: Mapping[str, Described] = {
    "GET /v1/releases": Described(
        "Releases, newest first.", json_of(page_of("releases", answers.Release)), (_SERVICE, *_PAGE)
    ),
    "GET /v1/releases/{number}": Described("One release.", json_of(answers.Release)),
    "GET /v1/releases/{number}/acknowledgements": Described(
        "What instances said of a release.", json_of(page_of("acknowledgements", answers.Acknowledgement)), _PAGE
    ),
    "POST /v1/releases/{number}/acknowledgements": Described(
        "An application's word on a release.", body=AcknowledgementDocument, status=HTTPStatus.NO_CONTENT
    ),
    "GET /v1/releases/{before}/diff/{number}": Described(
        "What is different between two releases.", json_of(answers.Diff)
    ),
    "POST /v1/releases/{number}/rollback": Described(
        "Puts the values of a release in force again, as a new one, for everybody at once.",
        json_of(answers.RolledBack),
        status=HTTPStatus.CREATED,
        once=True,
    ),
    "POST /v1/releases/{number}/signature": Described(
        "Signs a release (docs/signing.md).", json_of(answers.Nothing), body=SignatureDocument, once=True
    ),
}
_TELEMETRY: Mapping[str, Described] = {
    "GET /readyz": Described("Whether data is accepted; 503 where it is not.", _text()),
    "GET /healthz": Described("Whether the process is alive.", _text()),
    "GET /metrics": Described("Counters and measures, for Prometheus.", _text()),
    "GET /v1/stats": Described("How much is stored, what was counted.", json_of(answers.Stats)),
    "GET /v1/doctor": Described("What is wrong, each with its cure.", json_of(answers.Findings)),
    "GET /v1/traces": Described("Traces, newest first.", json_of(page_of("traces", answers.Trace)), _PAGE),
    "GET /v1/traces/{trace_id}/graph": Described(
        "What flowed into what, in one of several forms.",
        {**dict.fromkeys(MEDIA_TYPES.values()), JSON: GraphDocument | graph_answers.TraceGraphJson},
        (
            Query("format", "The form; `json` and `tgj` are JSON.", {"enum": list(MEDIA_TYPES), "default": "json"}),
            _REACH,
            _PART,
            _FOLD,
            Query("most", "Nodes in a picture.", {"type": "integer", "minimum": 0, "maximum": MOST_NODES}),
            Query("links", "Whether nodes of a picture lead to `?node=ID`.", _TRUTH),
        ),
    ),
    "GET /v1/traces/{trace_id}/nodes": Described(
        "A page of a graph's nodes, each value in a few words.",
        json_of(graph_answers.NodesPage),
        (_REACH, _PART, _FOLD, *_PAGE),
    ),
    "GET /v1/traces/{trace_id}/nodes/{node}": Described(
        "The graph of one node and its neighbours.", json_of(GraphDocument), (_REACH,)
    ),
    "GET /v1/traces/{trace_id}/spans/{span_id}/explanation": Described(
        "What was read of a span, from which key by which convention, and which rule made its edges.",
        {**_text(), JSON: graph_answers.Explanation},
        (Query("format", "The form.", {"enum": ["json", "text"], "default": "json"}), _REACH),
    ),
    "GET /v1/feedback": Described(
        "Feedback, newest first.",
        json_of(page_of("feedback", answers.StoredFeedback)),
        (Query("trace_id", "Only of this trace."), *_PAGE),
    ),
    "POST /v1/feedback": Described(
        "Takes feedback; the same content is kept once.",
        json_of(answers.Ids),
        body=FeedbackDocument,
        listed="feedback",
        status=HTTPStatus.CREATED,
    ),
}
_ONE_STUDY = json_of(study_answers.StudyReport)
_STUDIES: Mapping[str, Described] = {
    "GET /v1/studies": Described(
        "Studies, in the order of their creation.",
        json_of(page_of("studies", study_answers.StudyReport)),
        (_trials(DEFAULT_ON_A_PAGE), *_PAGE),
    ),
    "POST /v1/studies": Described(
        "Begins a study.", _ONE_STUDY, body=StudyDocument, status=HTTPStatus.CREATED, once=True
    ),
    "POST /v1/archives": Described(
        "Takes in a study that was measured elsewhere: all of its events. It has ended, and its releases, of another "
        "collector, have the number 0. 201: it is new here; 200: the same was here already.",
        json_of(study_answers.Taken),
        body=ArchiveDocument,
        status=HTTPStatus.CREATED,
    ),
    "GET /v1/studies/{name}": Described("A study and its history.", _ONE_STUDY, (_trials(MOST_ON_A_PAGE),)),
    "GET /v1/studies/{name}/trials": Described(
        "Its trials.", json_of(page_of("trials", study_answers.Trial)), (_NEWEST, *_PAGE)
    ),
    "GET /v1/studies/{name}/trials/{number}": Described("One trial.", json_of(study_answers.Trial)),
    "GET /v1/studies/{name}/rejected": Described(
        "Proposals that failed validation.", json_of(page_of("rejected", study_answers.Rejected)), (_NEWEST, *_PAGE)
    ),
    "GET /v1/studies/{name}/pictures/{picture}": Described(
        f"A picture, or the figures behind it: {', '.join(f'`{one}`' for one in PICTURES)}.",
        {FORMS["svg"]: None, JSON: dict[str, Any]},
        (Query("format", "The form.", {"enum": list(FORMS), "default": "svg"}),),
    ),
    "POST /v1/studies/{name}/stop": Described("Ends a study.", _ONE_STUDY, once=True),
}


def _step(says: str) -> Described:
    return Described(says, json_of(rollout_answers.RolloutStanding), body=StepDocument, once=True)


_ROLLOUTS: Mapping[str, Described] = {
    "GET /v1/rollouts": Described(
        "Rollouts, by name.", json_of(page_of("rollouts", rollout_answers.RolloutStanding)), (_SERVICE, *_PAGE)
    ),
    "GET /v1/rollouts/{name}": Described("A rollout and its evidence.", json_of(rollout_answers.RolloutEvidence)),
    "PUT /v1/rollouts/{name}": Described(
        "Begins a rollout.", json_of(rollout_answers.RolloutStanding), body=RolloutDocument, once=True
    ),
    "POST /v1/rollouts/{name}/approve": Described(
        "A person's word for this very content.",
        json_of(rollout_answers.RolloutStanding),
        body=ApprovalDocument,
        once=True,
    ),
    "POST /v1/rollouts/{name}/pause": _step("Takes the arm off the traffic for a while."),
    "POST /v1/rollouts/{name}/abort": _step("Takes the arm off the traffic for good."),
    "POST /v1/rollouts/{name}/resume": _step("Goes on with what was paused."),
    "POST /v1/rollouts/{name}/promote": _step("Gives the release to everybody, by a person's word."),
    "GET /v1/audit": Described(
        "The ledger, newest first.",
        json_of(page_of("events", answers.Event)),
        (Query("stream", "Only of this stream."), _SERVICE, *_PAGE),
    ),
}
DESCRIBED: Mapping[str, Described] = {**_TELEMETRY, **_SERVICES, **_RELEASES, **_STUDIES, **_ROLLOUTS}
"""By method and path."""
