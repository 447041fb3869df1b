"""OptoPrime against a real HTTP server, through the real openai package."""

import asyncio
import json
import logging
import os
from dataclasses import replace

import pytest

from collector.core.errors import OptimizerError
from collector.core.parameter import validated
from collector.core.study import Cost, Proposal, Study
from collector.optimizer.calls.llm import OpenAIModel
from collector.optimizer.generators.optoprime import OptoPrime, build
from otel_opto.spec import Constraint, ParameterSpec, ParameterType
from otel_opto_train.book import Book
from tests.contract.optimizers import DEFAULTS, SPECS, judged, request, trial
from tests.fakes_openai import Answer, Reply, ScriptedOpenAI, suggesting

GOOD = {"top_k": 5, "weight": 0.5, "method": "fast", "style": "{a}", "strict": True}
BETTER = {**GOOD, "top_k": 6}
BROKEN = {**GOOD, "top_k": 99}
ANSWER = suggesting("fewer words", **GOOD)


def study(server: ScriptedOpenAI, **options: object) -> Study:
    return Study("s", "shop", "quality", optimizer_options={"model": "m", "base_url": server.base_url, **options})  # type: ignore[dict-item]


async def proposals(answers: list[Answer], **options: object) -> tuple[list[Proposal], ScriptedOpenAI]:
    with ScriptedOpenAI(answers) as server:
        asked = request(study=study(server, **options), trials=(trial(1, 0.5, top_k=4),))
        return list(await build().propose(asked)), server


async def propose(answers: list[Answer], **options: object) -> tuple[Proposal, ScriptedOpenAI]:
    (proposal,), server = await proposals(answers, **options)
    return proposal, server


async def failure(answers: list[Answer], finish_reason: str = "stop", **options: object) -> OptimizerError:
    with ScriptedOpenAI(answers, finish_reason) as server, pytest.raises(OptimizerError) as caught:
        await build().propose(request(study=study(server, **options)))
    return caught.value


