"""The SDK of otel-opto: trainable parameters, nodes and feedback for an instrumented application.

    import otel_opto

    otel_opto.configure(service_name="qa")
    top_k = otel_opto.parameter("retriever.top_k", default=3, minimum=1, maximum=10)

It lives in somebody else's process: apart from a parameter whose declaration contradicts itself, nothing here raises,
nothing blocks, and without a collector everything goes on with the code's own values.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from otel_opto.checks import Check, refusal
from otel_opto.code.trainable import Trainable, code_of
from otel_opto.executors import ContextThreadPoolExecutor, carried
from otel_opto.json_parameter import JsonParameter, check_of, schema_text, written
from otel_opto.node import Node
from otel_opto.parameter import Parameter, Resolved, T, spec_of
from otel_opto.process.status import Status
from otel_opto.setup import Sdk
from otel_opto.spec import Constraint, InvalidValue, ParameterType, texts_of

if TYPE_CHECKING:  # what training adds, see the end
    from otel_opto_train import OPRO as OPRO
    from otel_opto_train import Example as Example
    from otel_opto_train import InvalidDataset as InvalidDataset
    from otel_opto_train import InvalidJudgement as InvalidJudgement
    from otel_opto_train import Judgement as Judgement
    from otel_opto_train import NothingJudged as NothingJudged
    from otel_opto_train import Objective as Objective
    from otel_opto_train import Optimizer as Optimizer
    from otel_opto_train import OptoPrime as OptoPrime
    from otel_opto_train import Past as Past
    from otel_opto_train import Problem as Problem
    from otel_opto_train import Report as Report
    from otel_opto_train import Run as Run
    from otel_opto_train import Search as Search
    from otel_opto_train import Step as Step
    from otel_opto_train import TextGrad as TextGrad
    from otel_opto_train import TraceOracle as TraceOracle
    from otel_opto_train import TrainingError as TrainingError
    from otel_opto_train import always as always
    from otel_opto_train import better as better
    from otel_opto_train import stored_examples as stored_examples
    from otel_opto_train import train as train

__all__ = [
    "ContextThreadPoolExecutor",
    "InvalidValue",
    "Node",
    "Parameter",
    "Resolved",
    "Status",
    "Trainable",
    "carried",
    "code_of",
    "configure",
    "feedback",
    "handle",
    "node",
    "parameter",
    "shutdown",
    "start_node",
    "status",
    "targeting_key",
]

# One instance for the process, as OpenTelemetry has one global provider; everything it holds is in the object.
_sdk = Sdk()

configure = _sdk.configure
shutdown = _sdk.shutdown
feedback = _sdk.feedback
handle = _sdk.handle
status = _sdk.status
start_node = _sdk.start_node
targeting_key = _sdk.pins.targeting
node = _sdk.nodes.decorate


def parameter(  # noqa: PLR0913 - the constraints of all types, each by its name
    key: str,
    default: T,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: Sequence[str] | None = None,
    max_length: int | None = None,
    placeholders: Sequence[str] = (),
    pattern: str | None = None,
    candidates: Sequence[T] = (),
    schema: object = None,
    constraint: Check | None = None,
    description: str = "",
    trainable: bool = True,
) -> Parameter[T]:
    """Declares a trainable parameter; its type follows from the default, a choice from `choices`.

    Args:
        key: Unique in the service: letters, digits, ``.``, ``_``, ``-``.
        default: In force while nothing is released; must satisfy the constraints.
        minimum: Of a number, inclusive. A search needs both bounds.
        maximum: Of a number, inclusive.
        choices: The values that a choice can have, one at least; None: it is none.
        max_length: Of a text, in characters.
        placeholders: Names that a text must hold in braces.
        pattern: A regular expression of RE2 that a text must match as a whole (needs the extra ``pattern``).
        candidates: Variants of a text, a list or an object, for optimizers that choose and do not write.
        schema: Of a list or an object: a JSON Schema as a dictionary, a pydantic model or a ``TypeAdapter`` (needs the
            extra ``schema``).
        constraint: Called with each new value before it is applied; it refuses by raising, by False, or by a text that
            says why, and then nothing of the release is applied.
        description: For people, and for optimizers that read.
        trainable: False: released values apply, but no study changes it.

    Raises:
        InvalidValue: the declaration contradicts itself; a fault of the code, said where it is.
    """
    limits = Constraint(
        minimum=minimum,
        maximum=maximum,
        choices=() if choices is None else texts_of(key, "choices", choices, least=1),
        max_length=max_length,
        placeholders=texts_of(key, "placeholders", placeholders),
        pattern=pattern,
        candidates=tuple(written(key, one) for one in candidates),
        json_schema=None if schema is None else schema_text(key, schema),
    )
    spec = spec_of(key, default, limits, description, trainable=trainable)
    check = check_of(schema, constraint) if spec.type is ParameterType.JSON else constraint
    fault = refusal(check, spec.default) if check is not None else ""
    if fault:
        raise InvalidValue(f"parameter {key!r}: default: {fault}")
    kind: type[Parameter[Any]] = JsonParameter if spec.type is ParameterType.JSON else Parameter
    return kind(spec, default, _sdk.pins, check)


if not TYPE_CHECKING:  # a type checker would take any name for one that is here

    def __getattr__(name: str) -> object:
        """What training in this process adds, imported when it is first asked for: an application needs none of it."""
        if name.startswith("_"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from otel_opto.training import found  # noqa: PLC0415 - see above

        return found(name)
