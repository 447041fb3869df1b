"""OptoPrime where it asks for one text by itself."""

import json
from dataclasses import replace

import pytest

from collector.core.errors import OptimizerError
from collector.core.protocols import OptimizationRequest
from collector.core.study import Proposal, RejectedProposal, Study
from collector.optimizer.generators.optoprime import build
from otel_opto.spec import ParameterSpec, ParameterType
from tests.contract.optimizers import DEFAULTS, SPECS, judged, request, trial
from tests.fakes_openai import ScriptedOpenAI, suggesting

STYLE = next(spec for spec in SPECS if spec.key == "style")
RUNS = (judged(1, 0.0, "too wordy", "7 boats"), judged(2, 0.0, "too long", "8 boats"), judged(3, 1.0, "right", "9"))


def asked(server: ScriptedOpenAI, *specs: ParameterSpec, **options: object) -> OptimizationRequest:
    """About some of the parameters."""
    given = {"model": "m", "base_url": server.base_url, "temperature": 0.8, **options}
    study = Study("s", "shop", "quality", optimizer_options=given)  # type: ignore[arg-type]
    keys = {spec.key for spec in specs}
    values = {key: value for key, value in DEFAULTS.items() if key in keys}
    return replace(request(study=study), parameters=specs, current=values, batch=RUNS)


async def test_a_text_is_asked_for_by_itself_with_what_its_steps_took_and_gave() -> None:
    with ScriptedOpenAI(["Just {a}"]) as server:
        (found,) = await build().propose(asked(server, STYLE, form="alone"))
    (sent,) = server.requests
    system, *examples, last = sent["messages"]
    assert found.values == {"style": "Just {a}"}
    assert "a better text and nothing else" in system["content"]
    assert [turn["role"] for turn in examples] == ["user", "assistant"] * 3
    assert not any("suggestion" in turn["content"] for turn in sent["messages"])
    assert "response_format" not in sent
    assert last["content"].startswith("Text now:\nIt is {a}\n\nIt has to have {a} in it.\n\n<run>\ninput find = ")
    assert last["content"].count("<run>") == 2
    assert "too wordy" in last["content"]
    assert "right" not in last["content"]


def ways(server: ScriptedOpenAI) -> list[str]:
    """How it was asked, each time."""
    last = [str(sent["messages"][-1]["content"]) for sent in server.requests]
    return [
        "object" if "response_format" in sent else "alone" if "Text now:" in asked else "afresh"
        for sent, asked in zip(server.requests, last, strict=True)
    ]


async def test_after_a_copy_the_other_ways_follow_and_all_are_on_one_bill() -> None:
    now = "It is {a}"
    with ScriptedOpenAI([suggesting("r", style=now), now, now, suggesting("r", style="{a}.")]) as server:
        (found,) = await build().propose(asked(server, STYLE))
    assert (found.values, found.cost.calls) == ({"style": "{a}."}, 4)
    assert ways(server) == ["object", "afresh", "alone", "object"]
    assert [sent["temperature"] for sent in server.requests] == pytest.approx([0, 0, 0.8, 0.8])


async def test_afresh_the_value_is_not_shown_but_what_is_wanted_and_both_good_and_bad_runs() -> None:
    with ScriptedOpenAI([suggesting("r", style="It is {a}"), "Just {a}"]) as server:
        about = asked(server, STYLE)
        wanted = replace(about, study=replace(about.study, instruction="Say the number"))
        (found,) = await build().propose(wanted)
    system, *examples, last = server.requests[1]["messages"]
    assert found.values == {"style": "Just {a}"}
    assert "makes the output right, and nothing else" in system["content"]
    assert not any("Text now" in turn["content"] for turn in examples)
    assert last["content"].startswith("Wanted: Say the number\n\nIt has to have {a} in it.\n\n<run>\n")
    assert "It is {a}" not in last["content"]
    assert "right" in last["content"]
    assert "too wordy" in last["content"]


async def test_where_all_runs_were_judged_alike_it_begins_without_the_value() -> None:
    bad = (judged(1, 0.0, "too wordy", "7 boats"), judged(2, 0.0, "too long", "8 boats"))
    for runs, way in ((bad, "afresh"), (RUNS, "object"), (bad[:1], "object")):
        with ScriptedOpenAI(["Just {a}" if way == "afresh" else suggesting("r", style="Just {a}")]) as server:
            await build().propose(replace(asked(server, STYLE), batch=runs))
        assert ways(server) == [way]


async def test_a_long_text_and_a_function_are_not_written_afresh() -> None:
    long = f"It is {{a}}{' and so on' * 30}"
    source = "def tax(price):\n    return 0\n"
    code = ParameterSpec("tax", ParameterType.CODE, source)
    for spec, value in ((STYLE, long), (code, source)):
        with ScriptedOpenAI(
            [suggesting("r", **{spec.key: value}), value, suggesting("r", **{spec.key: value})]
        ) as server:
            known = (replace(trial(0, 0.5), values={spec.key: value}),)
            about = replace(asked(server), parameters=(spec,), current={spec.key: value}, trials=known)
            with pytest.raises(OptimizerError):
                await build().propose(about)
        assert ways(server) == ["object", "alone", "object", "alone"]


