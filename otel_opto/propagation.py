"""The release travels with the request: whatever the application calls, by whatever instrumentation."""

from opentelemetry.context import Context
from opentelemetry.propagators import textmap

from otel_opto.pinning import Pins

_DEEPEST = 10


def carrying(present: textmap.TextMapPropagator, pins: Pins) -> textmap.TextMapPropagator:
    """The propagator to be the global one, so that whatever is injected names the release, once.

    A propagator around others (logfire's, which looks at what its own kind wraps) stays outermost: ours goes inside.
    """
    outer: textmap.TextMapPropagator | None = None
    inner = present
    for _ in range(_DEEPEST):
        wrapped = getattr(inner, "wrapped", None)
        if not isinstance(wrapped, textmap.TextMapPropagator):
            break
        if isinstance(inner, ReleasePropagator):
            inner = wrapped
            break
        outer, inner = inner, wrapped
    own = ReleasePropagator(inner, pins)
    if outer is None:
        return own
    try:
        outer.wrapped = own  # type: ignore[attr-defined] # it has one, see above
    except AttributeError:
        return ReleasePropagator(present, pins)
    return present


class ReleasePropagator(textmap.TextMapPropagator):
    """Adds what the next service has to know to the baggage that is injected; the rest is the wrapped propagator's.

    Where that one does not carry baggage, the next service chooses by the trace id, which is what was chosen by here
    unless the application named a user or a session.
    """

    def __init__(self, wrapped: textmap.TextMapPropagator, pins: Pins) -> None:
        self.wrapped = wrapped
        self._pins = pins

    def inject(
        self,
        carrier: textmap.CarrierT,
        context: Context | None = None,
        setter: textmap.Setter[textmap.CarrierT] = textmap.default_setter,
    ) -> None:
        """See `TextMapPropagator`."""
        self.wrapped.inject(carrier, self._pins.carried(context), setter)

    def extract(
        self,
        carrier: textmap.CarrierT,
        context: Context | None = None,
        getter: textmap.Getter[textmap.CarrierT] = textmap.default_getter,
    ) -> Context:
        """See `TextMapPropagator`."""
        return self.wrapped.extract(carrier, context, getter)

    @property
    def fields(self) -> set[str]:
        """See `TextMapPropagator`."""
        return self.wrapped.fields
