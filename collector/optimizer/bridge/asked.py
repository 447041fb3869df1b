"""Our calls of a model for code that wants its own: synchronous, with answers in the shape of the openai package."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from collector.core.errors import OptimizerError
from collector.core.study import Cost
from collector.optimizer.calls.llm import Completion, LanguageModel
from collector.optimizer.calls.tokens import length

if TYPE_CHECKING:
    from concurrent.futures import Future

_JSON: Mapping[str, Any] = {"type": "object"}
BEGIN, END = "<IMPROVED_VARIABLE>", "</IMPROVED_VARIABLE>"
"""Between them stands what its TextGrad writes."""

_NOBODY = "nobody is waiting for a candidate any more"

NOTHING = "\0"
"""Stands for a variable that the model wrote nothing for, though it was asked twice."""


class PromptTooLong(OptimizerError):
    """A prompt is longer than the study allows; no call was made."""


class Asked:
    """What an optimizer of ``trace-opt`` takes for its model; it is called in a thread beside the event loop.

    Args:
        model: Answers, on the loop, with caps, prices, patience and spans of the study.
        loop: Where it answers.
        seed: Gives one for each call, by its number.
        temperature: Of each call.
        most_chars: Of a prompt.
    """

    def __init__(
        self,
        model: LanguageModel,
        loop: asyncio.AbstractEventLoop,
        seed: Callable[[int], int],
        temperature: float | None,
        most_chars: int,
    ) -> None:
        self._model, self._loop, self._seed = model, loop, seed
        self._temperature, self._most_chars = temperature, most_chars
        self._lock = threading.Lock()
        self._stopped = False
        self._waiting: Future[Completion] | None = None
        self._unwritten = ""
        self.cost = Cost()
        self.last = ""

    def __call__(
        self,
        *,
        messages: Sequence[Mapping[str, str]],
        response_format: object = None,
        **_: object,
    ) -> Any:
        """An answer, as OptoPrime and OPRO ask for it; TextGrad says `create`.

        Both ask once more, without a format, whatever the first call raised.

        Args:
            messages: What is said.
            response_format: A JSON object is wanted, unless it is None.

        Raises:
            PromptTooLong: nothing was asked.
            OptimizerError: see `LanguageModel`; also where the answer lacks the marks that it must have.
        """
        if length(messages) > self._most_chars:
            raise PromptTooLong(f"a prompt of {length(messages)} characters, {self._most_chars} are allowed")
        with self._lock:
            if self._stopped:
                raise OptimizerError(_NOBODY)
            asking = self._model.complete(
                messages, _JSON if response_format is not None else {}, self._seed(self.cost.calls), self._temperature
            )
            self._waiting = asyncio.run_coroutine_threadsafe(asking, self._loop)
        try:
            completion = self._waiting.result()
        except CancelledError as error:
            raise OptimizerError(_NOBODY) from error
        tokens = completion.input_tokens, completion.output_tokens
        self.cost += Cost(completion.requests, *tokens, completion.seconds, completion.money)
        self.last = completion.text
        return _shaped(self._marked(messages, completion.text))

    create = __call__

    def stop(self) -> None:
        """Nobody waits for the answers any more: the call under way is given up, and there is no further one."""
        with self._lock:
            self._stopped = True
            if self._waiting is not None:
                self._waiting.cancel()

    def _marked(self, messages: Sequence[Mapping[str, str]], answer: str) -> str:
        """The answer; without the marks that its reader wants: one call more, then marks around nothing."""
        if not any(BEGIN in message["content"] for message in messages if message["role"] == "system"):
            return answer
        if BEGIN in answer:
            return answer
        asked = repr(messages)
        if self._unwritten != asked:
            self._unwritten = asked
            raise OptimizerError(f"the model answered without {BEGIN}: found {answer[:200]!r}")
        return f"{BEGIN}{NOTHING}{END}"


def _shaped(text: str) -> Any:
    return SimpleNamespace(choices=[SimpleNamespace(message=SimpleNamespace(content=text))])
