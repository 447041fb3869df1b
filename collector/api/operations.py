"""What a person, a script or an application can ask of the collector. Transport-free: dataclasses in and out."""

import asyncio
from collections import Counter as Tally
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from collector.api.backend import Backend
from collector.api.drawing import Drawing, drawing
from collector.api.nodes import NodesWanted, described, listed_nodes
from collector.api.standing import Standing, doubtful
from collector.api.study_documents import study_bytes
from collector.core.errors import Conflict, Damaged, InvalidRequest, NotFound, TooLarge, some
from collector.core.explanation import Explanation
from collector.core.feedback import Feedback, StoredFeedback
from collector.core.graph import TraceGraph
from collector.core.identity.ids import span_id_of, trace_id_of
from collector.core.page import MOST_PAGE_BYTES, Page, PageRequest, cursor, key_of, page_of
from collector.core.parameter import validated
from collector.core.record import tree_of
from collector.core.release import Acknowledgement, Release, ReleaseDraft, ReleaseStatus, ValueChange, diff
from collector.core.requests import Asked, Caller
from collector.core.study import Policy, Reach, Study, StudyRecord, StudyState
from collector.core.telemetry import StoreCounts, TraceSummary
from collector.counters import Counter
from collector.feedback.tally import tally, words
from collector.publisher.events import RELEASES, signature_stream
from collector.publisher.signing import checked_envelope
from collector.study.history import ENDS, study_stream
from otel_opto.assignment import Assignment, unit_of
from otel_opto.spec import ParameterSpec

MOST_ENVELOPE_CHARACTERS = 4 * 2**20
_LONGEST_NAME, _LONGEST_ERROR = 1_000, 10_000


