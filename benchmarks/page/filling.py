"""A data directory with many spans, feedback, and studies of many trials."""

import random
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.ingest.payload import template
from collector.core.candidate import Found, Window
from collector.core.ledger import Change, Event
from collector.core.study import Cost, Study, StudyState, Trial
from collector.otlp.request import read_traces
from collector.storage.file_store import FileStore
from collector.study import history
from otel_opto.spec import Constraint, ParameterSpec, ParameterType, ParameterValue

SERVICE, STUDIES = "service-1", ("long", "other")
_BATCH, _SERVICES = 512, 5
_SPECS = (
    ParameterSpec("retriever.top_k", ParameterType.INTEGER, 3, Constraint(minimum=1, maximum=50)),
    ParameterSpec("temperature", ParameterType.FLOAT, 0.3, Constraint(minimum=0, maximum=1)),
    ParameterSpec("strict", ParameterType.BOOLEAN, default=True),
    ParameterSpec("prompt", ParameterType.TEXT, "Answer the question from the passages."),
)


class WallClock:
    """The time."""

    def now_unix_nano(self) -> int:
        """Since the epoch."""
        return time.time_ns()


async def fill(directory: Path, spans: int, trials: int) -> None:
    """Writes both; 910-byte spans in traces of ten, of five services, a millisecond apart."""
    store = FileStore(directory, WallClock())
    await store.start()
    templates = [template(_BATCH, seed) for seed in range(_SERVICES)]
    begun = time.time_ns() - (spans // _BATCH) * 10**6
    for number in range(spans // _BATCH):
        body = templates[number % _SERVICES].stamped(number, begun + number * 10**6)
        await store.log.append(read_traces(body, time.time_ns()).request)
    await store.parameters.declare(SERVICE, _SPECS)
    for seed, name in enumerate(STUDIES):
        study = Study(name, SERVICE, "quality", max_trials=max(trials - 1, 1), seed=seed)
        change = Change(history.study_stream(name), 0, tuple(_events(study, trials // len(STUDIES))))
        await store.ledger.append([change], f"study:{name}")
    await store.stop()


def _events(study: Study, count: int) -> Sequence[Event]:
    rng = random.Random(study.seed)
    opened, found = [], []
    for number in range(count):
        values: dict[str, ParameterValue] = {
            "retriever.top_k": rng.randint(1, 50),
            "temperature": rng.random(),
            "strict": rng.random() < 0.5,
            "prompt": "Answer the question from the passages, in one sentence. " * rng.randint(1, 20),
        }
        lead = 0.3 * (0.5 - float(str(values["temperature"]))) + rng.gauss(0, 0.05)
        why = "the best one so far, with one more passage and fewer words, since long answers were judged worse " * 3
        opened.append(history.opened(study, Trial(number, number + 1, values, why, Cost(1, 900, 120, 2.5))))
        found.append(Found(number, 40, 0, lead, 0.04 if number else None, 0.5 + lead, 0.5))
    window = Window(1, "look", {0: 1.0}, {0: 1}, 40 * count, 40)
    return [
        history.created(study),
        *opened,
        history.window_opened(study, window),
        history.window_closed(study, 1, "it had its units", found, "one is better"),
        history.concluded(study, StudyState.FINISHED, "it had its trials"),
    ]
