"""The client against a real HTTP server and with the real openai package."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from collector.core.errors import OptimizerError
from collector.optimizer.answers.schema import schema_of
from collector.optimizer.calls.llm import Busy, Completion, ModelSettings, OpenAIModel
from tests.contract.optimizers import SPECS
from tests.fakes_openai import Reply, Said, ScriptedOpenAI

MESSAGES = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}]
SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def model(fake: ScriptedOpenAI, environ: Mapping[str, str] | None = None, **changed: object) -> OpenAIModel:
    settings = replace(ModelSettings("tiny", base_url=fake.base_url), **changed)  # type: ignore[arg-type]
    return OpenAIModel(settings, environ or {})


async def ask(asked: OpenAIModel) -> Completion:
    return await asked.complete(MESSAGES, SCHEMA, 5)


async def failure(asked: OpenAIModel) -> OptimizerError:
    with pytest.raises(OptimizerError) as caught:
        await ask(asked)
    return caught.value


def without_schema(sent: Mapping[str, Any]) -> Said:
    wanted = sent.get("response_format", {}).get("type")
    return (400, "response_format.type must be json_object or text") if wanted == "json_schema" else "fine"


async def test_an_answer_comes_with_what_it_cost() -> None:
    with ScriptedOpenAI([Reply("fine", usage=(12, 3))]) as fake:
        completion = await ask(model(fake))
    assert (completion.text, completion.finish_reason) == ("fine", "stop")
    assert (completion.input_tokens, completion.output_tokens) == (12, 3)
    assert completion.seconds > 0
    assert fake.headers[0]["authorization"] == "Bearer none"
    [sent] = fake.requests
    assert sent.pop("response_format")["json_schema"]["schema"] == SCHEMA
    assert sent == {"model": "tiny", "messages": MESSAGES, "max_tokens": 1024, "seed": 5}


async def test_what_the_study_sets_is_sent() -> None:
    with ScriptedOpenAI(["fine"]) as fake:
        settings = {"temperature": 0.5, "max_tokens": 99, "token_limit_parameter": "max_completion_tokens"}
        await ask(model(fake, response_format="text", **settings))
    assert fake.requests[0] == {
        "model": "tiny",
        "messages": MESSAGES,
        "max_completion_tokens": 99,
        "seed": 5,
        "temperature": 0.5,
    }


async def test_key_and_address_come_from_the_environment() -> None:
    with ScriptedOpenAI(["fine"]) as fake:
        environ = {"OPENAI_BASE_URL": fake.base_url, "OPENAI_API_KEY": "sk-secret"}
        await ask(OpenAIModel(ModelSettings("tiny"), environ))
    assert fake.headers[0]["authorization"] == "Bearer sk-secret"


async def test_without_address_and_key_it_says_which_variable_is_missing() -> None:
    error = await failure(OpenAIModel(ModelSettings("tiny"), {}))
    assert error.permanent
    assert "OPENAI_API_KEY" in str(error)


async def test_an_answer_without_usage_costs_nothing_known() -> None:
    with ScriptedOpenAI([Reply("fine", usage=None)]) as fake:
        completion = await ask(model(fake))
    assert (completion.input_tokens, completion.output_tokens) == (0, 0)


@pytest.mark.parametrize("said", [-5, "a few", 10**30, None, [7], {"all": 7}])
async def test_a_usage_that_is_no_number_of_tokens_costs_nothing_known(said: object) -> None:
    answer = {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "fine"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": said, "completion_tokens": said, "total_tokens": said},
    }
    with ScriptedOpenAI([Reply(raw=json.dumps(answer).encode())]) as fake:
        completion = await ask(model(fake))
    assert (completion.text, completion.input_tokens, completion.output_tokens) == ("fine", 0, 0)


# --- what endpoints refuse ------------------------------------------------------------------------------------------


async def test_a_refused_format_is_conceded_and_remembered() -> None:
    with ScriptedOpenAI([without_schema]) as fake:
        asked = model(fake)
        await ask(asked)
        await ask(asked)
    assert fake.formats == ["json_schema", "json_schema", "json_object", "json_object"]


async def test_where_any_text_will_do_no_format_is_asked_for_and_none_is_given_up() -> None:
    refusals: list[Said] = [(400, "no seed, please"), "fine", "fine"]
    with ScriptedOpenAI(refusals) as fake:
        asked = model(fake)
        assert (await asked.complete(MESSAGES, {}, 5)).text == "fine"
        await ask(asked)
    assert fake.formats == ["text", "text", "json_schema"]
    assert ["seed" in sent for sent in fake.requests] == [True, False, False]


@pytest.mark.parametrize(
    "refusal",
    [
        (400, "unknown field"),
        (404, "not here"),
        (422, "unprocessable"),
        (500, "response_format is not supported"),
    ],
    ids=str,
)
async def test_the_ladder_ends_at_plain_text_and_no_refusal_is_repeated(refusal: Said) -> None:
    with ScriptedOpenAI([lambda sent: refusal if "response_format" in sent else "fine"]) as fake:
        assert (await ask(model(fake))).text == "fine"
    assert fake.formats == ["json_schema", "json_schema", "json_object", "text"]


async def test_a_chosen_format_is_not_left() -> None:
    with ScriptedOpenAI([without_schema]) as fake:
        error = await failure(model(fake, response_format="json_schema"))
    assert error.permanent
    assert fake.formats == ["json_schema", "json_schema"]


async def test_bounds_are_conceded_before_the_schema_is() -> None:
    def answer(sent: Mapping[str, Any]) -> Said:
        return (400, "maxLength is not permitted") if "maxLength" in json.dumps(sent) else "fine"

    with ScriptedOpenAI([answer]) as fake:
        asked = model(fake)
        await asked.complete(MESSAGES, schema_of(SPECS), 5)
        await asked.complete(MESSAGES, schema_of(SPECS), 5)
    assert fake.formats == ["json_schema"] * 3
    assert ["maxLength" in json.dumps(sent) for sent in fake.requests] == [True, False, False]


async def test_a_call_can_have_its_own_temperature() -> None:
    with ScriptedOpenAI(["fine"]) as fake:
        await model(fake, temperature=0.5).complete(MESSAGES, {}, 5, 0.25)
    assert fake.requests[0]["temperature"] == 0.25


async def test_formats_are_not_given_up_for_an_error_that_was_not_about_them() -> None:
    with ScriptedOpenAI([*[(404, "no such model")] * 4, "fine"]) as fake:
        asked = model(fake)
        error = await failure(asked)
        await ask(asked)
    assert error.permanent
    assert fake.formats[-1] == "json_schema"


async def test_calls_beside_each_other_concede_one_step_only() -> None:
    with ScriptedOpenAI([without_schema]) as fake:
        asked = model(fake)
        await asyncio.gather(ask(asked), ask(asked), ask(asked))
        await ask(asked)
    assert fake.formats[-1] == "json_object"


async def test_a_refused_seed_is_left_away() -> None:
    def answer(sent: Mapping[str, Any]) -> Said:
        return (400, "Unknown parameter: 'seed'") if "seed" in sent else "fine"

    with ScriptedOpenAI([answer]) as fake:
        asked = model(fake)
        await ask(asked)
        await ask(asked)
    assert ["seed" in sent for sent in fake.requests] == [True, False, False]
    assert fake.formats[-1] == "json_schema"


# --- faults ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({}, None), ({"retry-after-ms": "250"}, 0.25), ({"Retry-After": "7"}, 7.0), ({"Retry-After": "soon"}, None)],
)
async def test_a_passing_fault_is_said_at_once_with_the_endpoints_own_wish(
    headers: Mapping[str, str], seconds: float | None
) -> None:
    with ScriptedOpenAI([Reply("slow down", status=429, headers=headers)]) as fake:
        error = await failure(model(fake))
    assert isinstance(error, Busy)
    assert not error.permanent
    assert "slow down" in str(error)
    assert error.retry_after_seconds == seconds
    assert fake.formats == ["json_schema"]


async def test_a_wish_can_be_a_date() -> None:
    with ScriptedOpenAI([Reply("later", status=503, headers={"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"})]) as fake:
        error = await failure(model(fake))
    assert isinstance(error, Busy)
    assert (error.retry_after_seconds or 0) > 1e6


async def test_refused_requests_count() -> None:
    with ScriptedOpenAI([without_schema]) as fake:
        asked = model(fake)
        assert [(await ask(asked)).requests for _ in range(2)] == [3, 1]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_wrong_key_is_permanent_and_not_repeated_in_the_error(status: int) -> None:
    with ScriptedOpenAI([(status, "wrong key sk-secret")]) as fake:
        error = await failure(model(fake, {"OPENAI_API_KEY": "sk-secret"}))
    assert error.permanent
    assert "wrong key ***" in str(error)
    assert "sk-secret" not in str(error)
    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    "text",
    ["the request exceeds the available context size", "This model's maximum context length is 8192 tokens"],
)
async def test_too_long_a_prompt_is_permanent_and_says_what_to_do(text: str) -> None:
    with ScriptedOpenAI([(400, text)]) as fake:
        error = await failure(model(fake))
    assert error.permanent
    assert "max_prompt_chars" in str(error)
    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(raw=b"not json at all"),
        Reply(raw=b"<html>proxy</html>", content_type="text/html"),
        Reply(raw=b'{"choices": []}'),
        Reply(raw=b'{"choices": [{"index": 0}]}'),
        Reply(raw=b"[1, 2]"),
        Reply(raw=b"null"),
    ],
    ids=lambda reply: reply.raw.decode(),
)
async def test_what_is_no_completion_is_a_passing_fault(reply: Reply) -> None:
    with ScriptedOpenAI([reply]) as fake:
        error = await failure(model(fake))
    assert not error.permanent
    assert fake.base_url in str(error)


async def test_an_endpoint_that_does_not_answer_in_time_is_a_passing_fault() -> None:
    def answer(sent: Mapping[str, Any]) -> Said:
        fake.closing.wait(30)
        return "too late"

    with ScriptedOpenAI([answer]) as fake:
        error = await failure(model(fake, timeout_seconds=0.05))
    assert not error.permanent
    assert "APITimeoutError" in str(error)


async def test_an_endpoint_that_is_not_there_is_named() -> None:
    with ScriptedOpenAI(["fine"]) as fake:
        asked, base_url = model(fake), fake.base_url
    error = await failure(asked)
    assert not error.permanent
    assert base_url in str(error)


@pytest.mark.parametrize("address", ["http://[::1", "ftp://host/v1", "127.0.0.1:80", "http://a b/"])
async def test_an_address_that_is_none_is_permanent(address: str) -> None:
    error = await failure(OpenAIModel(ModelSettings("tiny"), {"OPENAI_BASE_URL": address}))
    assert error.permanent
    assert f"found {address!r}" in str(error)


async def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    error = await failure(OpenAIModel(ModelSettings("tiny"), {"OPENAI_BASE_URL": "https://me:secret@host/v1"}))
    assert error.permanent
    assert "found 'https://***@host/v1'" in str(error)


def test_without_the_package_it_says_what_to_install() -> None:
    script = (
        "import asyncio, sys\n"
        "sys.modules['openai'] = None\n"
        "from collector.core.study import Study\n"
        "from collector.optimizer.calls.llm import ModelSettings, OpenAIModel\n"
        "from collector.optimizer.generators.optoprime import build\n"
        "print(*build().check(Study('s', 'shop', 'm', optimizer_options={'model': 'm'}), ()))\n"
        "try:\n"
        "    asyncio.run(OpenAIModel(ModelSettings('m'), {}).complete([], {}, 0))\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error.permanent, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    wanted = "this optimizer needs the package openai: pip install 'otel-opto[llm]'"
    assert done.stdout.splitlines() == [wanted, f"OptimizerError True {wanted}"]


async def test_calls_within_share_one_connection_that_ends_with_the_last() -> None:
    with ScriptedOpenAI(["fine"], keep_alive=True) as fake:
        asked = model(fake)
        async with asked.kept():
            await asyncio.gather(*(ask(asked) for _ in range(3)))  # at once: the pool has as many as that
            async with asked.kept():
                await ask(asked)
            for _ in range(3):
                await ask(asked)
        within = len(set(fake.connections))
        assert len(fake.connections) == 7
        assert within <= 3
        await ask(asked)
        await ask(asked)
        assert len(set(fake.connections)) == within + 2
