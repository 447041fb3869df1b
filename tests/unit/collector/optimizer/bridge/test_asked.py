"""Our calls in the shape in which trace-opt makes them; that package is not needed for it."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from collector.core.errors import OptimizerError
from collector.optimizer.bridge.asked import BEGIN, END, NOTHING, Asked, PromptTooLong
from collector.optimizer.calls.llm import ModelSettings, OpenAIModel
from tests.fakes_openai import Answer, ScriptedOpenAI

SAID = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}]
UPDATE = [{"role": "system", "content": f"Write between {BEGIN} and {END}."}, {"role": "user", "content": "Hello?"}]


async def called(answers: list[Answer], work: Callable[[Asked], Any], most: int = 1_000) -> tuple[Any, Asked, Any]:
    """What some work beside the loop gives that asks the model."""
    with ScriptedOpenAI(answers) as server:
        model = OpenAIModel(ModelSettings("m", base_url=server.base_url, response_format="json_object"), {})
        asked = Asked(model, asyncio.get_running_loop(), lambda call: 40 + call, 0.5, most)
        return await asyncio.to_thread(work, asked), asked, server


def text_of(answer: Any) -> str:
    return str(answer.choices[0].message.content)


async def test_an_answer_has_the_shape_of_the_openai_package() -> None:
    form = {"type": "json_object"}
    answer, asked, server = await called(
        ["{}"], lambda asked: asked(messages=SAID, response_format=form, max_tokens=4096)
    )
    assert text_of(answer) == asked.last == "{}"
    assert (asked.cost.calls, asked.cost.input_tokens) == (1, 11)
    (sent,) = server.requests
    assert (sent["messages"], sent["seed"], sent["temperature"]) == (SAID, 40, 0.5)
    assert sent["response_format"] == form


async def test_each_call_has_a_seed_of_its_own_and_without_a_format_none_is_sent() -> None:
    def twice(asked: Asked) -> str:
        asked.create(messages=SAID, max_tokens=1)
        return text_of(asked.create(messages=SAID, max_tokens=1))

    answer, asked, server = await called(["one", "two"], twice)
    assert (answer, asked.cost.calls) == ("two", 2)
    assert [sent["seed"] for sent in server.requests] == [40, 41]
    assert server.formats == ["text", "text"]


async def test_a_prompt_that_is_too_long_is_not_asked() -> None:
    def refused(asked: Asked) -> None:
        with pytest.raises(PromptTooLong, match="15 characters, 14 are allowed"):
            asked(messages=SAID)

    _, _, server = await called(["fine"], refused, most=14)
    assert server.requests == []


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ([f"{BEGIN}new{END}"], f"{BEGIN}new{END}"),
        (["new", f"{BEGIN}newer{END}"], f"{BEGIN}newer{END}"),
        (["new", "newer"], f"{BEGIN}{NOTHING}{END}"),
    ],
)
async def test_an_answer_without_its_marks_is_asked_for_once_more(answers: list[Answer], found: str) -> None:
    def as_there(asked: Asked) -> str:
        try:
            return text_of(asked.create(messages=UPDATE))
        except OptimizerError:
            return text_of(asked.create(messages=UPDATE))

    answer, asked, _ = await called(answers, as_there)
    assert (answer, asked.cost.calls) == (found, len(answers))


async def test_whoever_is_not_waited_for_any_more_is_let_go() -> None:
    begun, given_up = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    class Slow:
        async def complete(
            self, messages: object, schema: Mapping[str, Any], seed: int, temperature: float | None = None
        ) -> Any:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                given_up.set()

    asked = Asked(Slow(), loop, lambda call: call, None, 1_000)
    waiting = loop.run_in_executor(None, lambda: asked(messages=SAID))
    await begun.wait()
    asked.stop()
    with pytest.raises(OptimizerError, match="nobody is waiting"):
        await waiting
    await given_up.wait()
    with pytest.raises(OptimizerError, match="nobody is waiting"):
        await asyncio.to_thread(lambda: asked(messages=SAID))