async def test_the_ways_take_turns_while_nothing_better_is_found() -> None:
    first = trial(0, 0.5)
    trials = [replace(first, values={"style": "It is {a}"}), replace(trial(1, 0.1), values={"style": "{a}!"})]
    with ScriptedOpenAI(["So: {a}", suggesting("r", style="{a}?")]) as server:
        await build().propose(replace(asked(server, STYLE), trials=tuple(trials)))
        better = asked(server, STYLE)
        await build().propose(replace(better, trials=tuple(trials), current={"style": "{a}!"}))
    assert ["response_format" in sent for sent in server.requests] == [False, True]


async def test_drafts_beside_each_other_are_asked_in_both_ways() -> None:
    with ScriptedOpenAI([suggesting("r", style="{a}?")] * 2) as server:
        await build().propose(asked(server, STYLE, candidates=2))
    assert sorted("response_format" in sent for sent in server.requests) == [False, True]


async def test_where_there_are_numbers_they_are_asked_for_together() -> None:
    with ScriptedOpenAI([suggesting("r", **DEFAULTS), "{a}?"]) as server:
        (found,) = await build().propose(asked(server, *SPECS))
    assert found.values == {"style": "{a}?"}
    assert "response_format" in server.requests[0]


@pytest.mark.parametrize("around", ["%s", "```json\n%s\n```", "<think>Two ways.</think>\n%s"])
async def test_an_answer_of_the_other_form_is_read_as_what_it_is(around: str) -> None:
    with ScriptedOpenAI([around % json.dumps({"style": "{a}?"})]) as server:
        (found,) = await build().propose(asked(server, STYLE, form="alone"))
    assert found.values == {"style": "{a}?"}


async def test_what_comes_back_without_the_white_space_around_it_is_a_copy() -> None:
    with ScriptedOpenAI(["It is {a}", suggesting("r", style="{a}.")]) as server:
        about = replace(asked(server, STYLE), current={"style": "\nIt is {a}\n"})
        first = replace(trial(0, 0.5), values={"style": "\nIt is {a}\n"})
        (found,) = await build().propose(
            replace(about, trials=(first, replace(trial(1, 0.1), values={"style": "{a}"})))
        )
    assert (found.values, found.cost.calls) == ({"style": "{a}."}, 2)


async def test_what_cannot_be_used_is_asked_for_anew_without_it_before_its_eyes() -> None:
    with ScriptedOpenAI(["no placeholder", "{a}?"]) as server:
        (found,) = await build().propose(asked(server, STYLE, form="alone"))
    first, second = server.requests
    assert found.values == {"style": "{a}?"}
    assert len(first["messages"]) == len(second["messages"])
    assert first["seed"] != second["seed"]


async def test_what_repeats_something_refused_is_not_argued_with_but_asked_for_in_the_other_way() -> None:
    without = suggesting("r", style="no placeholder")
    with ScriptedOpenAI([without, without, "{a}?"]) as server:
        (found,) = await build().propose(asked(server, STYLE))
    first, mended, anew = server.requests
    assert (found.values, found.cost.calls) == ({"style": "{a}?"}, 3)
    assert len(mended["messages"]) == len(first["messages"]) + 2, "the first time it is told what was wrong"
    assert "response_format" not in anew
    assert "no placeholder" not in json.dumps(anew["messages"])


async def test_what_an_earlier_answer_was_refused_for_is_known_as_a_repeat() -> None:
    with ScriptedOpenAI(["no placeholder", suggesting("r", style="{a}?")]) as server:
        refused = RejectedProposal(Proposal({"style": "no placeholder"}, "r"), ("{a} has to be in it",), 1)
        (found,) = await build().propose(replace(asked(server, STYLE), rejected=(refused,)))
    assert found.values == {"style": "{a}?"}
    assert ways(server) == ["afresh", "alone"]


async def test_a_function_is_asked_for_by_itself_in_a_block() -> None:
    code = ParameterSpec("tax", ParameterType.CODE, "def tax(price):\n    return 0\n")
    with ScriptedOpenAI(["```python\ndef tax(price):\n    return 1\n```"]) as server:
        about = replace(asked(server), parameters=(code,), current={"tax": str(code.default)})
        given = {**about.study.optimizer_options, "form": "alone"}
        (found,) = await build().propose(replace(about, study=replace(about.study, optimizer_options=given)))
    assert found.values == {"tax": "def tax(price):\n    return 1\n"}
    assert "a better function and nothing else" in server.requests[0]["messages"][0]["content"]


async def test_long_runs_are_cut_and_then_left_out() -> None:
    long = tuple(judged(n, 0.0, f"wrong {n}", "word " * 4_000) for n in (1, 2, 3))
    with ScriptedOpenAI(["{a}?"] * 2) as server:
        for chars in (6_000, 4_000):
            wide = asked(server, STYLE, form="alone", max_prompt_chars=chars)
            await build().propose(replace(wide, batch=long))
    for chars, sent in zip((6_000, 4_000), server.requests, strict=True):
        assert sum(len(turn["content"]) for turn in sent["messages"]) <= chars
        assert "wrong" in sent["messages"][-1]["content"]


async def test_a_long_text_pushes_examples_out_and_not_its_runs_and_is_never_sent_beyond_the_limit() -> None:
    with ScriptedOpenAI(["{a}?"]) as server:
        wide = asked(server, STYLE, form="alone", max_prompt_chars=4_000)
        await build().propose(replace(wide, current={"style": "{a} " * 500}))
        with pytest.raises(OptimizerError, match="style alone takes"):
            await build().propose(replace(wide, current={"style": "{a} " * 1_000}))
    (sent,) = server.requests
    assert sum(len(turn["content"]) for turn in sent["messages"]) <= 4_000
    assert "too wordy" in sent["messages"][-1]["content"]
