"""Each command is where the table says, and costs the import of its own module only."""

import argparse
import subprocess
import sys

import pytest

from collector.cli import _MODULES, parser


def commands_of(whole: argparse.ArgumentParser) -> list[str]:
    (commands,) = (action for action in whole._actions if isinstance(action, argparse._SubParsersAction))
    return list(commands.choices)


def test_the_table_has_every_command() -> None:
    assert commands_of(parser()) == [name for names in _MODULES.values() for name in names]


@pytest.mark.parametrize(("module", "names"), _MODULES.items(), ids=str)
def test_a_command_is_in_the_module_of_its_name(module: str, names: tuple[str, ...]) -> None:
    for name in names:
        assert commands_of(parser(name)) == list(names), module


def test_a_command_that_is_none_is_refused_with_all_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser("nonsense").parse_args(["nonsense"])
    assert "'restore'" in capsys.readouterr().err


def test_a_command_that_asks_a_collector_does_not_import_one() -> None:
    program = (
        "import sys; from collector.cli import parser; parser('feedback'); print('collector.process' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
