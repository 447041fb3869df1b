"""The values of a study's releases: what is in force, better ones beside them, and whether all still fit."""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from collector.core.parameter import undeclared, validated
from collector.core.protocols import Store
from collector.core.release import ReleaseDraft
from collector.core.study import Study, StudyRecord, Trial
from collector.publisher.desk import Desk, aside
from collector.study.studies import actor_of
from otel_opto.spec import ParameterSpec, ParameterValue, content_hash

_LOG = logging.getLogger(__name__)


class Values:
    """Puts releases together, of parameters as they are declared now.

    Args:
        store: Knows the declarations.
        desk: Knows what is in force.
    """

    def __init__(self, store: Store, desk: Desk) -> None:
        self._parameters = store.parameters
        self._desk = desk

    async def trained(self, study: Study) -> Sequence[ParameterSpec]:
        """The study's parameters; () while one of them has not been declared."""
        declared = {spec.key: spec for spec in await self._parameters.of(study.service)}
        keys = study.parameters or [key for key, spec in declared.items() if spec.trainable]
        return [declared[key] for key in keys] if all(key in declared for key in keys) else ()

    async def undeclared(self, study: Study) -> str:
        """Why none can be trained yet, in words."""
        return undeclared(study.service, study.parameters, await self._parameters.of(study.service))

    async def specs(self, record: StudyRecord) -> tuple[ParameterSpec, ...]:
        """The parameters that the study began with, as they are declared now."""
        declared = {spec.key: spec for spec in await self._parameters.of(record.study.service)}
        return tuple(declared[key] for key in record.trials[0].values if key in declared)

    async def faults(self, record: StudyRecord, trials: Sequence[Trial]) -> Mapping[int, str]:
        """Why trials do not fit any more, by number: a deploy may have narrowed a parameter, or taken it away."""
        specs = await self.specs(record)

        def looked() -> Mapping[int, str]:
            found = ((trial.number, validated(trial.values, specs)[1]) for trial in trials)
            return {number: "; ".join(faults) for number, faults in found if faults}

        if not any(spec.constraint.pattern for spec in specs):
            return looked()
        return await asyncio.to_thread(looked)  # patterns may take their time

    async def release(self, study: Study, trial: Trial) -> int:
        """A trial's release; a new one, in force for nobody, where the values beside it are others by now."""
        whole = await self.whole(study.service, trial.values)
        known = await self._desk.release(trial.release)
        if known is not None and known.hash == content_hash(whole.items()):
            return known.number
        draft = ReleaseDraft(study.service, whole, f"study {study.name}: trial {trial.number} once more")
        return (await self._desk.publish(draft, actor_of(study.name), aside, by_itself=True)).number

    async def whole(self, service: str, better: Mapping[str, ParameterValue]) -> dict[str, ParameterValue]:
        """All values of a release: the better ones, those in force beside them, the code's default for the rest.

        Whatever no longer fits its parameter, which may have been declared anew since, is not released again.
        """
        specs = {spec.key: spec for spec in await self._parameters.of(service)}
        current = await self._desk.control(service)
        released = {key: released.value for key, released in current.values.items()} if current else {}
        known = {key: value for key, value in {**released, **better}.items() if key in specs}
        good, faults = await asyncio.to_thread(validated, known, list(specs.values()))  # patterns may take their time
        for fault in faults:
            _LOG.warning("service %s: a value no longer fits and its default takes its place: %s", service, fault)
        return {key: good.get(key, spec.default) for key, spec in specs.items()}
