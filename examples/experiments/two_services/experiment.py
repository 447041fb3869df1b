"""One run: traffic at a steady rate, judged late, and a study for each service that is to learn."""

import contextlib
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector.cli.client import ApiClient, quoted
from examples.experiments.two_services.edge import METRIC, Judge, ask
from examples.experiments.two_services.processes import Collector, Pair, pair
from examples.experiments.two_services.serving import Caller
from examples.retrieval_qa.corpus import Question, load_questions
from otel_opto.spec import ParameterValue

PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "finder": ("retriever.method", "retriever.top_k", "retriever.length_penalty", "ranker.title_weight"),
    "answerer": ("extractor.rank_weight", "extractor.window", "answer.template"),
}
"""Those that a service reads, of the application's."""

_LOOK_SECONDS = 0.5
_APPLIED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much a run may take.

    Attributes:
        late_seconds: Between an answer and what is said of it.
        per_second: Requests, while a study runs.
        trials: Candidates for each service.
        batch: Requests that a candidate has before it is judged.
        units: Requests in all, those with what is in force among them.
        patience_seconds: After that a run ends as it is.
    """

    late_seconds: float = 20.0
    per_second: float = 10.0
    trials: int = 8
    batch: int = 30
    units: int = 1_500
    patience_seconds: float = 900.0


@dataclass(frozen=True, slots=True)
class Found:
    """What came of it.

    Attributes:
        before: Mean score with the services' own values, on the users' questions and on those that were kept apart.
        after: The same with what is in force in the end.
        requests: Of users, while studies ran.
        judged: Of these, what was said of in time.
        seconds: That the studies took.
        late_seconds: See `Plan`.
        values: In force in the end, where a study released something.
        said: By the studies.
    """

    before: tuple[float, float]
    after: tuple[float, float]
    requests: int
    judged: int
    seconds: float
    late_seconds: float
    values: Mapping[str, ParameterValue]
    said: str


def run(collector: Collector, roles: Sequence[str], seed: int, plan: Plan, directory: Path) -> Found:
    """Studies of some of the two services, ``finder`` and ``answerer``, on one seed's traffic.

    Raises:
        RuntimeError: a process did not do its part.
    """
    shuffled = list(load_questions().values())
    random.Random(0).shuffle(shuffled)
    half = len(shuffled) // 2
    train, held_out = shuffled[:half], shuffled[half:]
    client = ApiClient(collector.api)
    with pair(str(seed), collector.otlp, directory) as services, contextlib.closing(Caller(services.address)) as front:
        before = _mean(front, train), _mean(front, held_out)
        begun = time.monotonic()
        studies = [_study(client, services, role, seed, plan) for role in roles]
        requests, judged = _traffic(client, front, studies, train, plan, seed)
        seconds = time.monotonic() - begun
        _wait_for_releases(client, services, front, train[0])
        after = _mean(front, train), _mean(front, held_out)
        records = [client.get(f"/v1/studies/{name}") for name in studies]
    values = {key: value for record in records for key, value in _released(record).items()}
    said = "; ".join(f"{record['service']}: {record['state']}, {record['message']}" for record in records)
    return Found(before, after, requests, judged, seconds, plan.late_seconds, values, said)


def _mean(front: Caller, questions: Sequence[Question]) -> float:
    return sum(ask(front, question).score for question in questions) / len(questions)


def _study(client: ApiClient, services: Pair, role: str, seed: int, plan: Plan) -> str:
    service = services.finder if role == "finder" else services.answerer
    study = {
        "name": f"learn-{service}",
        "service": service,
        "metric": METRIC,
        "parameters": list(PARAMETERS[role]),
        "optimizer_options": {"candidates": 4},
        "batch_size": plan.batch,
        "max_trials": plan.trials,
        "seed": seed,
        "promotion": "automatic",
        "selection": {"units": plan.units},
        "exploration": {"share": 1.0, "parallel": 4, "feedback_delay_seconds": plan.late_seconds + 15.0},
    }
    client.post("/v1/studies", study)
    return str(study["name"])


def _traffic(
    client: ApiClient, front: Caller, studies: Sequence[str], questions: Sequence[Question], plan: Plan, seed: int
) -> tuple[int, int]:
    """Users come until all studies have ended; how many asked, and how many of them were heard."""
    drawn = random.Random(seed)
    begun = looked = time.monotonic()
    asked = 0
    with Judge(client, plan.late_seconds) as judge:
        while (now := time.monotonic()) - begun < plan.patience_seconds:
            if now - looked > _LOOK_SECONDS:
                looked = now
                if all(client.get(f"/v1/studies/{name}")["state"] != "running" for name in studies):
                    break
            judge.later(ask(front, drawn.choice(questions)))
            asked += 1
            if judge.error is not None:
                raise RuntimeError(f"feedback was not taken: {judge.error}") from judge.error
            time.sleep(max(0.0, begun + asked / plan.per_second - time.monotonic()))
        return asked, judge.sent


def _wait_for_releases(client: ApiClient, services: Pair, front: Caller, question: Question) -> None:
    """Until both services have in force what the collector says.

    Raises:
        RuntimeError: they have not after a minute.
    """
    deadline = time.monotonic() + _APPLIED_SECONDS
    names = (services.finder, services.answerer)
    wanted = tuple(client.get(f"/v1/services/{quoted(name)}/assignment")["control"] for name in names)
    while any(number and number != found for number, found in zip(wanted, ask(front, question).releases, strict=True)):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{' and '.join(names)} did not apply {wanted} in {_APPLIED_SECONDS:g} s")
        time.sleep(_LOOK_SECONDS)


def _released(record: Mapping[str, Any]) -> Mapping[str, ParameterValue]:
    """What a study has put in force; nothing where it has not."""
    return record["trials"][record["winner"]]["values"] if record["winner"] else {}
