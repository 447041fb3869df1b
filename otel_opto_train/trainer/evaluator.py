"""Has examples measured, a few at a time; what was measured before is not measured again."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from otel_opto.spec import ParameterValue
from otel_opto_train.course import key_of
from otel_opto_train.run import Stage
from otel_opto_train.trainer.bench import Bench
from otel_opto_train.trainer.examples import Example
from otel_opto_train.trainer.measuring import Measured, Measurer, Subject
from otel_opto_train.trainer.plan import Plan
from otel_opto_train.trainer.processes import Processes
from otel_opto_train.trainer.record import Evaluation, evaluated


class Evaluator:
    """Measures candidates on examples.

    Args:
        bench: Where measurements are kept.
        stage: Where runs take place.
        subject: What is measured.
        plan: How often each output is judged, and how many examples run at the same time.
        pool: Threads for what is not asynchronous, or for waiting for processes.
        heard: Is told of each new measurement.
        processes: Where examples are run; None: in this process.
    """

    def __init__(
        self,
        bench: Bench,
        stage: Stage,
        subject: Subject,
        plan: Plan,
        pool: ThreadPoolExecutor,
        heard: Callable[[Evaluation], None],
        processes: Processes | None = None,
    ) -> None:
        self._bench = bench
        self._stage = stage
        self._keys = subject.keys
        self._pool = pool
        self._heard = heard
        self._processes = processes
        self._room = asyncio.Semaphore(plan.workers)
        self._under_way = asyncio.Semaphore(2 * plan.workers)  # with those that are being written
        self.version = subject.version(plan.judge_samples)
        self._measurer = Measurer(stage, subject, plan, pool, self.version)

    async def evaluate(self, candidates: Sequence[Mapping[str, ParameterValue]], examples: Sequence[Example]) -> None:
        """Measures each candidate on each example, where that has not been done.

        Raises:
            CollectorError: what was measured cannot be kept.
        """
        known = (await self._bench.record()).evaluations
        try:
            async with asyncio.TaskGroup() as group:
                for example in examples:
                    for values in candidates:
                        if (key_of(values), example.key, self.version) not in known:
                            group.create_task(self._one(values, example))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None  # of those under way at the same time all say the same

    async def found(self, values: Mapping[str, ParameterValue], examples: Sequence[Example]) -> list[Evaluation]:
        """What is known of a candidate on examples, in their order."""
        known = (await self._bench.record()).evaluations
        places = [(key_of(values), example.key, self.version) for example in examples]
        return [known[place] for place in places if place in known]

    async def _one(self, values: Mapping[str, ParameterValue], example: Example) -> None:
        async with self._under_way:
            if self._processes is not None:
                async with self._room:
                    measured = await self._apart(self._processes, values, example)
            else:
                async with self._room:
                    trained = {key: values[key] for key in self._keys}
                    run, begun, judgements = await self._measurer.run(trained, example, key_of(values))
                measured = await asyncio.to_thread(self._measurer.measured, begun, run, judgements, example)
            await self._kept(measured)

    async def _apart(self, processes: Processes, values: Mapping[str, ParameterValue], example: Example) -> Measured:
        whole = {**self._stage.in_force(), **{key: values[key] for key in self._keys}}
        begun = Evaluation(key_of(values), example.key, self.version, None)
        return await asyncio.get_running_loop().run_in_executor(self._pool, processes.measure, whole, example, begun)

    async def _kept(self, measured: Measured) -> None:
        if measured.otlp:
            await self._bench.keep(measured.otlp, measured.feedback)
        await self._bench.add(evaluated(measured.evaluation))
        self._heard(measured.evaluation)
