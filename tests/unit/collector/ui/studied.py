"""Studies that have been, written into a data directory as a collector writes them, the same in each run."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from collector.core.candidate import Fate, Found, Window
from collector.core.ledger import Change, Event
from collector.core.study import Cost, Objective, Proposal, RejectedProposal, Study, StudyState, Trial
from collector.storage.file_store import FileStore
from collector.study import history
from otel_opto.spec import Constraint, ParameterSpec, ParameterType, ParameterValue

SHOP = "shop"
SPECS = (
    ParameterSpec("retriever.top_k", ParameterType.INTEGER, 3, Constraint(minimum=1, maximum=20)),
    ParameterSpec("ranker.weight", ParameterType.FLOAT, 0.9, Constraint(minimum=0, maximum=1)),
    ParameterSpec("answer.style", ParameterType.CHOICE, "plain", Constraint(choices=("plain", "short", "polite"))),
    ParameterSpec("answer.prompt", ParameterType.TEXT, "Answer the question from the passages below."),
)
WORDS = (
    "Answer the question from the passages below.",
    "Answer the question from the passages below, in one sentence.",
    "Answer from the passages below only, in one sentence, and name the passage.",
)
BEGAN = 1_790_000_000 * 10**9


class Clock:
    """Always the same time."""

    def now_unix_nano(self) -> int:
        return BEGAN


def trials_of(study: Study, count: int) -> list[tuple[Trial, Found]]:
    """The baseline and candidates whose scores hang on the ranker's weight above all."""
    rng = random.Random(study.seed)
    made = []
    for number in range(count):
        values: dict[str, ParameterValue] = {
            "retriever.top_k": rng.randint(1, 20) if number else 3,
            "ranker.weight": round(rng.random(), 3) if number else 0.9,
            "answer.style": rng.choice(("plain", "short", "polite")) if number else "plain",
            "answer.prompt": WORDS[number % 3],
        }
        lead = 0.35 * (0.9 - float(str(values["ranker.weight"]))) + rng.gauss(0, 0.03) if number else 0.0
        why = (
            f"draft {number}: less weight for the title, since answers came from headings <b>only</b>" if number else ""
        )
        cost = Cost(1, 900, 120, 2.5, 0.002) if number else Cost()
        trial = Trial(number, number + 1, values, why, cost)
        several = {"quality": 0.5 + lead, "cost": 1.0 + lead + number % 2 / 10} if study.objectives else {}
        found = Found(
            number, 40, 0, lead, 0.04 if number else None, 0.5 + lead, 0.5, objectives=several, deviations={}, kept={}
        )
        made.append((trial, found))
    return made


def events_of(study: Study, count: int) -> Sequence[Event]:
    """A study that has ended: its best trial won."""
    made = trials_of(study, count)
    best = max(made[1:], key=lambda one: one[1].lead)[0].number
    shares = {trial.number: 1 / count for trial, _ in made}
    window = Window(1, "look", shares, {trial.number: trial.release for trial, _ in made}, 40 * count, 40)
    found = [
        replace(
            one,
            errors=1,
            gain=(one.lead, 0.01, 2 * one.lead),
            fresh_units=300,
            kept={"latency.p95": "it is shown"} if study.objectives else {},
        )
        if one.trial == best
        else one
        for _, one in made
    ]
    fates = {
        trial.number: (Fate.WON, "fresh data show it")
        if trial.number == best
        else (Fate.DROPPED, "it did not look better")
        for trial, _ in made[1:]
    }
    refused = Proposal({"retriever.top_k": 99}, "many passages may help", Cost(1, 900, 120, 2.5, 0.002))
    return [
        history.created(study),
        *(history.opened(study, trial) for trial, _ in made),
        history.rejected(study, RejectedProposal(refused, ("retriever.top_k: found 99, allowed is 1 to 20",), 2)),
        history.window_opened(study, window),
        history.window_closed(study, 1, "it had its units", found, "one is better"),
        history.settled(study, fates, 40 * count),
        history.concluded(study, StudyState.FINISHED, f"trial {best} is better on fresh data"),
    ]


async def studied(directory: Path, count: int = 41) -> None:
    """Fills a directory on which no collector runs: a service, its parameters, the studies `first` and `second`."""
    store = FileStore(directory, Clock())
    await store.start()
    await store.parameters.declare(SHOP, SPECS)
    options = {"model": "model-a", "max_money": 1.0, "max_study_tokens": 100_000}
    for name, seed in (("first", 1), ("second", 2)):
        study = Study(
            name, SHOP, "quality", optimizer="hybrid", optimizer_options=options, max_trials=count + 9, seed=seed,
            objectives=(Objective("cost", highest=2.0),) if name == "second" else (),
        )  # fmt: skip
        await store.ledger.append(
            [Change(history.study_stream(name), 0, tuple(events_of(study, count)))], f"study:{name}"
        )
    await store.stop()
