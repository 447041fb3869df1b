"""What a model is good for."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from collector.optimizer.calls.llm import ModelSettings, OpenAIModel
from collector.optimizer.drafting.acceptance import Acceptance, acceptance
from tests.fakes_openai import Reply, Said, ScriptedOpenAI, suggesting


def asked_about(sent: Mapping[str, Any]) -> str:
    return str(sent["messages"][-1]["content"])


def able(sent: Mapping[str, Any]) -> Said:
    """Follows the words of the feedback."""
    asked = asked_about(sent)
    if "width is too" in asked:
        return suggesting(width="larger" if "too small" in asked else "smaller")
    return suggesting(prompt="Answer with one word and nothing else.")


def weak(sent: Mapping[str, Any]) -> Said:
    """Always larger; texts as they are."""
    asked = asked_about(sent)
    if "width is too" in asked:
        return suggesting(width=99.0)
    if "prompt = " in asked:
        return suggesting(prompt=asked.split('prompt = "')[1].split('"')[0])
    if asked.startswith("Text now:"):
        return asked.split("\n")[1]
    return (400, "the request exceeds the available context size") if len(asked) > 5_000 else "yes"


def timid(sent: Mapping[str, Any]) -> Said:
    """Repeats texts where it is asked for an object."""
    asked = asked_about(sent)
    return (
        "Answer with one word alone."
        if asked.startswith("Text now:")
        else able(sent)
        if "width is too" in asked
        else weak(sent)
    )


def mute(sent: Mapping[str, Any]) -> Said:
    return Reply("I would rather not.", usage=None)


async def checked(answer: Callable[[Mapping[str, Any]], Said]) -> tuple[Acceptance, ScriptedOpenAI]:
    with ScriptedOpenAI([answer]) as server:
        model = OpenAIModel(ModelSettings("m", base_url=server.base_url), {})
        return await acceptance(model, "m"), server


async def test_an_able_model_has_no_weaknesses() -> None:
    found, server = await checked(able)
    assert (found.direction, found.readable, found.copied, found.prompt_chars) == (1.0, 1.0, 0.0, 16_000)
    assert found.chars_per_token > 100  # the fake counts 11 tokens, whatever it is sent
    assert found.tokens_per_second > 0
    assert not found.weaknesses
    assert found.options == {"model": "m", "temperature": 0.7, "max_prompt_chars": 16_000}
    assert all(sent["temperature"] == 0 for sent in server.requests)
    assert "depth" in json.dumps(server.requests[0]["messages"])  # a worked example about numbers


async def test_a_weak_model_is_said_to_be_weak_and_at_what() -> None:
    found, _ = await checked(weak)
    assert (found.direction, found.copied, found.prompt_chars) == (0.5, 1.0, 4_000)
    assert [said.split(":")[0] for said in found.weaknesses] == [
        "it moves 50% of numbers the right way",
        "it repeats 100% of texts as they were",
    ]
    assert found.options["candidates"] == 4
    assert "form" not in found.options


async def test_a_model_that_repeats_texts_in_objects_is_asked_for_them_alone() -> None:
    found, _ = await checked(timid)
    assert (found.copied, found.weaknesses, found.options["form"]) == (0.0, [], "alone")
    assert "candidates" not in found.options


async def test_a_model_that_cannot_be_read_cannot_be_used() -> None:
    found, _ = await checked(mute)
    assert found.readable == 0
    assert "0% of its answers can be read, 80% are wanted: it cannot be used" in found.weaknesses
    assert found.chars_per_token == 0
