"""What was found of a model is what studies with it begin with."""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collector.cli import main
from collector.core.study import Study
from collector.optimizer.drafting.checks import FILE, Checked, Checks
from collector.optimizer.drafting.writer import Writer
from collector.optimizer.generators.optoprime import build
from tests.contract.optimizers import request
from tests.fakes_openai import Reply, Said, ScriptedOpenAI, suggesting

ADDRESS = "http://127.0.0.1:9/v1"


def confused(sent: Mapping[str, Any]) -> Said:
    """Takes no schema, and repeats texts, unless no worked example stands before the question; 4 characters a token."""
    asked = str(sent["messages"][-1]["content"])
    if "response_format" in sent:
        return 400, "response_format is not known here"
    chars = sum(len(message["content"]) for message in sent["messages"])
    if "width is too" in asked:
        said = suggesting(width="larger")
    elif len(sent["messages"]) > 2 and "prompt = " in asked:
        said = suggesting(prompt=asked.split('prompt = "')[1].split('"', maxsplit=1)[0])
    else:
        said = suggesting(prompt="Answer with one word and nothing else.")
    return Reply(said, usage=(chars // 4, 7))


def study(base_url: str = ADDRESS, **options: object) -> Study:
    return Study("s", "shop", "quality", optimizer_options={"base_url": base_url, **options})  # type: ignore[dict-item]


def kept(directory: Path, **models: Mapping[str, object]) -> Checks:
    found = {name: {"options": options, "weaknesses": []} for name, options in models.items()}
    (directory / FILE).write_text(json.dumps({ADDRESS: found}), encoding="utf-8")
    return Checks(directory, {})


def checked(server: ScriptedOpenAI, directory: Path) -> int:
    return main(["models", "check", "m", "--base-url", server.base_url, "--data-dir", str(directory)])


def test_a_study_asks_its_model_as_the_check_found_best(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedOpenAI([confused]) as server:
        assert checked(server, tmp_path) == 1
        assert f"kept in {tmp_path / FILE}" in capsys.readouterr().out
        checks = Checks(tmp_path, {})
        asked_for = study(server.base_url, model="m")
        completed = checks.completed(asked_for, Writer.options)
        options = dict(completed.optimizer_options)
        assert 3.9 < float(str(options.pop("chars_per_token"))) < 4.1
        assert options == {
            "base_url": server.base_url, "model": "m", "temperature": 0.7, "max_prompt_chars": 16_000,
            "worked_examples": 0, "response_format": "text",
        }  # fmt: skip
        said = "model 'm' was found too weak: it moves 50% of numbers the right way"
        assert [one.split(":")[0:2] for one in checks.weaknesses(completed)] == [said.split(":")]

        before = len(server.requests)
        asyncio.run(build().propose(replace(request(), study=completed)))
        sent = server.requests[before]
        assert ("response_format" in sent, sent["temperature"], len(sent["messages"])) == (False, 0.0, 2)
    assert not build().check(completed, ())


def test_what_the_study_says_itself_stays(tmp_path: Path) -> None:
    checks = kept(
        tmp_path, m={"temperature": 0.7, "candidates": 4, "max_prompt_chars": 4_000, "response_format": "text"}
    )
    own: dict[str, Any] = {"temperature": 0, "max_prompt_tokens": 900, "response_format": "json_schema"}
    assert checks.completed(study(model="m", **own), Writer.options) == study(model="m", **own)
    partly = checks.completed(study(model="m", candidates=2), Writer.options)
    assert partly.optimizer_options["candidates"] == 2
    assert partly.optimizer_options["response_format"] == "text"


@pytest.mark.parametrize(
    "other",
    [study(model="n"), study("http://127.0.0.1:8/v1", model="m"), study(models={"m": 1, "n": 1}), study()],
    ids=["another model", "another address", "one of two", "no model"],
)
def test_where_nothing_is_kept_nothing_changes(tmp_path: Path, other: Study) -> None:
    assert Checks(tmp_path, {}).completed(other, Writer.options) is other
    checks = kept(tmp_path, m={"temperature": 0.7})
    assert checks.completed(other, Writer.options) is other
    assert not checks.weaknesses(other)


def test_an_optimizer_is_given_only_what_it_knows(tmp_path: Path) -> None:
    asked_for = study(model="m")
    assert kept(tmp_path, m={"temperature": 0.7}).completed(asked_for, ()) is asked_for


def test_several_models_are_given_what_all_of_them_take(tmp_path: Path) -> None:
    small: dict[str, object] = {
        "temperature": 0.7, "max_prompt_chars": 4_000, "candidates": 4, "worked_examples": 2, "chars_per_token": 3.1,
    }  # fmt: skip
    checks = kept(tmp_path, small=small, large={"temperature": 0.7, "max_prompt_chars": 16_000, "candidates": 4})
    both = study(models={"large": 1, "small": 3})
    found = dict(checks.completed(both, Writer.options).optimizer_options)
    assert found == {**both.optimizer_options, "temperature": 0.7, "max_prompt_chars": 4_000}


def test_the_address_may_be_that_of_the_environment(tmp_path: Path) -> None:
    kept(tmp_path, m={"temperature": 0.7})
    assert Checks(tmp_path, {"OPENAI_BASE_URL": ADDRESS + "/"}).of("m") == Checked({"temperature": 0.7}, ())
    assert Checks(tmp_path, {}).of("m") is None


@pytest.mark.parametrize("content", ["{", "[]", f'{{"{ADDRESS}": {{"m": 1}}}}'])
def test_a_damaged_file_is_passed_over(tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE).write_text(content, encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        assert Checks(tmp_path, {}).of("m", ADDRESS) is None
    assert (f"{FILE} is passed over" in caplog.text) == (content == "{")


def test_without_a_directory_it_is_said_that_nothing_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ScriptedOpenAI([suggesting(width="larger", prompt="Answer with one word.")]) as server:
        assert checked(server, tmp_path / "nowhere") == 1
    assert "not kept for studies: " in capsys.readouterr().err


def test_an_estimate_counts_with_it_and_says_who_is_too_weak(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weak = {"options": {"max_prompt_chars": 4_000, "chars_per_token": 2.0}, "weaknesses": ["it cannot be used"]}
    (tmp_path / FILE).write_text(json.dumps({ADDRESS: {"m": weak}}), encoding="utf-8")
    given = ["studies", "create", "s", "--service", "shop", "--metric", "quality", "--max-trials", "10", "--estimate"]
    given += ["--option", "model=m", "--option", f"base_url={ADDRESS}", "--data-dir", str(tmp_path)]
    assert main(given) == 0
    said = capsys.readouterr()
    assert "at most about 23,000 tokens" in said.out
    assert "warning: model 'm' was found too weak: it cannot be used" in said.err
