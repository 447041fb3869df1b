"""What is known of an application, in the order in which things have to happen: declared, connected, released, seen,
judged, studied.

For its team, when nothing happens; and for who begins a study of something that nobody has named.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from collector.core.errors import some
from collector.core.feedback import FeedbackState
from collector.core.page import PageRequest
from collector.core.parameter import undeclared
from collector.core.protocols import Store
from collector.core.release import ReleaseStatus
from collector.core.study import Study, StudyRecord, StudyState
from collector.core.telemetry import TraceQuery
from collector.feedback.tally import tally
from collector.optimizer.drafting.checks import Checks
from collector.publisher.desk import Desk
from collector.study.studies import Studies
from otel_opto import semconv

_MOST_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that has to be there.

    Attributes:
        name: What it is.
        ok: Whether it is there.
        says: What was found, for a person; what to do where it is not there.
    """

    name: str
    ok: bool
    says: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an application stands.

    Attributes:
        checks: In the order in which they have to be fulfilled.
        release: The one that is in force for most; None before the first.
        watchers: How many of its instances are connected now.
        metrics: How much feedback there is on that release, by metric.
    """

    service: str
    checks: tuple[Check, ...]
    release: int | None
    watchers: int
    metrics: Mapping[str, int]

    @property
    def waiting_for(self) -> str:
        """What is missing first; empty if nothing is."""
        return next((f"{check.name}: {check.says}" for check in self.checks if not check.ok), "")


class Standings:
    """Finds out. It changes nothing.

    Args:
        watchers: How many instances of a service are connected.
        checks: What is known of language models.
    """

    def __init__(
        self, store: Store, desk: Desk, studies: Studies, watchers: Callable[[str], int], checks: Checks
    ) -> None:
        self._store = store
        self._desk = desk
        self._studies = studies
        self._watchers = watchers
        self._checks = checks

    async def of(self, service: str) -> Standing:
        """Of one service, known or not."""
        control = await self._desk.control(service)
        number = control.number if control is not None else None
        metrics = await self._store.feedback.metrics_of_release(number) if number is not None else {}
        watching = self._watchers(service)
        seen = await self._seen(service)
        uses = seen and number is not None and await self._seen(service, {semconv.RELEASE: str(number)})
        checks = (
            await self._declared(service),
            _connected(watching, uses=bool(uses)),
            await self._released(number),
            await self._spans(service, number, seen=seen, uses=bool(uses)),
            await self._judged(number, metrics),
            await self._studied(service),
        )
        return Standing(service, checks, number, watching, metrics)

    async def doubts(self, study: Study) -> str:
        """What makes it doubtful that anything ever comes of the study; empty where nothing does."""
        said = [*await asyncio.to_thread(self._checks.weaknesses, study)]
        declared = await self._store.parameters.of(study.service)
        if missing := undeclared(study.service, study.parameters, declared):
            said.append(missing if declared else missing + await self._others(study.service))
        named = await self._named()
        if study.metric not in named:
            known = f"named were {some(sorted(named))}" if named else "there is none at all"
            said.append(f"no feedback of late names the metric {study.metric!r}; {known}")
        return "; ".join(said)

    async def _named(self) -> set[str]:
        """The metrics of the newest feedback."""
        page = await self._store.feedback.listed(PageRequest(_MOST_LOOKED_AT))
        return {stored.feedback.name for stored in page.items}

    async def _seen(self, service: str, attributes: Mapping[str, str] | None = None) -> bool:
        return bool(len(await self._store.search.find(TraceQuery(service, attributes=attributes or {}, limit=1))))

    async def _others(self, service: str) -> str:
        """Which services spans came from; what is meant may be among them."""
        known = [name for name in await self._store.search.services() if name != service]
        return f"; spans came from: {some(known)}" if known else ""

    async def _declared(self, service: str) -> Check:
        specs = await self._store.parameters.of(service)
        if specs:
            keys = some([spec.key for spec in specs if spec.trainable]) or "none that a study may change"
            return Check("parameters", ok=True, says=f"{len(specs)} declared; trainable: {keys}")
        advice = "none; declare them with otel_opto.parameter() after otel_opto.configure(), or in OTEL_OPTO_PARAMETERS"
        return Check("parameters", ok=False, says=advice + await self._others(service))

    async def _released(self, number: int | None) -> Check:
        if number is None:
            says = "none yet; a study makes the first one: otel-opto studies create --help"
            return Check("release", ok=False, says=says)
        words = (await self._store.acknowledgements.of(number, PageRequest(_MOST_LOOKED_AT))).items
        failed = [word for word in words if word.status is ReleaseStatus.FAILED]
        if failed:
            says = f"{number} is refused by {len(failed)} of {len(words)} instances: {failed[0].error[:300]}"
            return Check("release", ok=False, says=says)
        return Check("release", ok=True, says=f"{number} is in force; {len(words)} instances have applied it")

    async def _spans(self, service: str, number: int | None, *, seen: bool, uses: bool) -> Check:
        if not seen:
            advice = "none; do OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_SERVICE_NAME say this collector and this service?"
            return Check("spans", ok=False, says=advice + await self._others(service))
        if number is not None and not uses:
            says = f"they come, but none names release {number}: configure() has to come after the tracer provider"
            return Check("spans", ok=False, says=says)
        return Check("spans", ok=True, says="they come" + (f" and name release {number}" if uses else ""))

    async def _judged(self, number: int | None, metrics: Mapping[str, int]) -> Check:
        waiting = (await self._store.feedback.counts()).get(FeedbackState.WAITING, 0)
        lost = f"; {waiting} of all services wait for a span that has not come" if waiting else ""
        if metrics:
            named = ", ".join(f"{name} ({count})" for name, count in sorted(metrics.items()))
            return Check("feedback", ok=True, says=f"on release {number}: {named}{lost}")
        where = f"none on release {number}" if number is not None else "none on any release"
        return Check("feedback", ok=False, says=f"{where}; otel_opto.feedback() in the request gives some{lost}")

    async def _studied(self, service: str) -> Check:
        running = [await self._studies.study(name) for name in await self._studies.running(service)]
        records = [record for record in running if record is not None]
        if not records:
            return Check("study", ok=False, says="none is running; begin one: otel-opto studies create --help")
        declared = await self._store.parameters.of(service)
        for record in records:
            missing = undeclared(service, record.study.parameters, declared)
            if missing and not record.trials:
                seconds = record.study.exploration.deadline_seconds
                says = f"{record.study.name!r} waits: {missing}; it fails {seconds:g} s after its beginning"
                return Check("study", ok=False, says=says)
        return Check("study", ok=True, says=await self._under_way(records[0]))

    async def _under_way(self, record: StudyRecord) -> str:
        study, trials = record.study, record.running_trials()
        if record.state is not StudyState.RUNNING or not trials:
            doubts = await self.doubts(study)
            return f"{study.name!r} has {len(record.trials)} trials and none under way" + (doubts and f": {doubts}")
        trial = trials[-1]
        stored = await self._store.feedback.of_release(trial.release, study.metric)
        found = tally(study, stored, {})
        return (
            f"{study.name!r}: trial {trial.number} (release {trial.release}) waits for {study.batch_size} "
            f"scored feedbacks with the metric {study.metric!r}; {found.scored} have come"
        )


def _connected(watching: int, *, uses: bool) -> Check:
    if watching:
        return Check("connected", ok=True, says=f"{watching} instances now")
    if uses:
        return Check(
            "connected", ok=True, says="none now; its spans name the release, so it asks for it over HTTP, or ended"
        )
    advice = "none; is it running, and is OTEL_OPTO_ENDPOINT the gRPC address of this collector?"
    return Check("connected", ok=False, says=advice)


def standing_document(standing: Standing) -> dict[str, object]:
    """Where an application stands, as JSON."""
    return {
        "service": standing.service,
        "waiting_for": standing.waiting_for,
        "release": standing.release,
        "connected": standing.watchers,
        "feedback": dict(standing.metrics),
        "checks": [{"name": one.name, "ok": one.ok, "says": one.says} for one in standing.checks],
    }


def doubtful(record: StudyRecord) -> bool:
    """Whether a study runs and has no trial yet, so that it may be waiting for something that never comes."""
    return record.state is StudyState.RUNNING and not record.trials
