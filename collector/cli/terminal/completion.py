"""``otel-opto completion``: a shell completes commands, options and their values.

Made of the parser itself, as a script that asks nobody: a key that is pressed must not wait for Python.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from collector.cli.terminal import output

_HELP = """\
Prints a script that makes a shell complete commands, options and values.

examples:
  otel-opto completion bash > ~/.local/share/bash-completion/completions/otel-opto
  otel-opto completion zsh > ~/.otel-opto.zsh && echo 'source ~/.otel-opto.zsh' >> ~/.zshrc    (after compinit)
  otel-opto completion fish > ~/.config/fish/completions/otel-opto.fish
"""
_NAME = "otel-opto"


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Attributes:
        flags: ``--json``, ``-h``.
        says: Its help, in one line.
        values: What may follow; empty where anything may.
        takes: Whether something follows.
    """

    flags: tuple[str, ...]
    says: str
    values: tuple[str, ...]
    takes: bool


@dataclass(frozen=True, slots=True)
class Command:
    """One command or action.

    Attributes:
        path: Its words; () is `otel-opto` itself.
        below: Its actions, with their help.
        words: Of an argument by place that is one of some.
    """

    path: tuple[str, ...]
    below: Mapping[str, str]
    options: tuple[Option, ...]
    words: tuple[str, ...]


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", _: argparse.ArgumentParser) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "completion",
        help="print a script that makes a shell complete commands",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=list(_SHELLS), help="bash, zsh or fish")
    parser.set_defaults(run=show)


def show(arguments: argparse.Namespace) -> int:
    """Prints the script."""
    from collector.cli import parser  # noqa: PLC0415 - which imports this module

    output.show_lines(_SHELLS[arguments.shell](list(commands_of(parser()))))
    return 0


def commands_of(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[Command]:
    """A parser's command and all below it, which come behind."""
    below: dict[str, str] = {}
    parsers: dict[str, argparse.ArgumentParser] = {}
    options: list[Option] = []
    words: list[str] = []
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to ask
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            parsers |= action.choices
            below |= {one.dest: _line(one.help) for one in action._choices_actions}  # noqa: SLF001
        elif action.option_strings:
            values = tuple(map(str, action.choices or ()))
            takes = action.nargs != 0
            options.append(Option(tuple(action.option_strings), _line(action.help), values, takes))
        else:
            words += map(str, action.choices or ())
    yield Command(path, below, tuple(options), tuple(words))
    for name, one in parsers.items():
        yield from commands_of(one, (*path, name))


def _line(text: str | None) -> str:
    """A help as one line, as argparse would show it."""
    return " ".join((text or "").replace("%%", "%").split())


def _bash(commands: Sequence[Command]) -> str:
    known = "|".join(f'"{" ".join(one.path)}"' for one in commands if one.path)
    values = [
        f'    "{" ".join(one.path)}:{flag}") words="{" ".join(option.values)}" ;;'
        for one in commands
        for option in one.options
        for flag in option.flags
        if option.values
    ]
    free = [
        f'    "{" ".join(one.path)}:{flag}") return ;;'
        for one in commands
        for option in one.options
        for flag in option.flags
        if option.takes and not option.values
    ]
    words = [line for one in commands for line in _bash_words(one)]
    lines = (
        "_otel_opto() {",
        '  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" at="" next i words=""',
        "  for ((i = 1; i < COMP_CWORD; i++)); do",
        '    next="${at:+$at }${COMP_WORDS[i]}"',
        f'    case "$next" in {known}) at="$next" ;; esac',
        "  done",
        '  case "$at:$prev" in',
        *values,
        *free,
        '    *) case "$at:$cur" in',
        *words,
        "    esac ;;",
        "  esac",
        '  COMPREPLY=($(compgen -W "$words" -- "$cur"))',
        "}",
        f"complete -o bashdefault -o default -F _otel_opto {_NAME}",
    )
    return "\n".join(lines)


def _bash_words(command: Command) -> Iterator[str]:
    at = " ".join(command.path)
    flags = " ".join(flag for option in command.options for flag in option.flags)
    yield f'      "{at}:"-*) words="{flags}" ;;'
    yield f'      "{at}:"*) words="{" ".join((*command.below, *command.words))}" ;;'


def _zsh(commands: Sequence[Command]) -> str:
    """By zsh's own way to run completions that are written for bash."""
    return f"autoload -U +X bashcompinit && bashcompinit\n{_bash(commands)}"


def _fish(commands: Sequence[Command]) -> str:
    lines = [f"complete -c {_NAME} -e", f"complete -c {_NAME} -n __fish_use_subcommand -f"]
    for one in commands:
        seen = [f"__fish_seen_subcommand_from {word}" for word in one.path]
        inside = "; and ".join(
            (*seen, *([f"not __fish_seen_subcommand_from {' '.join(one.below)}"] if one.below else []))
        )
        when = f" -n '{inside}'" if one.path else " -n __fish_use_subcommand"
        lines += [
            f"complete -c {_NAME}{when} -f -a {_quoted(name)} -d {_quoted(says)}" for name, says in one.below.items()
        ]
        lines += [f"complete -c {_NAME}{when} -f -a {_quoted(' '.join(one.words))}"] if one.words else []
        for option in one.options:
            flags = "".join(
                f" -l {flag.removeprefix('--')}" if flag.startswith("--") else f" -s {flag[1:]}"
                for flag in option.flags
            )
            values = f" -x -a {_quoted(' '.join(option.values))}" if option.values else " -r" if option.takes else ""
            lines.append(f"complete -c {_NAME}{when}{flags}{values} -d {_quoted(option.says)}")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


_SHELLS: Mapping[str, Callable[[Sequence[Command]], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
