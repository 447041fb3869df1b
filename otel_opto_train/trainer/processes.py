"""Examples in processes of their own: what hangs is ended, what dies is an error, and the training goes on."""

import asyncio
import multiprocessing
import pickle
import queue
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

import otel_opto
from otel_opto.spec import ParameterValue
from otel_opto_train.optimizers import recorders
from otel_opto_train.run import Stage
from otel_opto_train.trainer.examples import Example
from otel_opto_train.trainer.measuring import Guide, Measured, Measurer, Subject, Workflow
from otel_opto_train.trainer.plan import Plan
from otel_opto_train.trainer.record import Evaluation

_BEGINNING_SECONDS = 300.0
"""In which a process has to have imported what it runs."""

_END_SECONDS = 10.0
_READY = "ready"


class Processes:
    """So many processes, begun when they are needed; each runs one example at a time.

    They are spawned: nothing of this process is in them but what they import, which is the module of the workflow with
    the parameters that it declares.

    Args:
        workflow: See `Workflow`; found by its name in a module.
        guide: The same.
        keys: Of the parameters that are trained.
        plan: How many there are, and how long an example may take.

    Raises:
        ValueError: workflow or guide cannot be found from another process.
    """

    def __init__(self, workflow: Workflow, guide: Guide, keys: tuple[str, ...], plan: Plan) -> None:
        for name, function in (("workflow", workflow), ("guide", guide)):
            try:
                pickle.dumps(function)
            except (pickle.PicklingError, TypeError, AttributeError) as error:
                raise ValueError(
                    f"processes: the {name} cannot be found from another process ({error}); allowed is a function at "
                    "the top of a module, or workers that are threads"
                ) from None
        self._idle: queue.SimpleQueue[_Process] = queue.SimpleQueue()
        self._all = [_Process((workflow, guide, keys, plan), plan.example_seconds) for _ in range(plan.workers)]
        for one in self._all:
            self._idle.put(one)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self._all:
            one.end()

    def measure(self, values: Mapping[str, ParameterValue], example: Example, begun: Evaluation) -> Measured:
        """Measures one example; waits for it.

        Args:
            values: Of all parameters.
            begun: What it is a measurement of.
        """
        one = self._idle.get()
        try:
            return one.measure(values, example, begun)
        finally:
            self._idle.put(one)


class _Process:
    """One process, and the next one where it has died."""

    def __init__(self, given: tuple[Workflow, Guide, tuple[str, ...], Plan], seconds: float | None) -> None:
        self._given, self._seconds = given, seconds
        self._running: tuple[Any, Connection] | None = None

    def measure(self, values: Mapping[str, ParameterValue], example: Example, begun: Evaluation) -> Measured:
        """See `Processes.measure`. Whatever becomes of the process is an error of the example."""
        try:
            connection = self._begun()
            connection.send((dict(values), example, begun))
            if not connection.poll(self._seconds):
                self.end()
                return _failed(begun, f"it took longer than {self._seconds:g} s, and its process was ended")
            found = connection.recv()
            return found if isinstance(found, Measured) else _failed(begun, str(found))
        except (EOFError, OSError):
            return _failed(begun, f"its process ended {self._how()}")
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            return _failed(begun, f"its input cannot be sent to a process: {error}")

    def _begun(self) -> Connection:
        """The connection to the process, which is begun if there is none.

        Raises:
            EOFError: it ended before it was ready.
        """
        if self._running is None:
            context = multiprocessing.get_context("spawn")
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, *self._given), daemon=True)
            self._running = process, ours
            process.start()
            theirs.close()
            if not ours.poll(_BEGINNING_SECONDS) or ours.recv() != _READY:
                raise EOFError
        return self._running[1]

    def _how(self) -> str:
        """How it ended, in words; it is over now."""
        process = self._running[0] if self._running is not None else None
        if process is not None and process.pid is not None:
            process.join(_END_SECONDS)
        code = process.exitcode if process is not None and process.pid is not None else None
        self.end()
        return f"with the exit code {code}" if code is not None else "before it answered"

    def end(self) -> None:
        """Ends it at once; another one begins with the next example."""
        running, self._running = self._running, None
        if running is None:
            return
        process, connection = running
        connection.close()
        if process.pid is not None:
            process.kill()
            process.join()
            with suppress(ValueError):
                process.close()


def _failed(begun: Evaluation, why: str) -> Measured:
    return Measured(replace(begun, text=why, failed=True))


def _serve(connection: Connection, workflow: Workflow, guide: Guide, keys: tuple[str, ...], plan: Plan) -> None:
    """What a process does: an example after the other, until nobody asks any more."""
    stage = Stage(otel_opto._sdk, recorders)  # noqa: SLF001 - of the process
    connection.send(_READY)
    with suppress(EOFError, OSError), ThreadPoolExecutor(1) as pool:
        while True:
            values, example, begun = connection.recv()
            specs = stage.registry.specs()
            missing = [key for key in keys if key not in specs]
            if missing:
                declared = ", ".join(sorted(specs)) or "none"
                connection.send(
                    f"parameters {', '.join(missing)} are not declared where the workflow is imported; declared are "
                    f"{declared}: declare them in its module"
                )
                continue
            known = {key: value for key, value in values.items() if key in specs}
            measurer = Measurer(stage, Subject(workflow, guide, specs, keys), plan, pool, begun.version)
            connection.send(asyncio.run(_measured(measurer, known, example, begun)))


async def _measured(
    measurer: Measurer, values: Mapping[str, ParameterValue], example: Example, begun: Evaluation
) -> Measured:
    run, made, judgements = await measurer.run(values, example, begun.candidate)
    return measurer.measured(made, run, judgements, example)
