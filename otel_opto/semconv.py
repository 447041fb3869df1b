"""Every attribute, event and baggage key that otel-opto writes or reads, once.

Names under ``opto.`` are this project's own; the others belong to OpenTelemetry's semantic conventions
(general v1.44.0, GenAI v0.1.0) and to the instrumentations named beside them.
"""

from typing import Final

# --- what is in force -------------------------------------------------------------------------------------------

RELEASE: Final = "opto.release"
"""Span attribute (int): the number of the release of its service that the trace runs with. In baggage one entry for
each service, ``opto.release.<service>`` (percent-encoded): the same for the next span of that service."""

ASSIGNMENT: Final = "opto.assignment"
"""Attribute (int) of the span with which a trace enters a service: the revision of the assignment that chose."""

UNIT: Final = "opto.unit"
"""Attribute (16 hex digits) of such a span, and baggage entry: who it was chosen for, a digest of the targeting key."""

STUDY: Final = "opto.study"
"""Span attribute: the study that the collector called a language model for, on the span of that call."""

PARAM_PREFIX: Final = "opto.param."
"""Prefix of the three attributes of a parameter's use; the key follows, then one of the suffixes below."""

PARAM_VERSION_SUFFIX: Final = ".version"
"""``opto.param.<key>.version`` (int): the release that brought the value; the collector knows the value."""

PARAM_HASH_SUFFIX: Final = ".hash"
"""``opto.param.<key>.hash`` (16 hex digits): of the value, see :func:`otel_opto.spec.value_hash`."""

PARAM_VALUE_SUFFIX: Final = ".value"
"""``opto.param.<key>.value``: the value itself, where it comes from the code and not from a release."""

# --- dataflow ---------------------------------------------------------------------------------------------------

INPUT_PREFIX: Final = "opto.input."
"""``opto.input.<name>`` (JSON text): an input of the operation."""

OUTPUT: Final = "opto.output"
"""Span attribute (JSON text): the output of the operation."""

ARG: Final = "opto.arg"
"""Link attribute: the name of the input that the linked span's output became."""

ARG_PREFIX: Final = "opto.arg."
ARG_FROM_SUFFIX: Final = ".from"
"""``opto.arg.<name>.from`` (16 hex digits): the same as the link, for readers that lose link attributes."""

NODE_NAME: Final = "opto.node.name"
"""Span attribute: the operation's name in the graph, where it is not the span's."""

NODE_DESCRIPTION: Final = "opto.node.description"
"""Span attribute: what the operation does, in words: of a function the first paragraph of its docstring, cut to 300
characters."""

TRUNCATED: Final = "opto.truncated"
"""Span attribute (bool): an input or the output was longer than the limit and has been cut."""

CODE_FUNCTION_NAME: Final = "code.function.name"
CODE_FILE_PATH: Final = "code.file.path"
CODE_LINE_NUMBER: Final = "code.line.number"

# --- feedback ---------------------------------------------------------------------------------------------------

EVALUATION_EVENT: Final = "gen_ai.evaluation.result"
"""Name of the log event (or span event) that carries feedback."""

EVALUATION_NAME: Final = "gen_ai.evaluation.name"
EVALUATION_SCORE: Final = "gen_ai.evaluation.score.value"
EVALUATION_LABEL: Final = "gen_ai.evaluation.score.label"
EVALUATION_EXPLANATION: Final = "gen_ai.evaluation.explanation"

RESPONSE_ID: Final = "gen_ai.response.id"
"""Names an answer of a model: on the span of the call, and on feedback that knows no more of it."""

JUDGED_KEY: Final = "opto.judged.key"
"""Of feedback: an attribute that names what is judged, for example ``session.id``; then it is the root of the newest
trace with a span that has it."""

JUDGED_VALUE: Final = "opto.judged.value"
"""Of feedback: the value of that attribute, as text."""

SESSION_ID: Final = "session.id"
CONVERSATION_ID: Final = "gen_ai.conversation.id"
"""On feedback that names no span and no answer: this one and ``session.id`` name what is judged, likewise."""

FEEDBACK_PREFIX: Final = "opto.feedback."
"""Further attributes of feedback; a study's filter names them without the prefix."""

FEEDBACK_SOURCE: Final = "opto.feedback.source"
"""Who says so: ``evaluator``, ``user``, …"""

# --- exceptions -------------------------------------------------------------------------------------------------

EXCEPTION_EVENT: Final = "exception"
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"
EXCEPTION_ESCAPED: Final = "exception.escaped"

CODE_FAILURE: Final = "opto.code.failure"
"""Span attribute: released code failed in this operation; the output, if there is one, is the declared function's. The
lines of the source around the one that failed, numbered, with the exception; its stack is in the event."""

# --- resource ---------------------------------------------------------------------------------------------------

SERVICE_NAME: Final = "service.name"
SERVICE_INSTANCE_ID: Final = "service.instance.id"
