"""The end of a study: what is released, and what is said."""

from collector.core.errors import CollectorError, Conflict
from collector.core.release import ReleaseDraft
from collector.core.study import StudyRecord, StudyState, Trial
from collector.study.arms import TrialArms
from collector.study.values import Values
from collector.study.window.measuring import Units


class Ending:
    """Concludes studies; what is released is what fresh data have confirmed, and nothing else.

    Args:
        arms: The winner's rollout, where trials are arms.
        values: Puts releases together.
        units: Who came in the studies' windows.
    """

    def __init__(self, arms: TrialArms, values: Values, units: Units) -> None:
        self._arms = arms
        self._studies = arms.studies
        self._values = values
        self._units = units

    async def conclude(self, record: StudyRecord, state: StudyState, message: str, actor: str = "") -> None:
        """Ends a running study and brings its winner's values into force, or begins its rollout; both or neither.

        Args:
            actor: Who says so; the study itself if it is empty.
        """
        study, winner = record.study, record.winner()
        if winner is None or state is StudyState.FAILED:
            said = message if "the incumbent stays" in message else f"{message}; the incumbent stays"
            await self._studies.conclude(study.name, state, said, None, actor)
        elif study.exploration.whole:
            await self._released(record, winner, state, message, actor)
        else:
            release = await self._values.release(study, winner)
            said = f"{message}; {await self._rolled_out(record, winner, release)}"
            await self._studies.conclude(study.name, state, said, None, actor, rolled_out=release)

    async def _released(self, record: StudyRecord, winner: Trial, state: StudyState, message: str, actor: str) -> None:
        study = record.study
        try:
            also = await self._arms.for_everybody(study.service)
        except Conflict as error:  # a person began a rollout, and the study does not end it
            message = f"{message}; trial {winner.number} is not in force for everybody: {error}"
            await self._studies.conclude(study.name, state, message, None, actor)
            return
        whole = await self._values.whole(study.service, winner.values)
        draft = ReleaseDraft(study.service, whole, f"study {study.name}: trial {winner.number}, {winner.why}")
        await self._studies.conclude(study.name, state, message, draft, actor, also=also)

    async def changed_under(self, record: StudyRecord) -> str:
        """Whether what is in force has other values of the study's parameters than it began with, in words."""
        control = await self._studies.desk.control(record.study.service)
        began = record.trials[0].values
        now = {key: control.values[key].value for key in began if key in control.values} if control else {}
        other = sorted(key for key in began if now.get(key) != began[key])
        if not other:
            return ""
        return (
            f"what is in force has other values than the study began with ({', '.join(other)}), so that its units "
            "compare nothing any more: begin it again"
        )

    async def _rolled_out(self, record: StudyRecord, winner: Trial, release: int) -> str:
        """What becomes of the winner of a study on arms, in words; it comes before the study's end."""
        await self._studies.free(record)
        try:
            counted = await self._units.look(record) if record.study.not_worse else ()
            rollout, left = await self._arms.promote(record.study, release, counted)
        except CollectorError as error:
            return f"trial {winner.number} is not rolled out: {error}"
        said = f"the rollout {rollout.name!r} of trial {winner.number} is {rollout.state.value}"
        return f"{said}; it does not look at {', '.join(left)}" if left else said
