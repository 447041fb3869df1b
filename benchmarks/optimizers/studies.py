"""The two tasks as studies, and what came of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.optimizers.endpoint import Heard, answer, options
from benchmarks.optimizers.tasks import ARMS, HELD_OUT, INSTRUCTION, SENTENCES, Lengths, sentiment
from benchmarks.optimizers.world import World
from collector.core.study import Cost, Exploration, Study, StudyState, Trial
from collector.optimizer.answers.alone import read_alone
from collector.optimizer.answers.reading import UnreadableAnswer, read_answer
from collector.optimizer.generators.optoprime import OptoPrime
from otel_opto.spec import ParameterSpec, ParameterType

_TARGET = 17
_REPEATED = "tried already"
"""What a proposal's reasoning says where answers before it came to values that were tried."""

_LENGTHS = (Lengths(6.5, 2.5), Lengths(3.0, 7.0), Lengths(8.5, 4.0), Lengths(2.0, 5.5), Lengths(7.0, 1.0))


@dataclass(frozen=True)
class Outcome:
    """One study; its answers are those that led to a judged trial, or were given on the way to one."""

    words: str
    reached: bool
    trials: Sequence[Trial]
    heard: Heard
    specs: Sequence[ParameterSpec]

    def rates(self) -> tuple[int, int, int]:
        """Answers, those that could be read, and those that repeated values which were tried."""
        read = copies = at = 0
        for trial in self.trials[1:]:
            answers = self.heard.texts[at : at + trial.cost.calls]
            read += sum(map(self._can_be_read, answers))
            copies += trial.cost.calls - 1 if _REPEATED in trial.reasoning else 0
            at += trial.cost.calls
        return at, read, copies

    def _can_be_read(self, text: str) -> bool:
        """In either form: a text by itself is only asked for where there is one."""
        try:
            read_answer(text, self.specs, Cost())
        except UnreadableAnswer:
            (spec, *others) = self.specs
            return not others and spec.type is ParameterType.TEXT and bool(read_alone(text, spec))
        return True


def _study(name: str, seed: int, **more: object) -> Study:
    given = options()
    assert given is not None
    return Study(
        name, "task", "quality", optimizer="optoprime", optimizer_options=given, seed=seed,
        exploration=Exploration(share=1.0), **more,  # type: ignore[arg-type]
    )  # fmt: skip


async def words_of(seed: int, calls: int, *, loud: bool) -> Outcome:
    """The instruction: until 17 of the 20 sentences are right, or the calls are used up."""
    study = _study(
        "words", seed, batch_size=20, max_trials=calls, instruction="The program must say the sentiment of the text."
    )
    heard = Heard()
    async with World((INSTRUCTION,), study, OptoPrime(heard.model)) as world:
        best = 0.0
        while (await world.record()).state is StudyState.RUNNING and best < _TARGET / 20 and len(heard.texts) <= calls:
            trial = await world.batch(sentiment, SENTENCES)
            best = max(best, trial.score or 0.0)
            if loud:
                print(f"    {trial.number} {trial.score} {trial.values['prompt']!r} | {trial.reasoning}", flush=True)
        record = await world.record()
        found = record.best_trial()
        assert found is not None
        used = sum(trial.cost.calls for trial in record.trials if trial.number <= found.number)
        held = sum(answer(str(found.values["prompt"]), text) == label for text, label in HELD_OUT)
        words = f"{best * 20:.0f} of 20, {held} of 10 held out, after {used} calls: {found.values['prompt']!r}"
        reached = best * 20 >= _TARGET and held >= 8 and used <= calls
        judged = [trial for trial in record.trials if trial.complete]
        return Outcome(words, reached, judged, heard, (INSTRUCTION,))


async def numbers(seed: int, trials: int, *, loud: bool) -> Outcome:
    """The two lengths, others for each seed: until both are right, or the trials are used up."""
    lengths = _LENGTHS[seed % len(_LENGTHS)]
    study = _study("numbers", seed, batch_size=1, max_trials=trials, instruction="Make both arms right.", lowest=-20.0)
    heard = Heard()
    async with World(ARMS, study, OptoPrime(heard.model)) as world:
        near = False
        while (await world.record()).state is StudyState.RUNNING and not near:
            trial = await world.batch(lengths.judge, ["cargo"])
            near = lengths.near(trial.values)
            if loud:
                print(f"    {trial.number} {dict(trial.values)} {trial.score} | {trial.reasoning}", flush=True)
        record = await world.record()
        judged = [trial for trial in record.trials if trial.complete]
        calls = sum(trial.cost.calls for trial in judged)
        words = f"{'right' if near else 'not right'} after {len(judged) - 1} trials, {calls} calls {record.message}"
        return Outcome(words, near, judged, heard, ARMS)