class Operations:
    """The operations. They raise the errors of `collector.core.errors`; the transports map them."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._store = backend.store

    # --- parameters and releases --------------------------------------------------------------------------------

    async def declare_parameters(self, service: str, parameters: Sequence[ParameterSpec], caller: Caller) -> None:
        """Makes parameters known; an upsert by key.

        Raises:
            InvalidRequest: no service, or a key twice.
        """
        if not service:
            raise InvalidRequest("service: found nothing; it must be the application's service.name")
        _check_length("service", service)
        twice = sorted(key for key, times in Tally(spec.key for spec in parameters).items() if times > 1)
        if twice:
            raise InvalidRequest(f"parameters: {some(twice)} stand there more than once; a key is unique in a service")
        declared = {"service": service, "parameters": tree_of(parameters)} if caller.request_id else {}

        async def declare() -> None:
            await self._store.parameters.declare(service, parameters)
            self._backend.wake()

        await self._backend.requests.once(caller, Asked("declare_parameters", declared), declare, _nothing)

    async def parameters(self, service: str) -> Sequence[ParameterSpec]:
        """All declared parameters of a service, by key."""
        return await self._store.parameters.of(service)

    async def declared(self, service: str, page: PageRequest) -> Page[ParameterSpec]:
        """The same a page at a time."""
        return await self._store.parameters.declared(service, page)

    async def assignment(self, service: str) -> Assignment | None:
        """What is in force for a service; None before its first release."""
        return await self._backend.desk.assignment(service)

    async def release_of(self, service: str, targeting_key: str = "") -> Release | None:
        """The release that a targeting key gets; None before the first.

        Without a key it is the control; where a study has all traffic, each time one by chance, as often as its share
        says: an application that asks once for many requests takes part, too.
        """
        assignment = await self.assignment(service)
        if assignment is None:
            return None
        number = assignment.control
        if targeting_key:
            number = assignment.release_for(unit_of(targeting_key))
        elif assignment.splits and await self._has_all_traffic(service):
            number = assignment.release_for(unit_of(str(self._backend.clock.now_unix_nano())))
        return await self._backend.desk.release(number)

    async def _has_all_traffic(self, service: str) -> bool:
        found = [await self._backend.studies.study(name) for name in await self._backend.studies.running(service)]
        return any(one is not None and one.study.exploration.whole for one in found)

    async def releases(self, service: str, page: PageRequest) -> Page[Release]:
        """Newest first; of every service if it is empty."""
        (before,) = key_of(page.cursor, "releases", int) or (None,)
        found = await self._backend.desk.releases(service, None if before is None else int(before), page.limit + 1)
        return page_of(
            found, page.limit, lambda one: one, lambda one: cursor("releases", one.number), Release.size_bytes
        )

    async def release(self, number: int) -> Release:
        """One release.

        Raises:
            NotFound: there is no such number.
        """
        found = await self._backend.desk.release(number)
        if found is None:
            raise NotFound(f"release {number}: there is none of that number; `otel-opto releases` lists them")
        return found

    async def sign(self, number: int, envelope: str, caller: Caller) -> None:
        """Keeps a release's signature; it is made where the private key is, and applications verify it.

        Under a request id the same key's signature for as long is the same request, whenever it was made: the first one
        is kept.

        Raises:
            NotFound: there is no such number.
            InvalidRequest: it is no signature of this release, or has expired.
            TooLarge: it is no signature of one release.
        """
        if len(envelope) > MOST_ENVELOPE_CHARACTERS:
            raise TooLarge(f"envelope: found {len(envelope)} characters, allowed are {MOST_ENVELOPE_CHARACTERS}")
        release, now = await self.release(number), self._backend.clock.now_unix_nano()
        said = await asyncio.to_thread(checked_envelope, envelope, release, now)
        asked = Asked("sign_release", {"number": number, **said}, signature_stream(number))
        desk = self._backend.desk
        await self._backend.requests.once(caller, asked, lambda: desk.sign(number, envelope, caller.actor), _nothing)

    async def diff(self, before: int, after: int) -> Sequence[ValueChange]:
        """What changed from one release to another; `before` 0 is "nothing"."""
        return await asyncio.to_thread(diff, await self.release(before) if before else None, await self.release(after))

    async def rollback(self, number: int, caller: Caller) -> Release:
        """A new release with the values of an earlier one. A person's word: running studies of the service stop.

        Raises:
            NotFound: there is no such number.
            Conflict: a value no longer fits its parameter.
        """
        asked = Asked("rollback", {"number": number}, RELEASES)
        return await self._backend.requests.once(
            caller, asked, lambda: self._rollback(number, caller.actor), self.release
        )

    async def unsigned(self, release: Release) -> str:
        """What a release lacks that took a signed one's place, and that nobody signed; else empty."""
        desk, before = self._backend.desk, release.parent
        if before is None or not await desk.envelope(before) or await desk.envelope(release.number):
            return ""
        number = release.number
        return (
            f"release {number} is not signed, and release {before}, whose place it takes, is: applications that hold "
            f"the public key keep what they have; sign it: otel-opto releases sign {number} --key FILE"
        )

    async def _rollback(self, number: int, actor: str) -> Release:
        wanted = await self.release(number)
        values = {key: released.value for key, released in wanted.values.items()}
        declared = await self._store.parameters.of(wanted.service)
        known = {spec.key for spec in declared}
        fitting = {key: value for key, value in values.items() if key in known}
        _, faults = await asyncio.to_thread(validated, fitting, declared)  # patterns may take their time
        if faults:
            raise Conflict(f"release {number} cannot come back: " + some(faults, "; "))
        studies = self._backend.studies
        reason = f"a rollback to release {number} took its place"
        ends = await studies.concluding(await studies.running(wanted.service), StudyState.STOPPED, reason)
        draft = ReleaseDraft(wanted.service, values, f"rollback to release {number}")
        ends = [*ends, *await self._backend.rollouts.aborting(wanted.service, reason)]
        return await self._backend.desk.publish(draft, actor, also=lambda _: ends, by_itself=True)

    async def acknowledge(self, service: str, instance_id: str, number: int, status: ReleaseStatus, error: str) -> None:
        """An application's word on a release; of a long error the beginning is kept.

        Raises:
            NotFound: there is no such number.
            InvalidRequest: a name is too long.
        """
        _check_length("service", service)
        _check_length("instance_id", instance_id)
        await self.release(number)
        now = self._backend.clock.now_unix_nano()
        kept = error if len(error) <= _LONGEST_ERROR else error[:_LONGEST_ERROR] + "…"
        await self._store.acknowledgements.acknowledge(Acknowledgement(service, instance_id, number, status, kept, now))
        applied = status is ReleaseStatus.APPLIED
        self._backend.counters.add(Counter.RELEASES_APPLIED if applied else Counter.RELEASES_FAILED)

    async def acknowledgements(self, number: int, page: PageRequest) -> Page[Acknowledgement]:
        """What applications said of a release."""
        return await self._store.acknowledgements.of(number, page)

    # --- feedback -----------------------------------------------------------------------------------------------

    async def submit_feedback(self, feedback: Sequence[Feedback]) -> Sequence[str]:
        """Keeps feedback that comes before or after the spans it judges. Returns the ids in the order given."""
        now = self._backend.clock.now_unix_nano()

        def dated() -> tuple[Sequence[Feedback], Sequence[str]]:
            items = [replace(item, time_unix_nano=item.time_unix_nano or now) for item in feedback]
            return items, [item.id for item in items]

        items, ids = await asyncio.to_thread(dated)
        await self._backend.pipeline.submit(items)
        return ids

    async def feedback(self, trace_id: str, page: PageRequest) -> Page[StoredFeedback]:
        """Newest first.

        Raises:
            InvalidRequest: the trace id is none.
        """
        wanted = trace_id_of(trace_id, "trace_id") if trace_id else ""
        return await self._store.feedback.listed(page, trace_id=wanted)

    # --- traces -------------------------------------------------------------------------------------------------

    async def traces(self, page: PageRequest) -> Page[TraceSummary]:
        """The traces touched last, newest first."""
        found = await self._store.search.traces(page)
        self._backend.counters.add(Counter.QUERIES_PARTIAL, bool(found.partial))
        return found

    async def drawn(self, trace_id: str, reach: Reach, wanted: Drawing) -> bytes:
        """The OPTO graph of a trace, or a part of it, as json, tgj, text, dot or svg; see `Assembly.made`.

        Raises:
            InvalidRequest: the trace id, the form or the part is none.
        """
        return await self._made(trace_id, reach, drawing(wanted), ("drawn", wanted))

    async def nodes(self, trace_id: str, reach: Reach, wanted: NodesWanted) -> bytes:
        """The nodes of a graph, a page of them, in JSON. Raises as `drawn`."""
        return await self._made(trace_id, reach, listed_nodes(wanted), ("nodes", wanted))

    async def node(self, trace_id: str, reach: Reach, node_id: str) -> bytes:
        """One node with its edges and what is known of its span, in JSON.

        Raises:
            InvalidRequest: the trace id is none.
            NotFound: the graph has no such node.
        """
        return await self._made(trace_id, reach, partial(described, node_id), ("node", node_id))

    async def explained(self, trace_id: str, reach: Reach, span_id: str) -> Explanation:
        """Why a graph says what it says of a span. Raises as `drawn`, and `NotFound` for an unknown span."""
        return await self._backend.pipeline.explained(trace_id_of(trace_id), reach, span_id_of(span_id))

    async def _made(self, trace_id: str, reach: Reach, finish: Callable[[TraceGraph], bytes], name: Hashable) -> bytes:
        wanted = trace_id_of(trace_id, "trace_id")
        return await self._backend.pipeline.made(wanted, reach, finish, name)

    # --- studies ------------------------------------------------------------------------------------------------

    async def create_study(self, study: Study, caller: Caller) -> StudyRecord:
        """Begins a study.

        Raises:
            AlreadyExists: a study has that name.
            OptimizerError: the optimizer is unknown or cannot be loaded.
            InvalidRequest: the optimizer cannot work with the options or the parameters.
            Conflict: another study of the service is running, its releases are signed and there is no key for those of
                the study, or the caller may not sign off that the evidence alone promotes.

        Of a service or a metric that nobody has named it is begun all the same; the message says what is known.
        """
        asked = Asked("create_study", tree_of(study), study_stream(study.name))
        record = await self._backend.requests.once(
            caller, asked, lambda: self._create_study(study, caller), partial(self._study_at, study.name)
        )
        return await self._told(record)

    async def _create_study(self, study: Study, caller: Caller) -> StudyRecord:
        optimizer = self._backend.load_optimizer(study.optimizer)
        study = await asyncio.to_thread(self._backend.checks.completed, study, getattr(optimizer, "options", ()))
        faults = await asyncio.to_thread(optimizer.check, study, await self._store.parameters.of(study.service))
        if faults:
            raise InvalidRequest(f"study {study.name!r}: " + some(faults, "; "))
        if study.promotion is Policy.AUTOMATIC and not caller.may_approve:
            raise Conflict("promotion: an automatic one is signed off by who begins the study: scope 'approve'")
        if signed := await self._backend.desk.lacks_a_key(study.service):
            raise Conflict(
                f"study {study.name!r}: release {signed}, which is in force for service {study.service!r}, is signed, "
                "and nobody would sign the study's releases: its applications refuse them. Give the collector a key "
                "for them (signing.key_file), or let the study work on a service whose applications hold no key, "
                "and sign and roll out its best values (docs/signing.md)"
            )
        record = await self._backend.studies.create(study, caller.actor)
        self._backend.wake()
        return record

    async def studies(self, page: PageRequest, trials: int | None = None) -> Page[StudyRecord]:
        """In order of creation; a running one's message as in `study`. A damaged one is left out, and that is said.

        `trials` of each are shown, and count for how many studies a page holds; None: all.
        """
        (behind,) = key_of(page.cursor, "studies", str) or ("",)
        names = list(await self._backend.studies.names())
        if behind and behind not in names:
            raise InvalidRequest(f"cursor: study {str(behind)[:80]!r}, behind which it goes on, is not known here")
        begin = names.index(str(behind)) + 1 if behind else 0
        records: list[StudyRecord] = []
        damaged: list[str] = []
        size = 0
        for name in names[begin : begin + page.limit]:
            if size >= MOST_PAGE_BYTES:
                break
            behind = name
            try:
                records.append(await self.study(name))
            except Damaged as error:
                damaged.append(str(error))
                continue
            size += await asyncio.to_thread(study_bytes, records[-1], trials)
        more = begin + len(records) + len(damaged) < len(names)
        return Page(tuple(records), cursor("studies", str(behind)) if more else "", "; ".join(damaged[:3]))

    async def study(self, name: str) -> StudyRecord:
        """One study; the message of a running one says what is wrong with the feedback that it waits for.

        Raises:
            NotFound: there is no such study.
        """
        record = await self._backend.studies.study(name)
        if record is None:
            raise NotFound(f"study {name!r}: there is none of that name; `otel-opto studies` lists them")
        return await self._told(record)

    async def _told(self, record: StudyRecord) -> StudyRecord:
        if doubtful(record):
            return replace(record, message=await self._backend.standings.doubts(record.study))
        if record.state is not StudyState.RUNNING or not record.running_trials():
            return record
        running = record.running_trials()[-1]
        stored = await self._store.feedback.of_release(running.release, record.study.metric)
        names = await self._store.feedback.metrics_of_release(running.release)
        found = await asyncio.to_thread(tally, record.study, stored, names)  # of any amount
        return replace(record, message=words(record.study, found))

    async def stop_study(self, name: str, caller: Caller) -> StudyRecord:
        """Ends a running study; what has won comes into force, else nothing. A study that has ended stays as it is."""
        asked = Asked("stop_study", {"name": name}, study_stream(name), ENDS)
        return await self._backend.requests.once(
            caller, asked, lambda: self._stop_study(name, caller.actor), partial(self._study_at, name)
        )

    async def _study_at(self, name: str, version: int) -> StudyRecord:
        return await self._backend.studies.at(name, version) or await self.study(name)

    async def _stop_study(self, name: str, actor: str) -> StudyRecord:
        record = await self.study(name)
        if record.state is StudyState.RUNNING:
            await self._backend.runner.conclude(record, StudyState.STOPPED, "stopped by request", actor)
        return await self.study(name)

    async def standing(self, service: str) -> Standing:
        """What is known of an application, and what it waits for."""
        _check_length("service", service)
        return await self._backend.standings.of(service)

    # --- the collector itself -----------------------------------------------------------------------------------

    async def counts(self) -> StoreCounts:
        """What the store holds."""
        telemetry, feedback = await self._store.search.counts(), await self._store.feedback.counts()
        return StoreCounts(
            spans=telemetry.spans,
            traces=telemetry.traces,
            log_records=telemetry.log_records,
            bytes=await self._store.size_bytes(),
            feedback={state.value: count for state, count in feedback.items()},
        )

    async def metrics(self) -> str:
        """Counters and measures for Prometheus."""
        return self._backend.counters.exposition() + await self._backend.measures.exposition()

    def rate(self) -> float:
        """How many spans came in a second, of late."""
        return self._backend.rate.per_second()

    def counters(self) -> Mapping[str, int]:
        """What came and what was lost since the start."""
        return self._backend.counters.snapshot()


async def _nothing(_: int) -> None:
    """The answer to what has none."""


def _check_length(what: str, name: str) -> None:
    if len(name) > _LONGEST_NAME:
        raise InvalidRequest(f"{what}: found {len(name):,} characters, allowed are {_LONGEST_NAME:,}")