async def test_one_call_gives_a_proposal_with_its_cost() -> None:
    proposal, server = await propose([ANSWER], temperature=0.5, max_tokens=99)
    assert (proposal.values, proposal.reasoning) == (GOOD, "fewer words")
    assert (proposal.cost.calls, proposal.cost.input_tokens, proposal.cost.output_tokens) == (1, 11, 7)
    assert proposal.cost.seconds > 0
    (sent,) = server.requests
    assert (sent["model"], sent["temperature"], sent["max_tokens"]) == ("m", 0.5, 99)
    assert sent["response_format"]["json_schema"]["schema"]["properties"]["suggestion"]["required"] == list(GOOD)
    roles = [message["role"] for message in sent["messages"]]
    assert roles[0] == "system"
    assert roles[1:] == ["user", "assistant"] * (len(roles) // 2 - 1) + ["user"]


async def test_a_prompt_is_held_within_tokens() -> None:
    _, longer = await proposals([ANSWER], max_prompt_tokens=3_000)
    _, shorter = await proposals([ANSWER], max_prompt_tokens=1_300)
    lengths = [sum(len(m["content"]) for m in server.requests[0]["messages"]) for server in (longer, shorter)]
    assert 3_000 < lengths[1] <= 1_300 * 3 < lengths[0] <= 3_000 * 3  # nobody counts here: 3 characters each


async def test_unknown_keys_and_wrong_values_reach_validation() -> None:
    proposal, _ = await propose([json.dumps({"suggestion": {"top_k": "many", "temprature": 1}})])
    _, faults = validated(proposal.values, SPECS)
    assert len(faults) == 2


# --- answers that cannot be used ------------------------------------------------------------------------------------


async def test_an_unreadable_answer_is_shown_to_the_model_and_asked_again() -> None:
    proposal, server = await propose(["I would rather not.", ANSWER])
    assert proposal.values == GOOD
    assert proposal.cost.calls == 2
    *_, answered, mended = server.requests[1]["messages"]
    assert answered == {"role": "assistant", "content": "I would rather not."}
    assert "I would rather not." in mended["content"]
    assert server.requests[0]["seed"] != server.requests[1]["seed"]


@pytest.mark.parametrize("text", ["I would rather not.", "", "{}"])
async def test_a_model_that_never_makes_sense_is_a_passing_fault_with_what_it_cost(text: str) -> None:
    error = await failure([text])
    assert not error.permanent
    assert "no readable suggestion in 3 answers (33 and 21 tokens)" in str(error)
    assert f"found {text!r}" in str(error)


async def test_a_cut_off_answer_is_no_answer() -> None:
    error = await failure([ANSWER[:-1]], finish_reason="length")
    assert not error.permanent
    assert "cut off after 7 tokens; keep it short, or raise max_tokens" in str(error)


async def test_values_that_were_tried_are_asked_for_anew_and_dropped_where_the_model_insists() -> None:
    again = suggesting("r", **DEFAULTS)
    proposal, server = await propose([again, suggesting("r", **{**DEFAULTS, "top_k": 4}), ANSWER])
    assert proposal.values == GOOD
    assert proposal.reasoning == "fewer words (asked about: these values were tried already)"
    assert all(sent["messages"][-1]["role"] == "user" for sent in server.requests)
    assert not any("tried already" in json.dumps(sent["messages"]) for sent in server.requests)
    error = await failure([again])
    assert not error.permanent
    assert "repeated values that were tried already, 4 times in 4 answers" in str(error)


async def test_after_a_copy_other_runs_are_shown() -> None:
    alike = tuple(judged(n, 0.0, f"wrong {n}", f"{n}") for n in range(1, 9))
    with ScriptedOpenAI([suggesting("r", **DEFAULTS), ANSWER]) as server:
        await build().propose(replace(request(study=study(server, examples=3, form="object")), batch=alike))
    first, second = (sent["messages"][-1]["content"] for sent in server.requests)
    assert first.split("#Runs")[0] == second.split("#Runs")[0]
    assert first != second


async def test_each_answer_in_vain_makes_the_next_one_freer() -> None:
    again = suggesting("r", **DEFAULTS)
    with ScriptedOpenAI([again, again, again, ANSWER]) as server:
        await build().propose(request(study=study(server, temperature=0.8, form="object")))
    assert [sent["temperature"] for sent in server.requests] == pytest.approx([0, 0.8, 1.2, 1.6])
    _, later = await propose([again, ANSWER], temperature=0.8, form="object")
    assert [sent["temperature"] for sent in later.requests] == pytest.approx([0.8, 1.2])
    _, silent = await propose([again, ANSWER])
    assert not any("temperature" in sent for sent in silent.requests)


async def test_a_direction_becomes_a_number_halfway() -> None:
    proposal, _ = await propose([suggesting(**{**GOOD, "top_k": "larger", "weight": "keep"})])
    assert (proposal.values["top_k"], proposal.values["weight"]) == (2, 0.0)


async def test_a_text_that_copies_a_recorded_input_is_refused_and_said() -> None:
    said = "where did the seven boats of the harbour go {a}"
    runs = (judged(1, 0.0, "wrong", asked="Where did the seven boats of the harbour go?"),)
    with ScriptedOpenAI([suggesting(**{**GOOD, "style": said}), ANSWER]) as server:
        (proposal,) = await build().propose(replace(request(study=study(server)), batch=runs))
    assert proposal.values == GOOD
    assert "copies recorded data ('where did the seven boats of')" in server.requests[1]["messages"][-1]["content"]


async def test_code_that_could_not_take_the_functions_place_is_refused_and_said() -> None:
    spec = ParameterSpec(
        "rank", ParameterType.CODE, "def rank(found):\n    return found\n", Constraint(imports=("math",))
    )
    good = "import math\n\ndef rank(found):\n    return sorted(found)\n"
    answers = [
        suggesting(rank="import os\n\ndef rank(found):\n    return os.name\n"),
        suggesting(rank="def rank(found):\n    return found.__class__.__mro__\n"),
        suggesting(rank=f"```python\n{good}```"),
    ]
    with ScriptedOpenAI(answers) as server:
        asked = replace(request(study=study(server)), parameters=(spec,), current={"rank": spec.default}, trials=())
        (proposal,) = await build().propose(asked)
    assert str(proposal.values["rank"]).strip() == good.strip()
    first, second = (sent["messages"][-1]["content"] for sent in server.requests[1:])
    assert "line 1: import of 'os'; allowed: math" in first
    assert "line 2: .__mro__ is not allowed" in second
    shown = server.requests[0]["messages"][-1]["content"]
    assert "the Python source of one function, def rank(found); imports allowed: math" in shown


async def test_values_that_come_to_the_same_are_the_same() -> None:
    whole = suggesting(**{**DEFAULTS, "weight": 0, "top_k": 1.0})
    proposal, _ = await propose([whole, suggesting(top_k=1), suggesting(top_k="1"), ANSWER])
    assert proposal.cost.calls == 4


async def test_what_is_not_allowed_is_asked_about_and_that_is_said() -> None:
    proposal, server = await propose([suggesting(**BROKEN), ANSWER])
    fault = "parameter 'top_k': found 99 (int), allowed: a whole number from 1 to 9"
    assert proposal.values == GOOD
    assert fault in server.requests[1]["messages"][-1]["content"]
    assert proposal.reasoning == f"fewer words (asked about: {fault})"


async def test_after_all_tries_the_last_readable_suggestion_goes_to_validation() -> None:
    proposal, _ = await propose([suggesting(**BROKEN), suggesting(**{**BROKEN, "top_k": 77}), "no more"])
    assert proposal.values["top_k"] == 77
    assert proposal.cost.calls == 3


async def test_asked_again_after_nothing_came_of_it_it_draws_anew() -> None:
    """Servers that obey a seed would give the same answers to the same request, which were in vain before."""
    with ScriptedOpenAI(["no", "no", "no", ANSWER]) as server:
        asked = replace(request(study=study(server)), calls=Book())
        with pytest.raises(OptimizerError, match="no readable suggestion"):
            await build().propose(asked)
        await build().propose(asked)
        assert len({sent["seed"] for sent in server.requests}) == 4


async def test_calls_that_something_came_of_change_no_seed() -> None:
    with ScriptedOpenAI([ANSWER, suggesting(**BETTER), suggesting(**BETTER)]) as server:
        book, asked = Book(), request(study=study(server))
        (proposal,) = await build().propose(replace(asked, calls=book))
        later = replace(asked, trials=(*asked.trials, replace(trial(1, 0.5, **GOOD), cost=proposal.cost)))
        await build().propose(replace(later, calls=book))
        await build().propose(later)
        first, with_book, without = (sent["seed"] for sent in server.requests)
        assert first != with_book == without


# --- several candidates ---------------------------------------------------------------------------------------------


async def test_several_candidates_are_several_seeds_and_one_bill() -> None:
    found, server = await proposals([ANSWER, suggesting(**BETTER)], candidates=2)
    assert sorted(str(proposal.values) for proposal in found) == [str(GOOD), str(BETTER)]
    assert len({sent["seed"] for sent in server.requests}) == 2
    assert [proposal.cost.calls for proposal in found] == [2, 0]
    assert found[1].cost == Cost()


async def test_what_is_suggested_most_often_comes_first_and_what_is_not_allowed_last() -> None:
    broken, better = suggesting(**BROKEN), suggesting(**BETTER)
    found, _ = await proposals([broken, ANSWER, better, better, broken], candidates=4, concurrency=1)
    assert [proposal.values for proposal in found] == [BETTER, GOOD, BROKEN]


async def test_one_bad_candidate_does_not_spoil_the_others(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found, _ = await proposals(["no", "no", "no", ANSWER, (401, "no more")], candidates=3, concurrency=1)
    assert [proposal.values for proposal in found] == [GOOD]
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["study s", "study s"]


async def test_no_candidate_at_all_is_a_fault() -> None:
    assert "no readable suggestion" in str(await failure(["no"], candidates=2))
    assert (await failure([(401, "wrong key")], candidates=2)).permanent


# --- the endpoint ---------------------------------------------------------------------------------------------------


async def test_what_the_endpoint_takes_is_remembered_from_study_to_study() -> None:
    with ScriptedOpenAI([(400, "bounds are not supported"), Reply(ANSWER)]) as server:
        optimizer = OptoPrime(lambda settings: OpenAIModel(settings, {}))
        await optimizer.propose(request(study=study(server)))
        await asyncio.gather(*(optimizer.propose(request(study=study(server, examples=n))) for n in (1, 2)))
    assert server.formats == ["json_schema", *["json_schema"] * 3]


@pytest.mark.parametrize(("status", "permanent"), [(401, True), (404, True), (429, False), (503, False)])
async def test_errors_say_whether_trying_again_helps(status: int, *, permanent: bool) -> None:
    error = await failure([(status, "a reason")], response_format="text")
    assert "a reason" in str(error)
    assert error.permanent is permanent


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"api_key": "sk-secret"}, "set OPENAI_API_KEY"),
        ({"temperature": 9}, "found 9, allowed: a number from 0 to 2"),
        ({"model": ""}, "option model: found ''"),
        ({"base_url": "localhost:80"}, "allowed: an http or https address"),
        ({"base_url": "http://me:secret@host/v1"}, "found 'http://***@host/v1'"),
        ({"token_limit_parameter": "limit"}, "allowed: max_tokens or max_completion_tokens"),
        ({"max_prompt_chars": 100}, "allowed: a whole number from 4000 to 1000000"),
        ({"candidates": 3, "temperature": 0}, "with temperature 0 all answers are alike"),
    ],
)
def test_wrong_options_are_said_and_no_secret_is_repeated(options: dict[str, object], fault: str) -> None:
    wrong = Study("s", "shop", "q", optimizer_options={"model": "m", **options})  # type: ignore[dict-item]
    (said,) = build().check(wrong, SPECS)
    assert fault in said
    assert "secret" not in said.replace("secrets are not kept", "")


