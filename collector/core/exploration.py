"""How a study's candidates get to units."""

from dataclasses import dataclass
from typing import Annotated

from collector.core.record import About

MOST_SECONDS = 3.2e8
"""Of anything that a study or a rollout waits for."""

_MOST_PARALLEL = 20


@dataclass(frozen=True, slots=True)
class Exploration:
    """How a study tries releases.

    Attributes:
        share: The part of live traffic that its trials have together, above 0. 1 is the whole: all traffic is dealt
            among them and what is in force, for traffic that is there to evaluate.
        parallel: So many candidates are asked for before they are measured, together.
        deadline_seconds: A trial whose units have not come by then is given up, and its traffic is free.
        feedback_delay_seconds: How long a unit's feedback is waited for before it counts as silent.
    """

    share: Annotated[
        float,
        About(
            "part of live traffic that trials have together, beside the release in force; 'whole': all traffic is "
            "dealt among them, for traffic that is there to evaluate",
            option="--exploration",
            metavar="SHARE",
            named={"whole": 1.0},
        ),
    ] = 0.1
    parallel: Annotated[int, About("candidates that are measured together", metavar="N")] = 1
    deadline_seconds: Annotated[float, About("of a trial on an arm", option="--deadline", metavar="SECONDS")] = (
        7 * 86_400.0
    )
    feedback_delay_seconds: Annotated[
        float, About("how long a unit's feedback is waited for", option="--feedback-delay", metavar="SECONDS")
    ] = 60.0

    @property
    def whole(self) -> bool:
        """Whether all traffic takes part."""
        return self.share >= 1

    def faults(self) -> list[str]:
        """Every fault of its fields: what was found, what is allowed."""
        faults = []
        if not 0 < self.share <= 1:
            faults.append(f"exploration.share: found {self.share:g}, allowed is above 0, and 1 at most, for the whole")
        if not 1 <= self.parallel <= _MOST_PARALLEL:
            faults.append(f"exploration.parallel: found {self.parallel}, allowed is 1 to {_MOST_PARALLEL}")
        if not 0 < self.deadline_seconds <= MOST_SECONDS:
            faults.append(
                f"exploration.deadline_seconds: found {self.deadline_seconds:g}, allowed is above 0, and "
                f"{MOST_SECONDS:g} at most, which is ten years"
            )
        if not 0 <= self.feedback_delay_seconds <= MOST_SECONDS:
            faults.append(
                f"exploration.feedback_delay_seconds: found {self.feedback_delay_seconds:g}, allowed are 0 to "
                f"{MOST_SECONDS:g}, which is ten years"
            )
        return faults
