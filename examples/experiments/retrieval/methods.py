"""What looks for the seven parameters of the application."""

import random
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial

import otel_opto
from collector.core.span import AnyValue
from examples.experiments.frame.experiment import Form, Method, Setting, Tried
from examples.experiments.frame.stepping import Judged, stepped
from examples.retrieval_qa.application import Application
from examples.retrieval_qa.corpus import Question, load_corpus, load_questions
from examples.retrieval_qa.evaluation import token_f1
from examples.retrieval_qa.parameters import ALL

_WANTED = "Change the parameters so that answers have the words of the expected answers, and no others."
_BATCH = 20
"""Questions of a candidate, drawn anew for each."""


@cache
def _application() -> Application:
    return Application(load_corpus(), load_questions())


def _halves() -> tuple[Sequence[Question], Sequence[Question]]:
    shuffled = list(load_questions().values())
    random.Random(0).shuffle(shuffled)
    return shuffled[: len(shuffled) // 2], shuffled[len(shuffled) // 2 :]


def _by_optimizer(name: str, options: Mapping[str, AnyValue], setting: Setting) -> Iterator[Tried]:
    train, test = _halves()
    chance = random.Random(f"questions/{setting.seed}")
    optimizer = otel_opto.Optimizer(
        list(ALL), name=name, options=options, metric="answer_quality", instruction=_WANTED, seed=setting.seed
    )

    def judged() -> Judged:
        scores, said = [], ""
        for question in chance.sample(train, _BATCH):
            with optimizer.trace() as run:
                answer = _application().ask(question.question).answer
                run.output(answer)
            score = token_f1(answer, question.answer)
            words = f"expected '{question.answer}', answered '{answer}'"
            run.backward((score, words))
            scores.append(score)
            said = said or words
        return sum(scores) / len(scores), said

    yield from stepped(optimizer, judged, setting.calls)
    with optimizer.applied():
        asked = test if setting.form is not Form.MINUTE else test[:10]
        scores = [token_f1(_application().ask(question.question).answer, question.answer) for question in asked]
    yield Tried(optimizer.best.values, sum(scores) / len(scores), f"{len(asked)} questions kept apart", "test")


def _hybrid(setting: Setting) -> Iterator[Tried]:
    options: dict[str, AnyValue] = {
        "model": setting.endpoint.name, "base_url": setting.endpoint.address, "temperature": 0.7, "max_tokens": 200,
        "max_prompt_chars": 6_000, "timeout_seconds": 600, "concurrency": 1,
        "startup_trials": max(2, setting.calls // 3),
    }  # fmt: skip
    yield from _by_optimizer("hybrid", options, setting)


def _searched(sampler: str, setting: Setting) -> Iterator[Tried]:
    options: dict[str, AnyValue] = {"sampler": sampler, "startup_trials": max(2, setting.calls // 3)}
    yield from _by_optimizer("search", options, setting)


def _unchanged(setting: Setting) -> Iterator[Tried]:
    yield from _by_optimizer("bandit", {}, Setting("", setting.seed, 0, setting.form))


METHODS = (
    Method("hybrid", "numbers and choices by search, the wording by a model", _hybrid, "model"),
    Method("tpe", "scores; all seven, the wording among five", partial(_searched, "tpe")),
    Method("bandit", "scores; method and wording only, the numbers stay", partial(_by_optimizer, "bandit", {})),
    Method("random", "nothing", partial(_searched, "random")),
    Method("unchanged", "nothing; the application's own values", _unchanged),
)