def test_a_model_must_be_named() -> None:
    assert list(build().check(Study("s", "shop", "q"), SPECS)) == [
        "option model: missing; it must be the model's name at the endpoint"
    ]


# --- a real model ---------------------------------------------------------------------------------------------------


@pytest.mark.real_llm
@pytest.mark.parametrize("response_format", ["json_schema", "json_object", "text"])
async def test_a_real_model_answers_in_the_form_that_is_asked_for(response_format: str) -> None:
    base_url, model = os.environ.get("OTEL_OPTO_TEST_LLM_BASE_URL"), os.environ.get("OTEL_OPTO_TEST_LLM_MODEL", "m")
    if not base_url:
        pytest.skip("set OTEL_OPTO_TEST_LLM_BASE_URL (and …_MODEL) to an OpenAI-compatible endpoint; see docs/llm.md")
    options = {
        "model": model, "base_url": base_url, "max_tokens": 300, "response_format": response_format, "form": "object",
    }  # fmt: skip
    asked = request(study=Study("s", "shop", "quality", optimizer_options=options))  # type: ignore[arg-type]
    (proposal,) = await build().propose(asked)
    assert proposal.cost.calls >= 1
    if response_format == "json_schema":
        assert proposal.values.keys() == DEFAULTS.keys()
    assert proposal.cost.output_tokens > 0


