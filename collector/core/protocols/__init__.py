"""The seams: one Protocol per arrow of the data's way, each with its contract in its docstrings.

Everything is asynchronous and may be called from one event loop at a time. Unless said otherwise a call that fails
raises `Unavailable` for a passing fault (disk full, too much pending) and has then changed nothing; what was written is
durable on return, and found by every later call. `Ledger` and `UnitStore` lie beside their own types, in
`collector.core.ledger` and `collector.core.units`.
"""

from collector.core.protocols.clock import Clock
from collector.core.protocols.feedback import FeedbackStore
from collector.core.protocols.ingestor import Ingestor
from collector.core.protocols.marks import Deliveries, Marks
from collector.core.protocols.optimizer import OptimizationRequest, Optimizer
from collector.core.protocols.parameters import AcknowledgementStore, ParameterStore
from collector.core.protocols.publisher import Publisher
from collector.core.protocols.store import Store
from collector.core.protocols.telemetry import TelemetryLog, TelemetrySearch

__all__ = [
    "AcknowledgementStore",
    "Clock",
    "Deliveries",
    "FeedbackStore",
    "Ingestor",
    "Marks",
    "OptimizationRequest",
    "Optimizer",
    "ParameterStore",
    "Publisher",
    "Store",
    "TelemetryLog",
    "TelemetrySearch",
]
