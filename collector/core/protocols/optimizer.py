"""What proposes better values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from collector.core.calls import CallBook
from collector.core.graph import TraceFeedback
from collector.core.study import Proposal, RejectedProposal, Remarks, Study, Trial
from otel_opto.spec import ParameterSpec, ParameterValue


@dataclass(frozen=True, slots=True)
class OptimizationRequest:
    """All that an optimizer may look at.

    Attributes:
        study: Objective, direction, options, seed.
        parameters: What may change, by key.
        current: Their values in the best release so far.
        batch: Feedback on traces that ran with the values in `current`, each with its minimal subgraph.
        trials: Complete trials, by number; the first is the baseline.
        rejected: Proposals that failed validation, oldest first.
        remarks: What was said of the outputs of trials, by their numbers; of those that an optimizer may want to read.
        calls: Where calls of language models are written down; None: nobody wants to know.
    """

    study: Study
    parameters: tuple[ParameterSpec, ...]
    current: Mapping[str, ParameterValue]
    batch: tuple[TraceFeedback, ...]
    trials: tuple[Trial, ...]
    rejected: tuple[RejectedProposal, ...]
    remarks: Mapping[int, Remarks] = field(default_factory=dict)
    calls: CallBook | None = None


class Optimizer(Protocol):
    """Proposes better values. Stateless: the request holds the whole history, so any process can go on with it."""

    def check(self, study: Study, parameters: Sequence[ParameterSpec]) -> Sequence[str]:
        """Faults of the study's options or of its parameters for this optimizer; () if it can work."""
        ...

    async def propose(self, request: OptimizationRequest) -> Sequence[Proposal]:
        """Candidates, the most promising first; () if it has nothing to suggest, which ends the study.

        The same request gives the same proposals where the optimizer is deterministic. Values need not be valid: the
        caller validates them and shows faults in the next request.

        Raises:
            OptimizerError: with `permanent` where trying again would not help.
        """
        ...