GROWN = suggesting(**{**GOOD, "style": "{a}" + "x" * 1_000})


async def test_what_the_guards_refuse_is_told_to_the_model_and_counted() -> None:
    proposal, server = await propose([GROWN, ANSWER])
    assert (proposal.values, proposal.faults, proposal.cost.refused) == (GOOD, (), 1)
    assert "allowed are 1000 in one step" in server.requests[1]["messages"][-1]["content"]


async def test_what_the_guards_refuse_to_the_end_says_why_it_is_no_candidate() -> None:
    proposal, server = await propose([GROWN])
    assert validated(proposal.values, SPECS)[1] == ()
    assert "allowed are 1000 in one step" in proposal.faults[0]
    assert proposal.cost.refused == len(server.requests) == 3


async def test_all_calls_of_one_request_go_over_one_connection() -> None:
    with ScriptedOpenAI(["no", "no", ANSWER], keep_alive=True) as server:
        await build().propose(request(study=study(server)))
        assert len(server.requests) == 3
        assert len(set(server.connections)) == 1


async def test_how_a_run_is_told_in_short_is_said_where_one_may_be() -> None:
    for count, said in ((1, True), (2, False)):
        with ScriptedOpenAI([ANSWER]) as server:
            await build().propose(request(study=study(server, examples=count)))
        assert ("Where there is no #Program" in server.requests[0]["messages"][0]["content"]) == said
