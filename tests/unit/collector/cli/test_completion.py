"""Shells complete what the parser knows, and nothing of it is forgotten."""

import shutil
import subprocess
from pathlib import Path

import pytest

from collector.cli import main, parser
from collector.cli.terminal.completion import commands_of


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


def completed(file: Path, *words: str) -> set[str]:
    """What bash would offer for the last word."""
    line = " ".join(f"'{word}'" for word in words)
    asked = f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _otel_opto"
    program = f"source '{file}'; {asked}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    command = [str(shutil.which("bash")), "--norc", "--noprofile", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return set(done.stdout.split())


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes_commands_options_and_values(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "otel-opto.bash"
    file.write_text(script("bash", capsys), encoding="utf-8")
    whole = {one.path: one for one in commands_of(parser())}
    assert completed(file, "otel-opto", "") == set(whole[()].below)
    assert completed(file, "otel-opto", "stud") == {"studies"}
    assert completed(file, "otel-opto", "studies", "") == {"list", "show", "stop", "create"}
    assert completed(file, "otel-opto", "studies", "create", "--sel") == {"--selector"}
    assert completed(file, "otel-opto", "studies", "create", "--selector", "") == {"thompson", "halving", "greedy"}
    assert completed(file, "otel-opto", "studies", "create", "tune", "--service", "qa", "--metr") == {"--metric"}
    assert completed(file, "otel-opto", "completion", "") == {"bash", "zsh", "fish"}
    assert completed(file, "otel-opto", "export", "--out", "") == set()  # files are the shell's own
    for path, command in whole.items():
        flags = {flag for option in command.options for flag in option.flags}
        assert completed(file, "otel-opto", *path, "--") == {flag for flag in flags if flag.startswith("--")}, path


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_script_of_each_shell_names_everything(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = script(shell, capsys)
    for command in commands_of(parser()):
        assert all(name in text for name in command.below)
        assert all(flag.lstrip("-") in text for option in command.options for flag in option.flags)
    found = shutil.which(shell)
    if found is not None:
        done = subprocess.run([found, "-n"], input=text, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
